package deliverylines

import (
	"math"
	"slices"
)

// Results are the rates of rows, one for each round, in the order of the rounds.
type Results map[Row][]float64

// Collect puts lines together by row.
func Collect(lines []Line) Results {
	r := make(Results)
	for _, l := range lines {
		r[l.Row] = append(r[l.Row], l.Rate)
	}
	return r
}

// A Spread is the middle of several rounds, and how far they lie apart. Not measured is NaN.
type Spread struct{ Median, Low, High float64 }

// Measured reports whether there was any round.
func (s Spread) Measured() bool { return !math.IsNaN(s.Median) }

// none is what was not measured.
var none = Spread{math.NaN(), math.NaN(), math.NaN()}

// spread returns the middle of figures, of two the mean.
func spread(figures []float64) Spread {
	if len(figures) == 0 {
		return none
	}
	s := slices.Sorted(slices.Values(figures))
	return Spread{(s[(len(s)-1)/2] + s[len(s)/2]) / 2, s[0], s[len(s)-1]}
}

// Of returns a row's rate.
func (r Results) Of(row Row) Spread { return spread(r[row]) }

// Ratio returns the ratio of the medians of two rows, and between what the ratios of single rounds lie: what else the
// machine does in a round strikes both rows.
func (r Results) Ratio(a, b Row) Spread {
	x, y := r[a], r[b]
	if len(x) == 0 || len(y) == 0 {
		return none
	}
	var rounds []float64
	for i := range min(len(x), len(y)) {
		rounds = append(rounds, x[i]/y[i])
	}
	out := spread(rounds)
	out.Median = spread(x).Median / spread(y).Median
	out.Low, out.High = min(out.Low, out.Median), max(out.High, out.Median)
	return out
}

// Best returns that of several who is fastest on a job, the first of them if none was measured.
func (r Results) Best(job Row, whos ...string) (best Row) {
	best = job
	best.Who = whos[0]
	for _, who := range whos[1:] {
		job.Who = who
		if s := r.Of(job); s.Measured() && !(s.Median <= r.Of(best).Median) {
			best = job
		}
	}
	return best
}

// Fans returns the numbers of receivers of a kind's rows, ascending.
func (r Results) Fans(kind Kind) []int {
	return r.distinct(kind, func(row Row) int { return row.Fan })
}

// Sizes returns the bytes of payload of a kind's rows, ascending.
func (r Results) Sizes(kind Kind) []int {
	return r.distinct(kind, func(row Row) int { return row.Size })
}

func (r Results) distinct(kind Kind, of func(Row) int) (out []int) {
	for row := range r {
		if row.Kind == kind {
			out = append(out, of(row))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A Comparison is one of ours held against another.
type Comparison struct {
	Name   string // as people read it: ours / theirs
	Kind   Kind
	Ours   string
	Theirs []string // of these the fastest counts
}

// Comparisons are what the data path is judged by: how far it is ahead of peers, and how far behind the limit.
func Comparisons() []Comparison {
	nats := []string{NATS, NATSDeep}
	return []Comparison{
		{"node, GRO / best of NATS", Delivered, Node + GRO, nats},
		{"node / best of NATS", Delivered, Node, nats},
		{"node, GRO / a Go write a copy", Delivered, Node + GRO, []string{Plain, Plain + GRO}},
		{"node / a Go write a copy", Delivered, Node, []string{Plain}},
		{"node / x/net's sendmmsg", Delivered, Node, []string{Batch}},
		{"node / node, single datagrams", Delivered, Node, []string{Single}},
		{"Go trains / C trains (limit)", Sent, Train, []string{Train + OfC}},
		{"Go trains / a Go write a copy", Sent, Train, []string{Train + OfGo}},
		{"Go sendmmsg / C sendmmsg (limit)", Sent, Sendmmsg, []string{Sendmmsg + OfC}},
		{"Go by classes / C sendmmsg (limit)", Sent, Classes, []string{Classes + OfC}},
	}
}

// At returns the ratio on a job, of which only receivers and bytes count.
func (r Results) At(c Comparison, fan, size int) Spread {
	job := Row{c.Kind, c.Ours, fan, size}
	return r.Ratio(job, r.Best(job, c.Theirs...))
}
