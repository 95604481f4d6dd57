package chart

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	dashes = []vg.Length{5, 3}
	dots   = []vg.Length{2, 3}
)

// ring is a circle with a line thick enough to be seen on a phone.
type ring struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (ring) DrawGlyph(c *draw.Canvas, g draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: g.Color, Width: 1.8})
	var p vg.Path
	p.Move(vg.Point{X: at.X + g.Radius, Y: at.Y})
	p.Arc(at, g.Radius, 0, 2*math.Pi)
	p.Close()
	c.Stroke(p)
}

// gridlines draws a faint line at every labelled tick.
type gridlines struct{ x, y []plot.Tick }

// Plot implements plot.Plotter.
func (g gridlines) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	line := draw.LineStyle{Color: Grid, Width: 0.8}
	for _, t := range g.x {
		c.StrokeLine2(line, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
	}
	for _, t := range g.y {
		c.StrokeLine2(line, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
	}
}

// seriesPlotter draws one series.
type seriesPlotter struct{ Series }

func (s seriesPlotter) line() draw.LineStyle {
	l := draw.LineStyle{Color: s.Ink, Width: 1.8}
	if s.Dashed {
		l.Dashes = dashes
	}
	return l
}

func (s seriesPlotter) glyph() draw.GlyphStyle {
	g := draw.GlyphStyle{Color: s.Ink, Radius: 3.2, Shape: draw.CircleGlyph{}}
	switch s.Glyph {
	case Square:
		g.Shape = draw.BoxGlyph{}
	case Triangle:
		g.Shape, g.Radius = draw.PyramidGlyph{}, 4
	}
	if s.Shape == Marks && len(s.Points) > 100 {
		g.Radius = 1.6 // a cloud, not a list
	}
	if s.Hollow {
		g.Shape, g.Radius = ring{}, 4
	}
	return g
}

// Plot implements plot.Plotter.
func (s seriesPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	xys := make(plotter.XYs, len(s.Points))
	bar := draw.LineStyle{Color: s.Ink, Width: 1.2}
	for i, q := range s.Points {
		xys[i] = plotter.XY{X: q.X, Y: q.Y}
		if q.Err > 0 {
			lo := q.Y - q.Err
			if !p.Y.Scale.(Scale).shows(lo) {
				lo = p.Y.Min
			}
			ends := c.ClipLinesXY([]vg.Point{{X: x(q.X), Y: y(lo)}, {X: x(q.X), Y: y(q.Y + q.Err)}})
			c.StrokeLines(bar, ends...)
		}
	}
	if s.Shape != Marks {
		l := plotter.Line{XYs: xys, LineStyle: s.line()}
		if s.Shape == Steps {
			l.StepStyle = plotter.PostStep
		}
		l.Plot(c, p)
	}
	if s.Shape == Marks || s.Shape == Both {
		g := s.glyph()
		for _, q := range xys {
			if at := (vg.Point{X: x(q.X), Y: y(q.Y)}); c.Contains(at) {
				c.DrawGlyph(g, at)
			}
		}
	}
}

// thumbnail draws the sample of the legend, its left end at the point.
func (s seriesPlotter) thumbnail(c *draw.Canvas, at vg.Point) {
	if s.Shape != Marks {
		c.StrokeLine2(s.line(), at.X, at.Y, at.X+19, at.Y)
	}
	if s.Shape == Marks || s.Shape == Both {
		g := s.glyph()
		g.Radius = max(g.Radius, 3)
		c.DrawGlyph(g, vg.Point{X: at.X + 10, Y: at.Y})
	}
}

// markPlotter draws a reference point.
type markPlotter struct{ Mark }

var markGlyph = draw.GlyphStyle{Color: Text, Radius: 4.5, Shape: ring{}}

// Plot implements plot.Plotter.
func (m markPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	line := draw.LineStyle{Color: Text, Width: 0.9, Dashes: dots}
	if m.Vertical {
		c.StrokeLine2(line, x(m.X), c.Min.Y, x(m.X), c.Max.Y)
		return
	}
	if m.Horizontal {
		c.StrokeLine2(line, c.Min.X, y(m.Y), c.Max.X, y(m.Y))
		return
	}
	at := vg.Point{X: x(m.X), Y: y(m.Y)}
	c.StrokeLine2(line, c.Min.X, at.Y, at.X, at.Y)
	c.StrokeLine2(line, at.X, c.Min.Y, at.X, at.Y)
	c.DrawGlyph(markGlyph, at)
}

func (m markPlotter) thumbnail(c *draw.Canvas, at vg.Point) {
	line := draw.LineStyle{Color: Text, Width: 0.9, Dashes: dots}
	c.StrokeLine2(line, at.X, at.Y, at.X+19, at.Y)
	if m.Vertical || m.Horizontal {
		return
	}
	c.DrawGlyph(markGlyph, vg.Point{X: at.X + 10, Y: at.Y})
}
