package reports

import (
	"math"
	"strconv"

	"i3bench/reports/chart"
)

// curvePoints bounds the points of a distribution's curve: more than the chart
// is wide would only make the page heavier.
const curvePoints = 240

// cdf returns the distribution function of values in ascending order, divided
// by unit, thinned out to equal steps of share.
func cdf(sorted []float64, unit float64) []chart.Point {
	n := len(sorted)
	if n == 0 {
		return nil
	}
	steps := min(n, curvePoints)
	points := []chart.Point{{X: sorted[0] / unit, Y: 0}}
	for i := 1; i <= steps; i++ {
		at := (i*n+steps-1)/steps - 1
		points = append(points, chart.Point{X: sorted[at] / unit, Y: float64(at+1) / float64(n)})
	}
	return points
}

// percentileCurve returns the quantiles of values in ascending order, divided
// by unit, at positions that are even on an axis of nines. The last point is the
// maximum, just beyond the last position that n values can tell from it.
func percentileCurve(sorted []float64, unit float64) []chart.Point {
	n := len(sorted)
	var points []chart.Point
	for i := 0; ; i++ {
		p := 1 - math.Pow(10, -float64(i)/16)
		if n == 0 {
			return nil
		}
		if p > 1-1/float64(n) && i > 0 {
			return append(points, chart.Point{X: 1 - 1/float64(n+1), Y: sorted[n-1] / unit})
		}
		points = append(points, chart.Point{X: p, Y: Percentile(sorted, p) / unit})
	}
}

// nines writes a quantile as people say it.
func nines(p float64) string {
	return strconv.FormatFloat(math.Round(p*1e9)/1e7, 'f', -1, 64) + " %"
}

// shareAxis is the vertical axis of a distribution function.
func shareAxis(of string) chart.Axis {
	return chart.Axis{
		Label: "share of " + of, Max: 1.02, Ticks: []float64{0, 0.25, 0.5, 0.75, 1},
		Format: func(v float64) string { return strconv.Itoa(int(math.Round(100*v))) + " %" },
	}
}

// quantileTable lists quantiles of several distributions beside each other.
func quantileTable(caption string, names []string, dists []Distribution,
	write func(Distribution, float64) string,
) Table {
	t := Table{Caption: caption, Columns: []Column{text("percentile")}}
	for _, name := range names {
		t.Columns = append(t.Columns, number(name))
	}
	for _, p := range []float64{0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.85, 0.9, 0.95, 0.99, 0.999, 0.9999, 1} {
		row := []string{nines(p)}
		enough := p == 1
		for _, d := range dists {
			row = append(row, write(d, p))
			// Beyond the resolution of the samples every percentile is the maximum.
			enough = enough || float64(d.Count())*(1-p) >= 1-1e-9
		}
		if enough {
			t.Rows = append(t.Rows, row)
		}
	}
	t.Rows[len(t.Rows)-1][0] = "100 % (max)"
	return t
}

// ink is the colour of the i-th series.
func ink(i int) chart.Ink { return chart.Inks[i%len(chart.Inks)] }

// variantName names a variant of a protocol in tables; runs of one variant may
// leave it without a name.
func variantName(group string) string {
	if group == "" {
		return "all"
	}
	return group
}

// pathPart turns a name into a part of a benchmark name or an id.
func pathPart(name string) string {
	out := []byte(variantName(name))
	for i, c := range out {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			out[i] = '-'
		}
	}
	return string(out)
}
