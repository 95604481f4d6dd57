package reports

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"i3bench/internal/tablelines"
	"i3bench/reports/chart"
)

const microTitle = "Cost of a look-up against the number of identifiers"

// ParamFrom is the parameter that names the file of another run's results.
const ParamFrom = "from"

func microSection(r *Result) Section {
	own, elsewhere := r.Select(StageMicro, KindLookup), r.Select(StageMicro, KindLookupElsewhere)
	views := microViews(SummarizeMicro(own, elsewhere))
	s := Section{ID: "micro", Title: microTitle, Stage: StageMicro}
	if len(views) == 0 {
		return absent(s.ID, s.Title, s.Stage, microView{}.finding())
	}
	for _, v := range views {
		s.Text = append(s.Text, v.seen())
		s.Findings = append(s.Findings, v.finding())
		s.Tables = append(s.Tables, v.times(), v.ratios())
		if f := v.figure(); len(f.Chart.Series) > 0 {
			s.Figures = append(s.Figures, f)
		}
	}
	s.Text = append(s.Text, microNote(own))
	if len(elsewhere) > 0 {
		s.Text = append(s.Text, microElsewhereNote(r.Manifest.Parameters[ParamFrom], elsewhere))
	}
	s.Bench = microBench(own)
	return s
}

// microNote says what was measured, and what was left out.
func microNote(own []Sample) string {
	return fmt.Sprintf("Look-ups are of random identifiers, all as likely, in batches of 256 on one thread. The limit "+
		"is the least that a table with one cache line for each home can do: it hashes, finds the home and reads a word. "+
		"The map finds a key's value, and knows neither anycast nor expiry nor a writer. Rounds take turns, so that what "+
		"else the machine does strikes all alike; figures are medians of the rounds. %s of %s measurements are marked "+
		"busy and left out: the program had a processor for less than %d %% of the time.",
		count(busyOf(own)), count(len(own)), tablelines.Enough)
}

func microElsewhereNote(file string, elsewhere []Sample) string {
	if file = filepath.Base(file); file == "." {
		file = "a file"
	}
	return fmt.Sprintf("What is marked as of another run was read from %s, and not measured with the rest: on a busier "+
		"or another machine it means little beside it. %s of its %s results are left out as busy.",
		file, count(busyOf(elsewhere)), count(len(elsewhere)))
}

func busyOf(samples []Sample) (n int) {
	for _, s := range samples {
		if s.Status == StatusBusy {
			n++
		}
	}
	return n
}

// hits names the share of hits.
func (v microView) hits() string { return fmt.Sprintf("%d %% hits", v.hit) }

// seen says in two sentences what there is to see.
func (v microView) seen() string {
	small, large := v.span()
	if large == 0 {
		return fmt.Sprintf("With %s the matcher has no measurement that counts.", v.hits())
	}
	kernel := strings.TrimPrefix(v.ours().group, GroupKernel)
	line := fmt.Sprintf("With %s a look-up takes the %s kernels ", v.hits(), kernel)
	if small < large {
		line += fmt.Sprintf("%s among %s identifiers and ", duration(v.at(v.ours(), small).Median()), count(small))
	}
	line += fmt.Sprintf("%s among %s.", duration(v.at(v.ours(), large).Median()), count(large))
	for i, w := range v.compared(large) {
		form := []string{" There %s takes %s times as long", ", %s %s times"}[min(i, 1)]
		line += fmt.Sprintf(form, w.short(), num(v.ratio(w, large)))
	}
	return strings.TrimSuffix(line, ".") + "."
}

// compared returns whom ours is compared with at one size, if they were measured there: the limit, the map, the
// slowest of our kernels, and the fastest of another run's tables that we do not measure ourselves.
func (v microView) compared(n int64) (out []microWho) {
	var slowest, fastest []microWho
	for _, w := range v.who() {
		switch ratio := v.ratio(w, n); {
		case math.IsNaN(ratio) || w == v.ours():
		case w.isKernel() && (slowest == nil || ratio > v.ratio(slowest[0], n)):
			slowest = []microWho{w}
		case w.elsewhere && !w.known() && (fastest == nil || ratio < v.ratio(fastest[0], n)):
			fastest = []microWho{w}
		case !w.elsewhere && !w.isKernel():
			out = append(out, w)
		}
	}
	return append(append(out, slowest...), fastest...)
}

// known reports whether one of another run is measured here, too.
func (w microWho) known() bool {
	return strings.HasPrefix(w.group, "matcher") || w.group == GroupLimit || w.group == GroupMap
}

// short names one within a sentence.
func (w microWho) short() string {
	switch {
	case w.isLimit():
		return "the limit"
	case w.group == GroupMap && !w.elsewhere:
		return "the Go map"
	}
	return w.String()
}

// finding is ours at the largest size. Nothing judges it: it is of one machine.
func (v microView) finding() Finding {
	_, n := v.span()
	f := Finding{ID: "micro", What: "a look-up", Paper: "-", Ours: "-", Verdict: Verdict{NotMeasured, "not measured"}}
	if n == 0 {
		return v.notMeasured(f)
	}
	row := v.at(v.ours(), n)
	f.What = fmt.Sprintf("a look-up among %s identifiers, %s, %s", count(n), v.hits(), v.ours())
	f.Ours = duration(row.Median())
	f.Spread = fmt.Sprintf("%s to %s over rounds", num(row.Times[0]), duration(row.Times[len(row.Times)-1]))
	var ratios []string
	for _, w := range v.compared(n) {
		ratios = append(ratios, fmt.Sprintf("%s/ours %s", w, num(v.ratio(w, n))))
	}
	f.Verdict = Verdict{NotJudged, cmp.Or(strings.Join(ratios, ", "), "nothing to compare it with")}
	return f
}

// notMeasured says why there is no figure of ours, if it is not that there was no run.
func (v microView) notMeasured(f Finding) Finding {
	busy := 0
	for _, row := range v.rows {
		if row.Group == v.ours().group {
			busy += row.Busy
		}
	}
	if busy > 0 {
		f.What += ", " + v.hits()
		f.Verdict = Verdict{NotJudged, fmt.Sprintf("no measurement of %s counts, other programs had the processor", v.ours())}
	}
	return f
}

// times is the table of medians with their spread.
func (v microView) times() Table {
	t := Table{Caption: fmt.Sprintf("ns a look-up, %s: median (lowest to highest round), * without some that were busy",
		v.hits())}
	t.Columns = append(v.columns("table"), number("left out"))
	for _, w := range v.who() {
		row, busy := []string{w.String()}, 0
		for _, n := range v.sizes() {
			m := v.at(w, n)
			busy += m.Busy
			row = append(row, m.cell())
		}
		t.Rows = append(t.Rows, append(row, count(busy)))
	}
	return t
}

func (m MicroRow) cell() string {
	switch last := len(m.Times) - 1; {
	case last < 0 && m.Busy > 0:
		return "busy"
	case last < 0:
		return "-"
	default:
		cell := fmt.Sprintf("%s (%s–%s)", num(m.Median()), num(m.Times[0]), num(m.Times[last]))
		return cell + strings.Repeat("*", min(m.Busy, 1))
	}
}

func (v microView) columns(first string) []Column {
	out := []Column{text(first)}
	for _, n := range v.sizes() {
		out = append(out, number(count(n)))
	}
	return out
}

// ratios is the table of how long others take, with ours as the unit.
func (v microView) ratios() Table {
	t := Table{
		Caption: fmt.Sprintf("Times as long as ours, %s (ours: %s)", v.hits(), v.ours()), Columns: v.columns("ratio"),
	}
	for _, w := range v.who() {
		if w == v.ours() {
			continue
		}
		row := []string{w.String() + " / ours"}
		for _, n := range v.sizes() {
			row = append(row, num(v.ratio(w, n)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// logFrom is the ratio of the largest to the smallest figure from which on an axis is logarithmic.
const logFrom = 8

func (v microView) figure() Figure {
	c := chart.Chart{
		Title: fmt.Sprintf("Cost of a look-up, %s", v.hits()),
		Desc: v.seen() + " The number of identifiers is on a logarithmic axis. Points are medians of the rounds; a bar " +
			"reaches as far as the round that is farthest from it, either way. Dashed lines are of another run.",
		X: sizeAxis(v.sizes()), Y: chart.Axis{Label: "ns a look-up"},
	}
	c.X.Label = "identifiers in the table"
	least, most := math.Inf(1), 0.0
	looks := 0
	for _, w := range v.who() {
		s := v.series(looks, w)
		if !w.isLimit() { // it has a look of its own
			looks++
		}
		for _, p := range s.Points {
			least, most = min(least, p.Y), max(most, p.Y)
		}
		if len(s.Points) > 0 {
			c.Series = append(c.Series, s)
		}
	}
	if sizes := v.sizes(); len(sizes) > 0 { // no point stands on the edge, and the last label has room
		c.X.Min, c.X.Max = 0.8*float64(max(sizes[0], 1)), 1.6*float64(max(sizes[len(sizes)-1], 1))
	}
	if most >= logFrom*least {
		c.Y.Scale, c.Y.Label = chart.Log, c.Y.Label+", logarithmic"
	}
	return Figure{ID: fmt.Sprintf("micro-hit%d", v.hit), Chart: c, Table: v.medians(c.Title)}
}

func (v microView) series(i int, w microWho) chart.Series {
	s := seriesLook(i, chart.Series{Name: w.String(), Shape: chart.Both, Dashed: w.elsewhere})
	if w.isLimit() {
		s.Ink, s.Hollow = chart.Text, true // a reference
	}
	for _, n := range v.sizes() {
		if m := v.at(w, n); m.Median() > 0 && n > 0 {
			s.Points = append(s.Points, chart.Point{X: float64(n), Y: m.Median(), Err: m.half()})
		}
	}
	return s
}

// medians is the numbers of the chart, a row per size.
func (v microView) medians(caption string) Table {
	t := Table{Caption: caption + ": median, ns", Columns: []Column{number("identifiers")}}
	for _, w := range v.who() {
		t.Columns = append(t.Columns, number(w.String()))
	}
	for _, n := range v.sizes() {
		row := []string{count(n)}
		for _, w := range v.who() {
			row = append(row, num(v.at(w, n).Median()))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// microBench gives a line per round that counts, under the names of the matcher's own benchmarks, so that either can
// be compared with the other. What is of another run is left to its own file.
func microBench(own []Sample) (out []BenchLine) {
	for _, s := range own {
		if s.Status == StatusBusy || s.Value <= 0 {
			continue
		}
		name := "Limit"
		if kernel, ours := strings.CutPrefix(s.Group, GroupKernel); ours {
			name = "Match/kernel=" + pathPart(kernel)
		} else if s.Group != GroupLimit {
			name = "Peer/table=" + pathPart(s.Group)
		}
		name = fmt.Sprintf("%s/n=%s/hit=%d/keys=uniform", name, sizeName(s.N), s.Level)
		lookups := max(int(math.Round(float64(s.StartNS)/s.Value)), 1)
		out = append(out, BenchLine{name, lookups, []BenchValue{{s.Value, "ns/lookup"}}})
	}
	return out
}

// sizeName writes a number of identifiers as benchmarks name it: 1e6 for a million.
func sizeName(n int64) string {
	zeros := 0
	for ; n >= 10 && n%10 == 0; n /= 10 {
		zeros++
	}
	if zeros < 3 {
		return fmt.Sprintf("%d%s", n, strings.Repeat("0", zeros))
	}
	return fmt.Sprintf("%de%d", n, zeros)
}
