package reports

import (
	"fmt"
	"slices"
	"strings"

	"i3bench/reports/chart"
)

// table1Columns are the four columns of figures in Table 1.
var table1Columns = []struct {
	scheme, kind, what string
	paper              func(paperRequests) paperValue
}{
	{SchemeLoss, KindReqPerLoss, "requests per drop", func(p paperRequests) paperValue { return p.loss }},
	{SchemeRandom, KindReqPerLoss, "requests per drop", func(p paperRequests) paperValue { return p.random }},
	{SchemeLoss, KindReqMax, "max requests per packet", func(p paperRequests) paperValue { return p.lossWorst }},
	{SchemeRandom, KindReqMax, "max requests per packet", func(p paperRequests) paperValue { return p.randomWorst }},
}

// A RequestCell is a value of Table 1 beside the paper's.
type RequestCell struct {
	Receivers int64
	Column    int // of table1Columns
	Paper     float64
	PaperText string // with its standard deviation
	Ours      SizeRow
	Literal   bool // of the paper's protocol
}

// verdict judges one value; the paper's own seeds differ by up to as much.
func (c RequestCell) verdict() Verdict {
	if c.Ours.Seeds == 0 {
		return Verdict{NotMeasured, "not measured"}
	}
	return judgedIf(c.Literal, within(c.Ours.Mean, c.Paper))
}

// A RequestTable is Table 1 for one variant and network.
type RequestTable struct {
	Rest  string // variant/net
	Cells []RequestCell
}

// SummarizeRequests computes Table 1 from the curves of the kinds
// [KindReqPerLoss] and [KindReqMax], all twenty values for each variant and
// network of the two schemes, measured or not.
func SummarizeRequests(perLoss, most []SizeCurve) []RequestTable {
	var rests []string
	for _, c := range slices.Concat(perLoss, most) {
		if scheme, rest := splitScheme(c.Group); scheme == SchemeLoss || scheme == SchemeRandom {
			rests = append(rests, rest)
		}
	}
	slices.Sort(rests)
	var out []RequestTable
	for _, rest := range slices.Compact(rests) {
		t := RequestTable{Rest: rest}
		for i, col := range table1Columns {
			curves := map[string][]SizeCurve{KindReqPerLoss: perLoss, KindReqMax: most}[col.kind]
			own := findCurve(curves, col.scheme+"/"+rest)
			for _, p := range paperRequestRows {
				v := col.paper(p)
				t.Cells = append(t.Cells, RequestCell{
					p.receivers, i, v.mean, v.String(), own.at(p.receivers), literal(rest),
				})
			}
		}
		out = append(out, t)
	}
	return out
}

const (
	table1ID    = "table1"
	table1Title = "Table 1: repair requests"
)

func table1Section(r *Result) Section {
	perLoss := SummarizeBySize(r.Select(StageRecovery, KindReqPerLoss))
	most := SummarizeBySize(r.Select(StageRecovery, KindReqMax))
	s := Section{
		ID: table1ID, Title: table1Title, Stage: StageRecovery,
		Text: []string{"Repair requests sent, retries and escalations included, per packet that a receiver lost; and, over " +
			"hosts, the most requests that one received, per packet sent. Each of the twenty values meets the paper's if its " +
			"mean over seeds is within 20 %; a column of the table, in the list of paper parity, if all that was measured " +
			"of it does. " + literalRule},
	}
	tables := SummarizeRequests(perLoss, most)
	if len(tables) == 0 {
		for i := range table1Columns {
			s.Findings = append(s.Findings, RequestTable{}.finding(i))
		}
		return absent(s.ID, s.Title, s.Stage, s.Findings...)
	}
	for _, t := range tables {
		s.Tables = append(s.Tables, t.table())
		for i := range table1Columns {
			s.Findings = append(s.Findings, t.finding(i))
		}
	}
	if len(perLoss) > 0 {
		s.Figures = append(s.Figures, requestFigure(KindReqPerLoss, "Repair requests per packet lost", perLoss, chart.Linear))
		s.Bench = sizeBench("Sim/recovery/kind="+KindReqPerLoss, "requests/loss", perLoss)
	}
	if len(most) > 0 {
		s.Figures = append(s.Figures, requestFigure(KindReqMax, "Most requests at a host per packet", most, chart.Log))
		s.Bench = append(s.Bench, sizeBench("Sim/recovery/kind="+KindReqMax, "requests/packet", most)...)
	}
	return s
}

// finding judges one column: the sizes that were measured, each within 20 %.
func (t RequestTable) finding(column int) Finding {
	col := table1Columns[column]
	f := Finding{ID: table1ID, What: col.what + ", " + col.scheme, Source: "section 6.3", Ours: "-"}
	var paper, ours, measured []string
	met := 0
	for _, p := range paperRequestRows {
		paper = append(paper, plain(col.paper(p).mean))
	}
	f.Paper = strings.Join(paper, " ")
	f.Verdict = Verdict{NotMeasured, "not measured"}
	if t.Rest != "" {
		f.What += "/" + t.Rest + ", 16 to 4,096 receivers"
	}
	seeds := 0
	for _, c := range t.Cells {
		if c.Column != column {
			continue
		}
		ours = append(ours, num(c.Ours.Mean))
		if v := c.verdict(); v.State != NotMeasured {
			measured = append(measured, v.Text)
			seeds = max(seeds, c.Ours.Seeds)
			if v.State == Pass {
				met++
			}
		}
	}
	if len(measured) == 0 {
		return f
	}
	f.Ours, f.Spread = strings.Join(ours, " "), "intervals in the table, "+seedCount(seeds)
	if !literal(t.Rest) {
		f.Verdict = notLiteral
		return f
	}
	f.Verdict = Verdict{Pass, fmt.Sprintf("%d of %d within 20 %%", met, len(measured))}
	if met < len(measured) {
		f.Verdict = Verdict{Miss, fmt.Sprintf("misses: %d of %d within 20 %%", met, len(measured))}
	}
	return f
}

func (t RequestTable) table() Table {
	out := Table{
		Caption: "Table 1 for " + variantName(t.Rest) + "; " + cellNote,
		Columns: []Column{
			text("figure"), number("receivers"), number("seeds"), number("ours"), number("paper (std dev)"),
			text("verdict"),
		},
	}
	for _, c := range t.Cells {
		col := table1Columns[c.Column]
		out.Rows = append(out.Rows, []string{
			col.what + ", " + col.scheme, count(c.Receivers), count(c.Ours.Seeds), c.Ours.cell(num), c.PaperText,
			c.verdict().String(),
		})
	}
	return out
}

// requestsBySize is Table 1 with a column per size: for each of its columns a row
// of the paper's values and one for each variant and network.
func (r *Result) requestsBySize() []Table {
	tables := SummarizeRequests(SummarizeBySize(r.Select(StageRecovery, KindReqPerLoss)),
		SummarizeBySize(r.Select(StageRecovery, KindReqMax)))
	out := Table{
		Caption: "Table 1, by receivers in the group; each cell is judged for itself: ✓ within 20 % of the paper's",
		Columns: []Column{text("what"), text("of")},
	}
	for _, p := range paperRequestRows {
		out.Columns = append(out.Columns, number(count(p.receivers)))
	}
	for i, col := range table1Columns {
		row := []string{col.what + ", " + col.scheme, "the paper (std dev)"}
		for _, p := range paperRequestRows {
			row = append(row, col.paper(p).String())
		}
		out.Rows = append(out.Rows, row)
		for _, t := range tables {
			out.Rows = append(out.Rows, append([]string{"", variantName(t.Rest)}, t.cells(i)...))
		}
	}
	if len(tables) == 0 {
		return nil
	}
	return []Table{out}
}

// cells are the values of one column, with the marks of their verdicts.
func (t RequestTable) cells(column int) (out []string) {
	for _, c := range t.Cells {
		if c.Column == column {
			out = append(out, c.verdict().cell(c.Ours.cell(num)))
		}
	}
	return out
}

// requestFigure draws the columns of one kind with the paper's beside them.
func requestFigure(kind, what string, curves []SizeCurve, scale chart.Scale) Figure {
	c := chart.Chart{
		Title: what + " against group size",
		Desc:  what + " for each scheme, mean over seeds with its interval; the rings are the paper's Table 1.",
		Y:     chart.Axis{Label: strings.ToLower(what[:1]) + what[1:], Scale: scale},
	}
	for _, col := range table1Columns {
		if col.kind != kind {
			continue
		}
		paper := chart.Series{
			Name: "paper, " + col.scheme, Ink: chart.Text, Shape: chart.Both, Hollow: true,
			Dashed: col.scheme == SchemeRandom,
		}
		for _, p := range paperRequestRows {
			v := col.paper(p)
			paper.Points = append(paper.Points, chart.Point{X: float64(p.receivers), Y: v.mean, Err: v.stddev})
		}
		c.Series = append(c.Series, paper)
	}
	return sizeFigure("table1-"+kind, c, curves)
}
