package reports

import (
	"fmt"
	"slices"
)

// shapeKinds are the further figures of a tree, in columns.
var shapeKinds = []struct{ kind, column string }{
	{KindDepthMean, "mean depth"},
	{KindDepthMax, "depth"},
	{KindStretchP50, "stretch p50"},
	{KindStretchP99, "stretch p99"},
	{KindStressUndirected, "stress, both directions"},
	{KindColocated, "on the source's place"},
	{KindUnreached, "not reached"},
}

// A Reach counts the receivers of all trees and those that the measuring packet
// did not reach.
type Reach struct {
	Trees              int
	Receivers, Missing int64
}

// SummarizeReach sums samples of kind [KindUnreached], one per tree.
func SummarizeReach(samples []Sample) (r Reach) {
	for _, s := range samples {
		r.Trees++
		r.Receivers += s.N
		r.Missing += int64(s.Value)
	}
	return r
}

// finding demands that every receiver was reached: ratios over the others would
// be of another tree.
func (r Reach) finding() Finding {
	f := Finding{
		ID: "reach", What: "receivers reached by the measuring packet", Paper: "every one",
		Ours:    count(r.Receivers-r.Missing) + " of " + count(r.Receivers),
		Spread:  fmt.Sprintf("%s trees", count(r.Trees)),
		Verdict: Verdict{Pass, "every one"},
	}
	if r.Missing > 0 {
		f.Verdict = Verdict{Miss, "misses by " + count(r.Missing)}
	}
	return f
}

const shapeTitle = "Shape of the simulated trees"

func shapeSection(r *Result) Section {
	s := Section{
		ID: "shape", Title: shapeTitle, Stage: StageTree,
		Text: []string{"Depth is the number of identifiers between the group's and the receiver's. The stress of both " +
			"directions of a link together is the reading of \"link\" that Figure 11(b) does not use. Receivers on the " +
			"source's place have no stretch."},
	}
	var curves [][]SizeCurve
	var all []SizeCurve
	for _, k := range shapeKinds {
		c := SummarizeBySize(r.Select(StageTree, k.kind))
		curves, all = append(curves, c), append(all, c...)
		if k.kind == KindDepthMax {
			s.Bench = sizeBench("Sim/tree/kind="+KindDepthMax, "level", c)
		}
	}
	reach := SummarizeReach(r.Select(StageTree, KindUnreached)).finding()
	if len(all) == 0 {
		return absent(s.ID, s.Title, s.Stage, Finding{ID: reach.ID, What: reach.What, Paper: reach.Paper})
	}
	s.Findings = []Finding{reach}
	if len(r.Select(StageTree, KindUnreached)) == 0 {
		s.Findings[0] = absentFinding(reach)
	}
	s.Tables = []Table{shapeTable(curves, all)}
	return s
}

// shapeTable lists the trees of each group of samples by size.
func shapeTable(curves [][]SizeCurve, all []SizeCurve) Table {
	t := Table{
		Caption: "Trees by variant, network and size; " + cellNote,
		Columns: []Column{text("group"), number("receivers"), number("seeds")},
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Group)
	}
	slices.Sort(names)
	for _, k := range shapeKinds {
		t.Columns = append(t.Columns, number(k.column))
	}
	for _, name := range slices.Compact(names) {
		for _, n := range sizes(all) {
			row, seeds := []string{variantName(name), count(n)}, 0
			var cells []string
			for _, c := range curves {
				e := findCurve(c, name).at(n).Estimate
				seeds = max(seeds, e.Seeds)
				cells = append(cells, e.cell(num))
			}
			if seeds > 0 {
				t.Rows = append(t.Rows, append(append(row, count(seeds)), cells...))
			}
		}
	}
	return t
}
