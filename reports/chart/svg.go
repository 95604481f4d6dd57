package chart

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// An Ink is a colour that the page may redefine: the CSS variable Name, or
// Fallback where the page defines none. It is a [color.Color], so that gonum
// carries it unchanged to the canvas of this package.
type Ink struct {
	Name     string     // CSS variable, without the leading dashes
	Fallback color.RGBA // opaque
}

// RGBA returns the fallback colour, for canvases that know no CSS.
func (k Ink) RGBA() (r, g, b, a uint32) { return k.Fallback.RGBA() }

// css returns the colour as a value of a presentation attribute.
func (k Ink) css() string {
	f := k.Fallback
	return fmt.Sprintf("var(--%s,#%02x%02x%02x)", k.Name, f.R, f.G, f.B)
}

// The inks of a report. Series are also told apart by dash and glyph, never by
// colour alone.
var (
	Text  = Ink{"ink", color.RGBA{0x1c, 0x21, 0x28, 0xff}}
	Muted = Ink{"muted", color.RGBA{0x5b, 0x64, 0x70, 0xff}}
	Grid  = Ink{"grid", color.RGBA{0xe3, 0xe7, 0xec, 0xff}}
	Blue  = Ink{"c1", color.RGBA{0x1d, 0x5f, 0xd6, 0xff}}
	Rust  = Ink{"c2", color.RGBA{0xb4, 0x4a, 0x09, 0xff}}
	Green = Ink{"c3", color.RGBA{0x0f, 0x76, 0x4f, 0xff}}
	Plum  = Ink{"c4", color.RGBA{0x8b, 0x2f, 0x97, 0xff}}
)

// Inks are the colours of ordinary series, in order of use.
var Inks = []Ink{Blue, Rust, Green, Plum}

// matrix is an affine map (x, y) -> (a x + c y + e, b x + d y + f), y upward.
type matrix struct{ a, b, c, d, e, f float64 }

func (m matrix) mul(n matrix) matrix {
	return matrix{
		m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b,
		m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d,
		m.a*n.e + m.c*n.f + m.e, m.b*n.e + m.d*n.f + m.f,
	}
}

func (m matrix) scale() float64 { return math.Sqrt(math.Abs(m.a*m.d - m.b*m.c)) }

// state is what Push saves and Pop restores.
type state struct {
	m     matrix
	width float64
	dash  []vg.Length
	color color.Color
}

// canvas implements vg.Canvas by writing SVG. One unit is one point.
type canvas struct {
	w, h  float64
	st    state
	stack []state
	out   []byte
	// attrs and path hold the shapes not yet written: neighbours of one style
	// share an element.
	attrs string
	path  []byte
}

func newCanvas(w, h float64) *canvas {
	return &canvas{w: w, h: h, st: state{m: matrix{a: 1, d: 1}, width: 1, color: color.Black}}
}

// Size returns the size that the canvas was made with.
func (c *canvas) Size() (vg.Length, vg.Length) { return vg.Length(c.w), vg.Length(c.h) }

func (c *canvas) SetLineWidth(w vg.Length)               { c.st.width = w.Points() }
func (c *canvas) SetLineDash(d []vg.Length, _ vg.Length) { c.st.dash = d }
func (c *canvas) Push()                                  { c.stack = append(c.stack, c.st) }

func (c *canvas) SetColor(k color.Color) {
	if k == nil {
		k = color.Black
	}
	c.st.color = k
}

func (c *canvas) Pop() {
	if n := len(c.stack) - 1; n >= 0 {
		c.st, c.stack = c.stack[n], c.stack[:n]
	}
}

func (c *canvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.st.m = c.st.m.mul(matrix{a: cos, b: sin, c: -sin, d: cos})
}

func (c *canvas) Translate(p vg.Point) {
	c.st.m = c.st.m.mul(matrix{a: 1, d: 1, e: p.X.Points(), f: p.Y.Points()})
}

func (c *canvas) Scale(x, y float64) { c.st.m = c.st.m.mul(matrix{a: x, d: y}) }

// at maps a point of the drawing to SVG, whose y grows downward.
func (c *canvas) at(x, y float64) (float64, float64) {
	m := c.st.m
	return m.a*x + m.c*y + m.e, c.h - (m.b*x + m.d*y + m.f)
}

func (c *canvas) Stroke(p vg.Path) {
	if c.st.width <= 0 {
		return
	}
	a := `fill="none" stroke="` + css(c.st.color) + `" stroke-width="` + short(c.st.width*c.st.m.scale()) + `"`
	if len(c.st.dash) > 0 {
		a += ` stroke-dasharray="`
		for i, d := range c.st.dash {
			if i > 0 {
				a += " "
			}
			a += short(d.Points())
		}
		a += `"`
	}
	c.add(a, p)
}

func (c *canvas) Fill(p vg.Path) { c.add(`fill="`+css(c.st.color)+`"`, p) }

// add appends a path to the pending element, or starts a new one.
func (c *canvas) add(attrs string, p vg.Path) {
	if attrs != c.attrs {
		c.flush()
		c.attrs = attrs
	}
	for _, pc := range p {
		c.component(pc)
	}
}

func (c *canvas) component(pc vg.PathComp) {
	switch pc.Type {
	case vg.MoveComp:
		c.point('M', pc.Pos)
	case vg.LineComp:
		c.point('L', pc.Pos)
	case vg.CurveComp:
		letter := byte('Q')
		if len(pc.Control) == 2 {
			letter = 'C'
		}
		for _, q := range pc.Control {
			c.point(letter, q)
			letter = ' '
		}
		c.point(letter, pc.Pos)
	case vg.ArcComp:
		c.arc(pc)
	case vg.CloseComp:
		c.path = append(c.path, 'Z')
	}
}

// arc writes a circular arc in one or two pieces: an SVG arc cannot end where
// it begins.
func (c *canvas) arc(pc vg.PathComp) {
	r := pc.Radius.Points()
	on := func(angle float64) vg.Point {
		sin, cos := math.Sincos(angle)
		return vg.Point{X: pc.Pos.X + vg.Length(r*cos), Y: pc.Pos.Y + vg.Length(r*sin)}
	}
	first := byte('L')
	if n := len(c.path); n == 0 || c.path[n-1] == 'Z' {
		first = 'M'
	}
	c.point(first, on(pc.Start))
	sweep := "1" // a turn to the left, with y upward, is a turn to the right in SVG
	if pc.Angle > 0 {
		sweep = "0"
	}
	radius := short(r * c.st.m.scale())
	for i := 1.0; i <= 2; i++ {
		c.path = append(c.path, 'A')
		c.path = append(c.path, radius+" "+radius+" 0 0 "+sweep...)
		c.point(' ', on(pc.Start+pc.Angle*i/2))
	}
}

func (c *canvas) point(letter byte, p vg.Point) {
	x, y := c.at(p.X.Points(), p.Y.Points())
	c.path = append(c.path, letter)
	c.path = append(c.path, short(x)...)
	c.path = append(c.path, ' ')
	c.path = append(c.path, short(y)...)
}

// flush writes the pending path.
func (c *canvas) flush() {
	if len(c.path) > 0 {
		c.out = append(c.out, "<path "...)
		c.out = append(c.out, c.attrs...)
		c.out = append(c.out, ` d="`...)
		c.out = append(c.out, c.path...)
		c.out = append(c.out, "\"/>\n"...)
	}
	c.path, c.attrs = c.path[:0], ""
}

func (c *canvas) FillString(f font.Face, p vg.Point, text string) {
	size := f.Font.Size.Points()
	if size <= 0 || text == "" {
		return
	}
	c.flush()
	x, y := c.at(p.X.Points(), p.Y.Points())
	scale := c.st.m.scale()
	turn := ""
	if deg := -math.Atan2(c.st.m.b, c.st.m.a) * 180 / math.Pi; math.Abs(deg) > 1e-9 {
		turn = ` transform="rotate(` + short(deg) + " " + short(x) + " " + short(y) + `)"`
	}
	c.out = fmt.Appendf(c.out,
		`<text x="%s" y="%s"%s font-size="%s" fill="%s" textLength="%s" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
		short(x), short(y), turn, short(size*scale), css(c.st.color), short(f.Width(text).Points()*scale),
		html.EscapeString(text))
}

// DrawImage does nothing: a report holds no raster images.
func (c *canvas) DrawImage(vg.Rectangle, image.Image) {}

// css returns the SVG value of a colour.
func css(k color.Color) string {
	if i, ok := k.(Ink); ok {
		return i.css()
	}
	r, g, b, _ := k.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// short writes a coordinate with a tenth of a point: finer than any screen.
func short(v float64) string {
	v = math.Round(v*10) / 10
	if v == 0 {
		v = 0 // no "-0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
