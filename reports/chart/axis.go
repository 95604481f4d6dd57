package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// fontFamily names fonts of the same widths as the one used for layout, then
// any sans-serif: textLength evens out the rest.
const fontFamily = "Liberation Sans, Arial, Helvetica, sans-serif"

// textStyle is the layout of plain text of a size in points.
func textStyle(size vg.Length, k Ink) text.Style {
	return text.Style{
		Color:   k,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: plot.DefaultTextHandler,
	}
}

// shows reports whether a value has a position on the scale.
func (s Scale) shows(v float64) bool {
	switch s {
	case Log:
		return v > 0
	case Nines:
		return v >= 0 && v < 1
	}
	return true
}

// Normalize implements plot.Normalizer.
func (s Scale) Normalize(lo, hi, v float64) float64 {
	switch s {
	case Log:
		lo, hi, v = math.Log(lo), math.Log(hi), math.Log(v)
	case Nines:
		lo, hi, v = -math.Log(1-lo), -math.Log(1-hi), -math.Log(1-v)
	}
	return (v - lo) / (hi - lo)
}

// extent is the range of the values of one axis.
type extent struct{ min, max float64 }

func newExtent() extent { return extent{math.Inf(1), math.Inf(-1)} }

func (e *extent) add(v float64) { e.min, e.max = min(e.min, v), max(e.max, v) }

// addBar adds a point and, where the scale can show them, the ends of its bar.
func (e *extent) addBar(p Point, s Scale) {
	e.add(p.Y)
	for _, v := range [2]float64{p.Y - p.Err, p.Y + p.Err} {
		if s.shows(v) {
			e.add(v)
		}
	}
}

// resolve fixes the range of an axis for the data.
func (a Axis) resolve(e extent) Axis {
	if a.Min != 0 || a.Max != 0 {
		return a
	}
	switch a.Scale {
	case Log:
		a.Min, a.Max = logFloor(e.min), logCeil(e.max)
		if a.Min == a.Max {
			a.Max = a.Min * 10
		}
	case Nines:
		// One more nine than the data needs would be empty space.
		a.Min, a.Max = 0, max(e.max, 0.9)
	default:
		a.Min, a.Max = min(e.min, 0), e.max
		if a.Min == a.Max {
			a.Max = a.Min + 1
		}
		if a.Min < 0 {
			a.Min -= (a.Max - a.Min) * 0.05
		}
		a.Max += (a.Max - a.Min) * 0.05
	}
	return a
}

// valid reports whether the scale can show the range of a resolved axis.
func (a Axis) valid() bool {
	size := a.Max - a.Min
	return a.Min < a.Max && finite(size) && size > 1e-300 && a.Scale.shows(a.Min) && a.Scale.shows(a.Max)
}

// maxTicks bounds the ticks of an axis, whatever its range.
const maxTicks = 50

// logFloor and logCeil round to 1, 2 or 5 times a power of ten.
func logFloor(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{5, 2} {
		if m*base <= v {
			return m * base
		}
	}
	return base
}

func logCeil(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*base >= v {
			return m * base
		}
	}
	return 10 * base
}

// ticks returns the labelled ticks inside the range.
func (a Axis) ticks() []plot.Tick {
	format := a.Format
	if format == nil {
		format = func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
	}
	values := a.Ticks
	if values == nil {
		values = a.Scale.choose(a.Min, a.Max)
	}
	var out []plot.Tick
	const slack = 1e-9
	for _, v := range values {
		if n := a.Scale.Normalize(a.Min, a.Max, v); n >= -slack && n <= 1+slack {
			out = append(out, plot.Tick{Value: v, Label: format(v)})
		}
	}
	return out
}

// choose picks tick positions for a range.
func (s Scale) choose(lo, hi float64) []float64 {
	switch s {
	case Log:
		return logTicks(lo, hi)
	case Nines:
		out := []float64{0, 0.5, 0.9}
		for gap := 0.01; 1-gap <= hi && gap > 1e-9; gap /= 10 {
			out = append(out, 1-gap)
		}
		return out
	}
	return linearTicks(lo, hi)
}

// logTicks returns the decades, and 2 and 5 times them where decades alone
// would be fewer than three.
func logTicks(lo, hi float64) []float64 {
	steps := []float64{1}
	if decades := math.Log10(hi / lo); decades < 1.5 {
		steps = []float64{1, 2, 5}
	} else if decades < 3 {
		steps = []float64{1, 3}
	}
	var out []float64
	for exp := math.Floor(math.Log10(lo)); exp <= math.Ceil(math.Log10(hi)) && len(out) < maxTicks; exp++ {
		for _, m := range steps {
			out = append(out, m*math.Pow(10, exp))
		}
	}
	return out
}

// linearTicks returns four to seven round positions.
func linearTicks(lo, hi float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/4)))
	for _, m := range []float64{5, 2} {
		if (hi-lo)/(m*step) >= 4 {
			step *= m
			break
		}
	}
	var out []float64
	first := math.Ceil(lo/step-1e-9) + 0
	for k := 0; k < maxTicks; k++ {
		v := (first + float64(k)) * step
		if v > hi+step*1e-9 {
			break
		}
		out = append(out, v)
	}
	return out
}

// fixed hands ticks that are already chosen to gonum.
type fixed []plot.Tick

// Ticks implements plot.Ticker.
func (f fixed) Ticks(float64, float64) []plot.Tick { return f }

// style gives a gonum axis the looks and the range of ours.
func style(p *plot.Axis, a Axis) {
	p.Min, p.Max, p.Scale = a.Min, a.Max, a.Scale
	p.Padding = 0
	p.LineStyle = draw.LineStyle{Color: Muted, Width: 0.8}
	p.Tick.Marker = fixed(a.ticks())
	p.Tick.Length = 4
	p.Tick.LineStyle = p.LineStyle
	x, y := p.Tick.Label.XAlign, p.Tick.Label.YAlign
	p.Tick.Label = textStyle(11.5, Muted)
	p.Tick.Label.XAlign, p.Tick.Label.YAlign = x, y
}
