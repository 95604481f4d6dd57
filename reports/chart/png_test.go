package chart

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// A picture has the size that was asked for, and the colours of what the chart
// shows on white.
func TestPNG(t *testing.T) {
	var b bytes.Buffer
	if err := sample().PNG(&b, 2); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.ArtifactDir(), "chart.png")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Error(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 2*Width || size.Y != 2*Height {
		t.Errorf("%v, expected %g by %g", size, 2*Width, 2*Height)
	}
	seen := make(map[[3]uint32]int)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	if white := seen[[3]uint32{255, 255, 255}]; white < 2*Width*Height {
		t.Errorf("%d white pixels, expected most of them", white)
	}
	for _, ink := range []Ink{Blue, Rust, Green, Plum, Text, Muted, Grid} {
		k := [3]uint32{uint32(ink.Fallback.R), uint32(ink.Fallback.G), uint32(ink.Fallback.B)}
		if seen[k] < 10 {
			t.Errorf("%d pixels of %s, expected some", seen[k], ink.Name)
		}
	}
}

func TestPNGRefuses(t *testing.T) {
	for _, scale := range []float64{0, -1, MaxScale + 1, math.NaN(), math.Inf(1)} {
		if err := sample().PNG(new(bytes.Buffer), scale); err == nil {
			t.Errorf("scale %v gave no error", scale)
		}
	}
	if err := (&Chart{Title: "none"}).PNG(new(bytes.Buffer), 1); err == nil {
		t.Error("a chart without points gave no error")
	}
	if err := sample().PNG(failing{}, 1); err == nil {
		t.Error("a writer that fails gave no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }
