package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sampleFlame has a name to escape, one too long for its box, and boxes too narrow to be drawn.
func sampleFlame() *Chart {
	few := make([]Frame, 40)
	for i := range few {
		few[i] = Frame{Name: fmt.Sprintf("tiny%d", i), Value: 0.04, Ink: Fills[1]}
	}
	return &Chart{
		Title: "Where <it> went", Desc: "Two boxes & some.",
		Flame: &Flame{
			Root: Frame{Name: "all", Note: "100 %", Value: 100, Ink: Plain, Children: []Frame{
				{Name: "main.(*T[…]).run", Value: 65, Ink: Fills[0], Children: []Frame{
					{Name: "a<b>", Note: "a \"note\"", Value: 20, Ink: Fills[3]},
					{Name: "more", Value: 1.8, Ink: Fills[4], Children: few},
				}},
				{Name: "a name that is too long for a box as narrow as this one", Value: 12, Ink: More[2]},
				{Name: "last", Value: 5, Ink: Less[0]},
				{Name: "a package.and a function", Short: "function", Value: 8, Ink: Less[1]},
				{Name: "a package.and a long function", Short: "a long function", Value: 4, Ink: Less[2]},
			}},
			Keys: []Key{{Fills[0], "receive"}, {Fills[3], "send"}, {Fills[4], "join"}, {Less[0], "less"}, {Plain, "mixed"}},
		},
	}
}

func TestGoldenFlame(t *testing.T) {
	const golden = "testdata/flame.svg"
	svg, err := sampleFlame().SVG("flame")
	if err != nil {
		t.Fatal(err)
	}
	checkXML(t, svg)
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
		t.Errorf("the flame graph is not that of %s; go test ./reports/chart -update rewrites it:\n%s", golden, svg)
	}
}

func TestFlameIsNamed(t *testing.T) {
	svg, err := sampleFlame().SVG("f")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<title id="f-title">Where &lt;it&gt; went</title>`, `<desc id="f-desc">Two boxes &amp; some.</desc>`,
		"<title>a&lt;b&gt;\na &#34;note&#34;</title>", "<title>…\n40 too narrow to be drawn</title>",
		`>a name that is too long…</text>`,
		">function</text>", ">a lon…</text>", `width="100%"`, "var(--f4,#f7bd84)", ">receive</text>",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the flame graph has no %q", want)
		}
	}
	for _, bad := range []string{"style=", "tiny", "NaN", "<script"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the flame graph has %q", bad)
		}
	}
}

func TestFlameErrors(t *testing.T) {
	deep := Frame{Value: 1}
	for range maxFlame + 1 {
		deep = Frame{Value: 1, Children: []Frame{deep}}
	}
	for name, c := range map[string]struct {
		root Frame
		says string
	}{
		"nothing":          {Frame{Name: "all"}, `"all" has a width of 0`},
		"not finite":       {Frame{Value: math.Inf(1)}, "width of +Inf"},
		"not a number":     {Frame{Value: 1, Children: []Frame{{Name: "x", Value: math.NaN()}}}, `"x" has a width of NaN`},
		"negative":         {Frame{Value: 1, Children: []Frame{{Name: "x", Value: -1}}}, `"x" has a width of -1`},
		"wider than whole": {Frame{Value: 1, Children: []Frame{{Value: 0.6}, {Value: 0.6}}}, "its parts 1.2"},
		"too deep":         {deep, "more than 256 frames"},
	} {
		svg, err := (&Chart{Title: "T", Flame: &Flame{Root: c.root}}).SVG("f")
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), `"T"`) {
			t.Errorf("%s: %q, %v, expected an error with %q", name, svg, err, c.says)
		}
	}
}

// Of any tree every box lies within the one above it, none is narrower than a pixel but the ones in the legend, and
// boxes of a row do not overlap.
func TestFlameBoxesNest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := drawFrame(t, rapid.Float64Range(1e-3, 1e12).Draw(t, "all"), 0)
		svg, err := (&Chart{Title: "T", Flame: &Flame{Root: root}}).SVG("f")
		if err != nil {
			t.Fatal(err)
		}
		above := map[float64][][2]float64{-flameRow: {{0, 100}}} // boxes by row
		for _, b := range boxes(t, svg) {
			if b.width < 100.0/FlameWidth-1e-3 {
				t.Fatalf("box %+v is narrower than a pixel", b)
			}
			inside := false
			for _, a := range above[b.y-flameRow] {
				inside = inside || b.x >= a[0]-2e-3 && b.x+b.width <= a[1]+2e-3
			}
			for _, a := range above[b.y] {
				if b.x < a[1]-2e-3 && a[0] < b.x+b.width-2e-3 {
					t.Fatalf("box %+v overlaps %v", b, a)
				}
			}
			if !inside {
				t.Fatalf("box %+v lies in none of %v", b, above[b.y-flameRow])
			}
			above[b.y] = append(above[b.y], [2]float64{b.x, b.x + b.width})
		}
	})
}

func drawFrame(t *rapid.T, value float64, depth int) Frame {
	f := Frame{Name: rapid.StringMatching(`[ -~é…]{0,40}`).Draw(t, "name"), Value: value, Ink: Plain}
	for rest := value; depth < 4 && rapid.IntRange(0, 2).Draw(t, "more") > 0; {
		part := rest * rapid.Float64Range(0, 1).Draw(t, "part")
		f.Children = append(f.Children, drawFrame(t, part, depth+1))
		rest -= part
	}
	return f
}

type box struct{ x, y, width float64 }

// boxes returns the boxes of a flame graph without a legend.
func boxes(t *rapid.T, svg string) (all []box) {
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "svg" && len(e.Attr) == 4 {
			var v [3]float64
			for i, a := range e.Attr[:3] {
				if v[i], err = strconv.ParseFloat(strings.TrimSuffix(a.Value, "%"), 64); err != nil {
					t.Fatalf("%s=%q: %v", a.Name.Local, a.Value, err)
				}
			}
			all = append(all, box{v[0], v[1], v[2]})
		}
	}
}
