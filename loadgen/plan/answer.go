package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Nodes is a number of nodes, by the share of draws in which so many are enough.
type Nodes struct {
	P10 float64 `json:"p10"`
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

// An Answer is how many nodes there must be, and what that depends on.
type Answer struct {
	Question
	Calibrated Origin `json:"calibrated"`
	Simulated  Origin `json:"simulated"`
	Nodes      Nodes  `json:"nodes"`
	// Binding are the resources by the share of draws in which each decides, those that never do by how much is used.
	Binding []Bound `json:"binding"`
	// Shares of all packets that nodes send or answer, over the copies of data: medians.
	Refresh float64 `json:"refresh_share"`
	Repair  float64 `json:"repair_share"`
	Churn   float64 `json:"churn_share"`
	// Allowed is the share of the processors that the limit allows, median; 1 without one.
	Allowed float64 `json:"processor_allowed"`
	Inputs  []Input `json:"inputs"`
	// Sensitivities are the rank correlations of the inputs with the nodes that are needed, the strongest first.
	Sensitivities []Sensitivity `json:"sensitivities"`
	Validity      []string      `json:"validity"`
	Alternatives  []Alternative `json:"alternatives"`
	Doubled       []Doubling    `json:"doubled"`
	Narrow        []Narrowing   `json:"narrow"`
}

// A Bound is a resource.
type Bound struct {
	Resource string  `json:"resource"`
	Decides  float64 `json:"decides"` // share of draws
	Used     float64 `json:"used"`    // of what may be used of it with the P50 of nodes, median
}

// A Sensitivity is how much an input decides.
type Sensitivity struct {
	Input string  `json:"input"`
	Rank  float64 `json:"rank_correlation"`
}

// An Alternative is another question.
type Alternative struct {
	What    string `json:"what"`
	Nodes   Nodes  `json:"nodes"`
	Binding string `json:"binding"`
}

// A Doubling is what happens with the P90 of nodes if a part of the demand doubles.
type Doubling struct {
	What   string  `json:"what"`
	Nodes  Nodes   `json:"nodes"`
	Breaks string  `json:"breaks"` // the resource that is used up first; empty: none
	Used   float64 `json:"used"`   // of what may be used of it, median
}

// A Narrowing is an experiment that would make the interval narrower.
type Narrowing struct {
	Input   string  `json:"input"`
	Command string  `json:"command"`
	Seconds float64 `json:"seconds"` // about, of a machine with two cores
	// Nodes are those with the input in its middle: what the experiment could give at best.
	Nodes Nodes `json:"nodes"`
	// Gain is the share of the interval from P10 to P90 that goes.
	Gain float64 `json:"gain"`
}

// Solve answers a question. The same question has the same answer.
func (q Question) Solve() (a Answer, err error) {
	q.Draws = cmp.Or(q.Draws, DefaultDraws)
	list, samples, err := q.solve()
	if err != nil {
		return a, err
	}
	a = Answer{
		Question: q, Calibrated: q.Measured.Calibrated, Simulated: q.Measured.Simulated, Inputs: list,
		Nodes: q.spread(samples), Sensitivities: sensitivities(list, samples), Validity: q.validity(list),
	}
	a.Binding = q.bounds(samples, a.Nodes.P50)
	a.Refresh = share(samples, func(l load) float64 { return l.refresh })
	a.Repair = share(samples, func(l load) float64 { return l.repair })
	a.Churn = share(samples, func(l load) float64 { return l.churn })
	a.Allowed = q.allowed(medians(list))
	a.Alternatives = q.alternatives()
	a.Doubled = q.doubled(a.Nodes.P90)
	a.Narrow = q.narrow(list, a.Nodes)
	return a, nil
}

// solve checks a question and draws.
func (q *Question) solve() ([]Input, []sample, error) {
	if err := cmp.Or(q.Demand.Check(), q.Node.Check()); err != nil {
		return nil, nil, err
	}
	list, err := q.settled()
	if err != nil {
		return nil, nil, err
	}
	return list, q.draw(list, -1), nil
}

// bounds returns the resources, those that decide most often first.
func (q *Question) bounds(samples []sample, nodes float64) (out []Bound) {
	for k, name := range Resources {
		b := Bound{Resource: name}
		used, decides := make([]float64, len(samples)), 0
		for i, s := range samples {
			used[i] = s.needs[k] / nodes
			if s.binds == k {
				decides++
			}
		}
		b.Decides, b.Used = float64(decides)/float64(len(samples)), median(used)
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b Bound) int {
		return cmp.Or(cmp.Compare(b.Decides, a.Decides), cmp.Compare(b.Used, a.Used))
	})
	return out
}

// share returns the median of a part of the load over the copies of data.
func share(samples []sample, part func(load) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = part(s.load) / s.load.copies
	}
	return median(values)
}

// sensitivities returns Spearman's rank correlations, but for those that so many draws cannot tell from none.
func sensitivities(list []Input, samples []sample) (out []Sensitivity) {
	needs := ranks(samples, func(s sample) float64 { return s.need })
	for k := range list {
		if len(list[k].dist) < 2 {
			continue
		}
		r := stat.Correlation(ranks(samples, func(s sample) float64 { return s.v[k] }), needs, nil)
		if math.Abs(r) > 2/math.Sqrt(float64(len(samples))) {
			out = append(out, Sensitivity{list[k].Name, r})
		}
	}
	slices.SortStableFunc(out, func(a, b Sensitivity) int { return cmp.Compare(math.Abs(b.Rank), math.Abs(a.Rank)) })
	return out
}

// ranks returns the rank of each sample by a value; equal values share the middle of their ranks.
func ranks(samples []sample, value func(sample) float64) []float64 {
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(value(samples[a]), value(samples[b])) })
	out := make([]float64, len(samples))
	for i := 0; i < len(order); {
		k := i
		for k < len(order) && value(samples[order[k]]) == value(samples[order[i]]) {
			k++
		}
		for _, at := range order[i:k] {
			out[at] = float64(i+k-1) / 2
		}
		i = k
	}
	return out
}

// validity says where the answer goes beyond what was measured and simulated.
func (q *Question) validity(list []Input) (out []string) {
	beyond := map[float64]int{}
	var factors []float64
	for _, in := range list {
		if in.Beyond > 1 {
			if beyond[in.Beyond]++; beyond[in.Beyond] == 1 {
				factors = append(factors, in.Beyond)
			}
		}
	}
	slices.Sort(factors)
	for _, f := range factors {
		out = append(out, fmt.Sprintf("%d simulated inputs are extrapolated %.3gx beyond the largest simulated group "+
			"(%.0f receivers).", beyond[f], f, q.Demand.Receivers/f))
	}
	least, most := math.Inf(1), 0.0
	for _, c := range q.Measured.Copies {
		least, most = min(least, float64(c.Payload)), max(most, float64(c.Payload))
	}
	if q.Demand.Bytes < least || q.Demand.Bytes > most {
		out = append(out, fmt.Sprintf("Costs of %.0f bytes are extrapolated from those of %.0f to %.0f.",
			q.Demand.Bytes, least, most))
	}
	out = append(out,
		"Costs were calibrated on loopback, where a datagram costs the receiver's part too and no driver of a NIC; a "+
			fmt.Sprintf("core of the node is taken to be %.3g times as fast.", q.Policy.Speed),
		"Copies are taken to leave as single datagrams: packets of one source come too far apart to share a train.",
		"Simulated receivers are spread over the nodes at random, each joins near its own, and nodes forward between "+
			fmt.Sprintf("themselves only what is left; the busiest node is taken to have %.3g times as many as by chance.",
				q.Policy.Uneven),
		"What is given is assumed, not measured: what may be used of processors and NIC, and the contention of cores.")
	return out
}
