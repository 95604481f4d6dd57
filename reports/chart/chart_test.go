package chart

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is a chart that uses every shape, both special scales apart.
func sample() *Chart {
	return &Chart{
		Title: "Depth <of> the tree", Desc: "Two series & one mark.",
		X: Axis{Label: "receivers", Ticks: []float64{8, 16, 32, 48, 64}},
		Y: Axis{Label: "depth"},
		Series: []Series{
			{Name: "measured", Ink: Blue, Shape: Both, Points: []Point{{8, 2, 0}, {32, 3.3, 0.4}, {64, 4.4, 0.3}}},
			{Name: "paper", Ink: Text, Shape: Marks, Hollow: true, Points: []Point{{8, 2, 0}, {64, 4.5, 0}}},
			{Name: "steps", Ink: Rust, Shape: Steps, Dashed: true, Points: []Point{{8, 1, 0}, {64, 2, 0}}},
			{Name: "boxes", Ink: Green, Shape: Both, Glyph: Square, Points: []Point{{8, 0.5, 0}, {64, 0.7, 0}}},
			{Name: "triangles", Ink: Plum, Shape: Marks, Glyph: Triangle, Points: []Point{{8, 0.2, 0}, {64, 0.3, 0}}},
		},
		Marks: []Mark{
			{X: 32, Y: 3.4, Name: "a mark"},
			{X: 20, Name: "a line", Vertical: true},
			{Y: 4, Name: "a limit", Horizontal: true},
		},
	}
}

func TestChartIsWellFormedAndNamed(t *testing.T) {
	svg, err := sample().SVG("depth")
	if err != nil {
		t.Fatal(err)
	}
	checkXML(t, svg)
	for _, want := range []string{
		`aria-labelledby="depth-title depth-desc"`, `<title id="depth-title">Depth &lt;of&gt; the tree</title>`,
		`<desc id="depth-desc">Two series &amp; one mark.</desc>`, ">receivers</text>", ">measured</text>",
		"var(--c1,#1d5fd6)", `viewBox="0 0 460 310"`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the chart has no %q", want)
		}
	}
	if strings.Contains(svg, "style=") {
		t.Error("the chart has an inline style, which the page's content policy forbids")
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("the chart has a coordinate that is not a number")
	}
}

func checkXML(t testing.TB, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
}

func TestGoldenChart(t *testing.T) {
	const golden = "testdata/sample.svg"
	svg, err := sample().SVG("sample")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(svg), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if svg != string(want) {
		t.Errorf("the chart changed; look at it and run with -update\n%s", svg)
	}
}

func TestBadChartsAreErrors(t *testing.T) {
	for name, edit := range map[string]func(*Chart){
		"no points":     func(c *Chart) { c.Series = nil },
		"finite":        func(c *Chart) { c.Series[0].Points[1].Y = math.NaN() },
		"finite number": func(c *Chart) { c.Series[0].Points[0].X = math.Inf(1) },
		"scale cannot":  func(c *Chart) { c.Y.Scale, c.Marks[2].Y = Log, -1 },
		"cannot show":   func(c *Chart) { c.Y.Scale, c.Marks[0].Y = Log, 0 },
		"a range":       func(c *Chart) { c.Y.Scale, c.Y.Min, c.Y.Max = Log, 0, 5 },
		"can show":      func(c *Chart) { c.X.Min, c.X.Max = 5, 5 },
	} {
		c := sample()
		edit(c)
		if _, err := c.SVG("x"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got error %v, expected one that says %q", err, name)
		}
	}
}

// A value that a scale cannot show is left out; the others stay.
func TestLogLeavesZeroOut(t *testing.T) {
	c := sample()
	c.Marks = nil
	c.Y.Scale = Log
	c.Series[0].Points[0].Y = 0
	d, err := c.drawable()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(d.Series[0].Points); got != 2 {
		t.Errorf("%d points left, expected 2 of 3", got)
	}
}

// A limit has no place on the horizontal axis and must not widen it.
func TestLimitIsAcross(t *testing.T) {
	c := sample()
	c.X.Scale = Log
	c.Marks = []Mark{{Y: 20, Name: "a limit", Horizontal: true}}
	d, err := c.drawable()
	if err != nil {
		t.Fatal(err)
	}
	if d.X.Min != 5 || d.X.Max != 100 || d.Y.Max != 21 {
		t.Errorf("axes from %v to %v and up to %v, expected 5 to 100 and 21", d.X.Min, d.X.Max, d.Y.Max)
	}
}

func TestNinesLeavesTheMaximumOut(t *testing.T) {
	c := &Chart{X: Axis{Scale: Nines}, Series: []Series{{Points: []Point{{0, 1, 0}, {0.99, 2, 0}, {1, 3, 0}, {-1, 4, 0}}}}}
	d, err := c.drawable()
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Series[0].Points; len(got) != 2 || d.X.Min != 0 || d.X.Max != 0.99 {
		t.Errorf("points %v on an axis up to %v, expected those at 0 and 0.99", got, d.X.Max)
	}
}

func TestTicks(t *testing.T) {
	for _, row := range []struct {
		axis Axis
		want string
	}{
		{Axis{Min: 0, Max: 4.7}, "0 1 2 3 4"},
		{Axis{Min: 0, Max: 100}, "0 20 40 60 80 100"},
		{Axis{Min: -1, Max: 1}, "-1 -0.5 0 0.5 1"},
		{Axis{Min: 1, Max: 1000, Scale: Log}, "1 10 100 1000"},
		{Axis{Min: 0.05, Max: 50, Scale: Log}, "0.1 1 10"},
		{Axis{Min: 1, Max: 20, Scale: Log}, "1 2 5 10 20"},
		{Axis{Min: 0, Max: 0.9995, Scale: Nines}, "0 0.5 0.9 0.99 0.999"},
		{Axis{Min: 1e16, Max: 1e16 + 8, Format: func(v float64) string { return strconv.Itoa(int(v - 1e16)) }}, "0 2 4 6 8"},
		{Axis{Min: 0, Max: 10, Ticks: []float64{5, 11}}, "5"},
	} {
		var got []string
		for _, k := range row.axis.ticks() {
			got = append(got, k.Label)
		}
		if s := strings.Join(got, " "); s != row.want {
			t.Errorf("%+v: ticks %s, expected %s", row.axis, s, row.want)
		}
	}
}

func TestNinesSpacing(t *testing.T) {
	at := func(p float64) float64 { return Nines.Normalize(0, 0.9999, p) }
	for p, want := range map[float64]float64{0: 0, 0.9: 0.25, 0.99: 0.5, 0.999: 0.75, 0.9999: 1} {
		if got := at(p); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v stands at %v, expected %v", p, got, want)
		}
	}
}

func TestLogBounds(t *testing.T) {
	for _, row := range [][3]float64{{0.066, 0.05, 0.1}, {55.9, 50, 100}, {10, 10, 10}, {2.36, 2, 5}} {
		if lo, hi := logFloor(row[0]), logCeil(row[0]); math.Abs(lo/row[1]-1) > 1e-9 || math.Abs(hi/row[2]-1) > 1e-9 {
			t.Errorf("%v: between %v and %v, expected %v and %v", row[0], lo, hi, row[1], row[2])
		}
	}
}

// A half circle above the baseline, drawn from right to left, must bulge
// upward on the screen, whose y grows downward.
func TestCanvasGeometry(t *testing.T) {
	c := newCanvas(100, 100)
	c.Push()
	c.Translate(vg.Point{X: 10, Y: 20})
	c.Rotate(math.Pi / 2)
	c.Scale(2, 2)
	var p vg.Path
	p.Move(vg.Point{X: 0, Y: 0})
	p.Line(vg.Point{X: 5, Y: 0})
	p.CubeTo(vg.Point{X: 1}, vg.Point{X: 2}, vg.Point{X: 3})
	c.Stroke(p)
	c.Pop()
	c.flush()
	// (5,0) doubled is (10,0), turned to the left (0,10), moved (10,30), flipped (10,70).
	if s := string(c.out); !strings.Contains(s, "M10 80L10 70C10 78 10 76 10 74") {
		t.Errorf("got %s", s)
	}
	c = newCanvas(100, 100)
	p = nil
	p.Move(vg.Point{X: 60, Y: 50})
	p.Arc(vg.Point{X: 50, Y: 50}, 10, 0, math.Pi)
	c.Fill(p)
	c.flush()
	if s := string(c.out); !strings.Contains(s, "A10 10 0 0 0 50 40A10 10 0 0 0 40 50") {
		t.Errorf("got %s", s)
	}
}

// Neighbours of one style share an element; a change of style starts another.
func TestCanvasMergesNeighbours(t *testing.T) {
	c := newCanvas(10, 10)
	var p vg.Path
	p.Move(vg.Point{})
	p.Line(vg.Point{X: 1})
	c.Stroke(p)
	c.Stroke(p)
	c.SetColor(Blue)
	c.Stroke(p)
	c.SetLineDash([]vg.Length{2, 1}, 0)
	c.Stroke(p)
	c.flush()
	if n := strings.Count(string(c.out), "<path"); n != 3 {
		t.Errorf("%d elements, expected 3:\n%s", n, c.out)
	}
}

// Any finite data gives a well-formed drawing inside the view box.
func TestAnyDataDraws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Chart{
			Title: rapid.String().Filter(isXML).Draw(t, "title"),
			X:     Axis{Scale: Scale(rapid.IntRange(0, 2).Draw(t, "x"))},
			Y:     Axis{Scale: Scale(rapid.IntRange(0, 1).Draw(t, "y")), Label: "y"},
		}
		value := rapid.OneOf(rapid.Float64Range(-1e12, 1e12), rapid.Float64Range(0, 1),
			rapid.SampledFrom([]float64{0, 1e-300, 5e-324, 1e300, -1e300, 1 - 1e-16}))
		points := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Point {
			return Point{value.Draw(t, "x"), value.Draw(t, "y"), max(0, value.Draw(t, "e"))}
		}), 1, 20).Draw(t, "points")
		points = append(points, Point{X: 0.5, Y: 1})
		c.Series = []Series{{Name: "s", Shape: Shape(rapid.IntRange(0, 3).Draw(t, "shape")), Points: points}}
		svg, err := c.SVG("x")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Fatalf("a coordinate is not a number: %s", svg)
		}
	})
}

func isXML(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' }) < 0
}
