package chart

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
)

// A Flame is a flame graph: boxes as wide as what they stand for costs, each below the one that it is a part of. It is
// as wide as the page lets it be, and its text does not shrink with it.
type Flame struct {
	Root Frame
	Keys []Key // what the inks mean
}

// A Frame is a box of a flame graph.
type Frame struct {
	Name     string
	Short    string  // what is drawn where the name has no room; empty: as much of the name as there is room for
	Note     string  // what is said beside the name when somebody points at the box
	Value    float64 // what its width stands for: no less than that of its children together
	Ink      Ink
	Children []Frame // from left to right
}

// A Key is an entry of the legend.
type Key struct {
	Ink  Ink
	Name string
}

// FlameWidth is the width in pixels for which a flame graph is laid out: what is narrower than a pixel there becomes
// one box with others, and names are cut to what fits. A narrower page cuts them further.
const FlameWidth = 1080

// Sizes of a flame graph, in pixels.
const (
	flameRow    = 18 // with a line's width to the next
	flameText   = 11
	flameKeys   = 4  // of the legend in a row
	flameLegend = 17 // height of such a row
	flameLeast  = 22 // width of a box that has room for text
)

// flame draws the flame graph.
func (c *Chart) flame(id string) (string, error) {
	f := c.Flame
	if err := f.Root.check(0); err != nil {
		return "", fmt.Errorf("chart: draw %q: %w", c.Title, err)
	}
	top := (len(f.Keys) + flameKeys - 1) / flameKeys * flameLegend
	if top > 0 {
		top += 6
	}
	var boxes strings.Builder
	d := flameDrawing{out: &boxes, top: top, scale: 100 / f.Root.Value}
	d.frame(&f.Root, 0, 0)
	var b strings.Builder
	c.open(&b, id, fmt.Sprintf(`class="flame" width="100%%" height="%d" font-size="%d" fill="%s"`,
		top+d.rows*flameRow, flameText, Text.css()))
	f.legend(&b)
	b.WriteString(boxes.String())
	b.WriteString("</svg>")
	return b.String(), nil
}

// maxFlame bounds the rows of a flame graph.
const maxFlame = 256

// check returns what cannot be drawn, or nil.
func (f *Frame) check(depth int) error {
	sum := 0.0
	for i := range f.Children {
		sum += f.Children[i].Value
	}
	switch {
	case !finite(f.Value) || f.Value < 0 || depth == 0 && f.Value == 0:
		return fmt.Errorf("frame %.60q has a width of %v, expected a finite number above zero", f.Name, f.Value)
	case sum > f.Value*(1+1e-9):
		return fmt.Errorf("frame %.60q is %v wide and its parts %v, expected no more", f.Name, f.Value, sum)
	case depth == maxFlame:
		return fmt.Errorf("more than %d frames below each other", maxFlame)
	}
	for i := range f.Children {
		if err := f.Children[i].check(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// legend draws the keys in columns.
func (f *Flame) legend(b *strings.Builder) {
	for i, k := range f.Keys {
		x, y := percent(float64(i%flameKeys)*100/flameKeys), i/flameKeys*flameLegend
		fmt.Fprintf(b, `<svg x="%s" y="%d" width="%s" height="%d"><rect y="2" width="11" height="11" fill="%s"/>`+
			`<text x="15" y="11.5">%s</text></svg>`+"\n",
			x, y, percent(100.0/flameKeys), flameLegend, k.Ink.css(), html.EscapeString(k.Name))
	}
}

// A flameDrawing is a flame graph under way.
type flameDrawing struct {
	out   *strings.Builder
	top   int     // where the first row begins
	scale float64 // percent of the width for a unit of value
	rows  int     // so far
}

// frame draws a box and what is below it, at a place in percent of the width.
func (d *flameDrawing) frame(f *Frame, at float64, row int) {
	d.box(f, at, row)
	var few Frame // those too narrow to be seen
	count := 0
	for i := range f.Children {
		c := &f.Children[i]
		width := c.Value * d.scale
		if width < 100.0/FlameWidth {
			few.Value += c.Value
			count++
			continue
		}
		d.frame(c, at, row+1)
		at += width
	}
	if few.Value*d.scale >= 100.0/FlameWidth {
		few.Name, few.Note, few.Ink = "…", fmt.Sprintf("%d too narrow to be drawn", count), Grid
		d.box(&few, at, row+1)
	}
}

// box draws one box.
func (d *flameDrawing) box(f *Frame, at float64, row int) {
	d.rows = max(d.rows, row+1)
	width := f.Value * d.scale
	fmt.Fprintf(d.out, `<svg x="%s" y="%d" width="%s" height="%d"><title>%s</title>`+
		`<rect x=".5" width="100%%" height="%d" fill="%s"/>`,
		percent(at), d.top+row*flameRow, percent(width), flameRow, html.EscapeString(f.title()), flameRow-1, f.Ink.css())
	if text := f.label(width / 100 * FlameWidth); text != "" {
		fmt.Fprintf(d.out, `<text x="3" y="12.5" textLength="%s" lengthAdjust="spacingAndGlyphs">%s</text>`,
			short(textStyle(flameText, Text).Width(text).Points()), html.EscapeString(text))
	}
	d.out.WriteString("</svg>\n")
}

// title is what is said of a box.
func (f *Frame) title() string {
	if f.Note == "" {
		return f.Name
	}
	return f.Name + "\n" + f.Note
}

// label returns what is drawn into a box of some width.
func (f *Frame) label(width float64) string {
	style, room := textStyle(flameText, Text), vg.Length(width-6)
	switch {
	case width < flameLeast:
		return ""
	case style.Width(f.Name) <= room:
		return f.Name
	case f.Short == "":
		return fit(f.Name, room)
	}
	return fit(f.Short, room)
}

// fit returns as much of a text as there is room for.
func fit(text string, room vg.Length) string {
	style := textStyle(flameText, Text)
	if style.Width(text) <= room {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes) // the largest number of runes that fits
	for low < high {
		middle := (low + high + 1) / 2
		if style.Width(string(runes[:middle])+"…") <= room {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if low < 2 {
		return ""
	}
	return string(runes[:low]) + "…"
}

// percent writes a part of the width, to a hundredth of a pixel.
func percent(v float64) string {
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64) + "%"
}
