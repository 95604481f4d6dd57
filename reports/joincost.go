package reports

import (
	"fmt"
	"math"

	"i3bench/reports/chart"
)

// joinBound is how many times D log_D N a join may cost. The paper states an
// order and no constant. Its argument counts, at each level, at most D replies
// from each of two sets, the joinable and the full children, and log_D N levels
// of a balanced tree: that is twice D log_D N.
const joinBound = 2

// A JoinCost is the cost of a join in the groups of one size: the distance
// queries that it makes others process, beside D log_D N.
type JoinCost struct {
	SizeRow
	Formula float64 // D log_D N
}

// SummarizeJoinCost compares curves of kind [KindJoinQueries] with the paper's
// O(D log N), for each group of samples.
func SummarizeJoinCost(curves []SizeCurve, degree float64) map[string][]JoinCost {
	out := make(map[string][]JoinCost)
	for _, c := range curves {
		for _, row := range c.Rows {
			out[c.Group] = append(out[c.Group], JoinCost{row, joinFormula(float64(row.N), degree)})
		}
	}
	return out
}

func joinFormula(n, degree float64) float64 { return degree * math.Log(n) / math.Log(degree) }

// joinVerdict judges whether no size costs more than the bound.
func joinVerdict(rows []JoinCost) Verdict {
	worst, at := 0.0, int64(0)
	for _, row := range rows {
		if share := row.Mean / row.Formula; row.N > 1 && share > worst {
			worst, at = share, row.N
		}
	}
	text := fmt.Sprintf("%s times D log_D N at most, at %s", num(worst), receivers(at))
	if worst > joinBound {
		return Verdict{Miss, "misses: " + text}
	}
	return Verdict{Pass, text}
}

const joinCostTitle = "Cost of a join"

func joinCostSection(r *Result) Section {
	p := r.formulaParams()
	curves := SummarizeBySize(r.Select(StageTree, KindJoinQueries))
	s := Section{
		ID: "join-cost", Title: joinCostTitle, Stage: StageTree,
		Text: []string{
			"Distance queries that receivers process for one join, mean over the joins since the size before. The paper " +
				"(section 3.2) gives an order, O(D log N), without a constant. Its argument has at most D replies from each of " +
				"two sets at each of log_D N levels, so a group of samples meets it if no size costs more than twice " +
				"D log_D N. " + literalRule,
		},
	}
	if len(curves) == 0 {
		return absent(s.ID, s.Title, s.Stage, joinCostFinding("", p))
	}
	s.Figures = []Figure{joinCostFigure(curves, p)}
	rows := SummarizeJoinCost(curves, p.degree)
	for _, c := range curves {
		f := joinCostFinding(c.Group, p)
		last := c.last()
		f.Ours = num(last.Mean) + " at " + count(last.N)
		f.Spread = last.spread(num)
		f.Verdict = judgedIf(literal(c.Group), joinVerdict(rows[c.Group]))
		f.Spot = spotOf(joinCostFinding("", p).What, c.Group, last.N, last.cell(num))
		s.Findings = append(s.Findings, f)
	}
	s.Bench = sizeBench("Sim/tree/kind="+KindJoinQueries, "queries/join", curves)
	return s
}

func joinCostFinding(group string, p formulaParams) Finding {
	f := Finding{
		ID: "eq-join", What: fmt.Sprintf("queries per join, D = %g", p.degree), Source: "section 3.2",
		Paper: "O(D log N)",
	}
	if group != "" {
		f.What += ", " + group
	}
	return f
}

func joinCostFigure(curves []SizeCurve, p formulaParams) Figure {
	c := chart.Chart{
		Title: "Distance queries per join against group size",
		Desc: fmt.Sprintf("Queries per join for each group of samples, mean over seeds with its interval; the dashed line "+
			"is D log_D N for D = %g.", p.degree),
		Y: chart.Axis{Label: "queries per join"},
	}
	formula := chart.Series{Name: fmt.Sprintf("D log_D N, D = %g", p.degree), Ink: chart.Muted, Dashed: true}
	for _, n := range sizes(curves) {
		formula.Points = append(formula.Points, chart.Point{X: float64(n), Y: joinFormula(float64(n), p.degree)})
	}
	c.Series = []chart.Series{formula}
	f := sizeFigure("join-cost-chart", c, curves)
	f.Table.Columns = append(f.Table.Columns, number("D log_D N"))
	for i, q := range formula.Points {
		f.Table.Rows[i] = append(f.Table.Rows[i], num(q.Y))
	}
	return f
}
