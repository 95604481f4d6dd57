package reports

import (
	"fmt"
	"math"
	"slices"

	"i3bench/reports/chart"
)

// seriesLook gives the i-th of many series an ink and a glyph of its own.
func seriesLook(i int, s chart.Series) chart.Series {
	s.Ink, s.Glyph = ink(i), chart.Glyph(i%chart.NumGlyphs)
	return s
}

// sizes returns all group sizes of curves, ascending.
func sizes(curves []SizeCurve) []int64 {
	var out []int64
	for _, c := range curves {
		for _, row := range c.Rows {
			out = append(out, row.N)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sizeAxis is the logarithmic axis of group sizes. Its ticks are the sizes, as
// far as their labels have room.
func sizeAxis(all []int64) chart.Axis {
	a := chart.Axis{
		Label: "receivers in the group", Scale: chart.Log,
		Format: func(v float64) string { return count(int64(math.Round(v))) },
	}
	room := 0.0
	if len(all) > 0 {
		room = math.Log(float64(all[len(all)-1])/float64(all[0])) / 10
	}
	last := math.Inf(-1)
	for _, n := range all {
		if at := math.Log(float64(n)); at >= last+room {
			a.Ticks, last = append(a.Ticks, float64(n)), at
		}
	}
	return a
}

// sideStep is the distance of neighbouring series at one size, as a factor:
// bars at the same place would hide each other.
const sideStep = 1.06

// sizeSeries draws a series per group, with the intervals over seeds as bars.
func sizeSeries(curves []SizeCurve) []chart.Series {
	var out []chart.Series
	for i, c := range curves {
		s := seriesLook(i, chart.Series{Name: variantName(c.Group), Shape: chart.Both})
		aside := math.Pow(sideStep, float64(i)-float64(len(curves)-1)/2)
		for _, row := range c.Rows {
			s.Points = append(s.Points, chart.Point{X: float64(row.N) * aside, Y: row.Mean, Err: row.half()})
		}
		out = append(out, s)
	}
	return out
}

// sizeTable lists curves beside each other, a row per group size.
func sizeTable(caption string, curves []SizeCurve, write func(float64) string) Table {
	t := Table{Caption: caption + "; " + cellNote, Columns: []Column{number("receivers")}}
	for _, c := range curves {
		t.Columns = append(t.Columns, number(variantName(c.Group)))
	}
	for _, n := range sizes(curves) {
		row := []string{count(n)}
		for _, c := range curves {
			row = append(row, c.at(n).cell(write))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// sizeFigure is a figure of curves by group size: a chart with bars and its
// table. The caller adds marks and formulas.
func sizeFigure(id string, c chart.Chart, curves []SizeCurve) Figure {
	c.X = sizeAxis(sizes(curves))
	if len(curves) > 1 {
		c.Desc += " Series stand a little beside each other, so that their bars can be seen."
	}
	c.Series = append(sizeSeries(curves), c.Series...)
	return Figure{ID: id, Chart: c, Table: sizeTable(c.Title, curves, num)}
}

// sizeBench gives a benchmark line per seed, group and size.
func sizeBench(name, unit string, curves []SizeCurve) []BenchLine {
	var out []BenchLine
	for _, c := range curves {
		for _, row := range c.Rows {
			full := fmt.Sprintf("%s/group=%s/receivers=%d", name, pathPart(c.Group), row.N)
			for _, v := range row.PerSeed {
				out = append(out, BenchLine{full, 1, []BenchValue{{v.Value, unit}}})
			}
		}
	}
	return out
}

// receivers writes a group size into what a finding is of.
func receivers(n int64) string {
	if n == 1 {
		return "1 receiver"
	}
	return count(n) + " receivers"
}
