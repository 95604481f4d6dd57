package chart

import (
	"fmt"
	"html"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Width and Height are the size of a chart's view box in points. The page
// scales it; at this size the smallest text stays readable on a phone.
const (
	Width  = 460.0
	Height = 310.0
)

// A Scale maps values to positions on an axis.
type Scale int

// The scales. A value that its scale cannot show (zero on Log, 1 on Nines) is
// left out of the chart; it stays in the chart's table.
const (
	Linear Scale = iota
	Log          // decades
	Nines        // -log10(1-p) for a quantile p in [0, 1)
)

// An Axis is one side of a chart.
type Axis struct {
	Label string
	Scale Scale
	// Min and Max bound the axis. Both zero means the range of the data, with
	// zero included on a Linear axis of values that are not negative.
	Min, Max float64
	// Ticks are the labelled positions. None means that the scale chooses.
	Ticks []float64
	// Format writes a tick label. nil means the shortest decimal.
	Format func(float64) string
}

// A Point is one value of a series. Err, when not zero, draws a bar from Y-Err
// to Y+Err.
type Point struct{ X, Y, Err float64 }

// A Shape says how a series is drawn.
type Shape int

// The shapes of a series.
const (
	Line  Shape = iota // straight lines between points
	Steps              // horizontal, then vertical: a distribution function
	Marks              // a glyph per point
	Both               // lines and glyphs
)

// A Glyph is the form of a series' points, so that more series than inks can be
// told apart, and without colours.
type Glyph int

// The glyphs. Their number and that of [Inks] have no common divisor: twelve
// series differ from each other if both are taken in turn.
const (
	Disc Glyph = iota
	Square
	Triangle
	NumGlyphs = iota
)

// A Series is a named list of points.
type Series struct {
	Name   string
	Ink    Ink
	Shape  Shape
	Dashed bool
	Hollow bool // draw glyphs as rings: references, not measurements
	Glyph  Glyph
	Points []Point
}

// A Mark is one reference point with a cross-hair to both axes.
type Mark struct {
	X, Y float64
	Name string // shown in the legend
	// Vertical makes the mark a line across the chart at X, for a reference that
	// has no Y, such as a mean in a chart of a distribution; Horizontal one at Y, for
	// a limit that holds at every X.
	Vertical, Horizontal bool
}

// A Chart is what one figure shows.
type Chart struct {
	// Title and Desc are read out to those who do not see the drawing. Desc says
	// in a sentence or two what there is to see.
	Title, Desc string
	X, Y        Axis
	Series      []Series
	Marks       []Mark
	// Flame, if not nil, is drawn instead of all these.
	Flame *Flame
}

// SVG draws the chart as one svg element whose title and description carry ids
// that start with id; id must be unique on the page and plain letters, digits
// and dashes. It returns an error if there is nothing to draw or a value is not
// a finite number.
func (c *Chart) SVG(id string) (string, error) {
	if c.Flame != nil {
		return c.flame(id)
	}
	d, err := c.drawable()
	if err != nil {
		return "", fmt.Errorf("chart: draw %q: %w", c.Title, err)
	}
	cv := newCanvas(Width, Height)
	d.on(draw.New(cv))
	cv.flush()
	var b strings.Builder
	c.open(&b, id, fmt.Sprintf(`viewBox="0 0 %g %g"`, Width, Height))
	b.Write(cv.out)
	b.WriteString("</svg>")
	return b.String(), nil
}

// on draws a drawable chart.
func (c *Chart) on(all draw.Canvas) {
	area := draw.Crop(all, 4, -10, 4, -4)
	c.draw(draw.Crop(area, 0, 0, 0, -c.legend(area)))
}

// open begins the element of a chart of some size.
func (c *Chart) open(b *strings.Builder, id, size string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" %s role="img" `, size)
	fmt.Fprintf(b, `aria-labelledby="%s-title %s-desc" font-family="%s">`+"\n", id, id, fontFamily)
	fmt.Fprintf(b, "<title id=\"%s-title\">%s</title>\n", id, html.EscapeString(c.Title))
	fmt.Fprintf(b, "<desc id=\"%s-desc\">%s</desc>\n", id, html.EscapeString(c.Desc))
}

// drawable returns a copy with resolved axes and only the points that the
// scales can show.
func (c *Chart) drawable() (*Chart, error) {
	d := *c
	d.Series = nil
	x, y := newExtent(), newExtent()
	for _, s := range c.Series {
		kept := s
		kept.Points = nil
		for i, p := range s.Points {
			if !finite(p.X) || !finite(p.Y) || !finite(p.Err) {
				return nil, fmt.Errorf("series %q, point %d is (%v, %v ± %v), expected finite numbers",
					s.Name, i, p.X, p.Y, p.Err)
			}
			if c.X.Scale.shows(p.X) && c.Y.Scale.shows(p.Y) {
				kept.Points = append(kept.Points, p)
				x.add(p.X)
				y.addBar(p, c.Y.Scale)
			}
		}
		if len(kept.Points) > 0 {
			d.Series = append(d.Series, kept)
		}
	}
	for _, m := range c.Marks {
		if (!m.Horizontal && !c.X.Scale.shows(m.X)) || (!m.Vertical && !c.Y.Scale.shows(m.Y)) {
			return nil, fmt.Errorf("mark %q is (%v, %v), which its scale cannot show", m.Name, m.X, m.Y)
		}
		if !m.Horizontal {
			x.add(m.X)
		}
		if !m.Vertical {
			y.add(m.Y)
		}
	}
	if len(d.Series) == 0 {
		return nil, fmt.Errorf("no points, expected at least one that the scales can show")
	}
	d.X, d.Y = d.X.resolve(x), d.Y.resolve(y)
	for _, a := range []Axis{d.X, d.Y} {
		if !a.valid() {
			return nil, fmt.Errorf("axis %q from %v to %v, expected a range that its scale can show", a.Label, a.Min, a.Max)
		}
	}
	return &d, nil
}

// draw draws the plot and its axis labels. The labels are not gonum's, which
// misplaces the room for them on a scale that is not linear.
func (c *Chart) draw(area draw.Canvas) {
	const room = 19
	inner := area
	if c.X.Label != "" {
		inner = draw.Crop(inner, 0, 0, room, 0)
	}
	if c.Y.Label != "" {
		inner = draw.Crop(inner, room, 0, 0, 0)
	}
	p := c.plot()
	p.Draw(inner)
	data := p.DataCanvas(inner)
	sty := textStyle(12, Text)
	sty.XAlign, sty.YAlign = draw.XCenter, draw.YBottom
	area.FillText(sty, vg.Point{X: data.Center().X, Y: area.Min.Y + 3}, c.X.Label)
	sty.YAlign, sty.Rotation = draw.YTop, math.Pi/2
	area.FillText(sty, vg.Point{X: area.Min.X, Y: data.Center().Y}, c.Y.Label)
}

// plot lays the chart out with gonum.
func (c *Chart) plot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	style(&p.X, c.X)
	style(&p.Y, c.Y)
	p.Add(gridlines{c.X.ticks(), c.Y.ticks()})
	for _, s := range c.Series {
		p.Add(seriesPlotter{s})
	}
	for _, m := range c.Marks {
		p.Add(markPlotter{m})
	}
	// Adding data may widen a range; the resolved one counts.
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = c.X.Min, c.X.Max, c.Y.Min, c.Y.Max
	return p
}

// legend draws the names of series and marks above the plot, wrapped to its
// width, and returns the height it took.
func (c *Chart) legend(area draw.Canvas) vg.Length {
	type entry struct {
		name  string
		thumb func(*draw.Canvas, vg.Point)
	}
	var entries []entry
	for _, s := range c.Series {
		entries = append(entries, entry{s.Name, seriesPlotter{s}.thumbnail})
	}
	for _, m := range c.Marks {
		entries = append(entries, entry{m.Name, markPlotter{m}.thumbnail})
	}
	const row, thumb, gap = 17, 24, 16
	text := textStyle(12, Text)
	x, y := area.Min.X, area.Max.Y-row/2
	for _, e := range entries {
		width := thumb + text.Width(e.name)
		if x > area.Min.X && x+width > area.Max.X {
			x, y = area.Min.X, y-row
		}
		e.thumb(&area, vg.Point{X: x, Y: y})
		text.YAlign = draw.YCenter
		area.FillText(text, vg.Point{X: x + thumb, Y: y}, e.name)
		x += width + gap
	}
	return area.Max.Y - y + row/2 + 6
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
