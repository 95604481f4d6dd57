package reports

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"i3bench/internal/browser"
)

// flameLayout is what the browser says of the boxes of flame graphs.
type flameLayout struct {
	Scroll   int64   // width of the page
	Boxes    int     // of all flame graphs
	Root     float64 // width of the first box of the first one
	Drawing  float64 // and of the drawing
	Outside  int     // boxes that reach beyond their drawing
	Text     float64 // height of a line of text in it, in pixels
	Contrast float64 // the least of text on its box
}

const measureFlame = `(() => {
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = s => {
    const [r, g, b] = s.match(/[\d.]+/g).slice(0, 3).map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const out = {Scroll: document.documentElement.scrollWidth, Boxes: 0, Root: 0, Drawing: 0, Outside: 0,
    Text: 99, Contrast: 99};
  for (const svg of document.querySelectorAll("svg.flame")) {
    const all = svg.getBoundingClientRect();
    for (const box of svg.querySelectorAll("svg")) {
      const rect = box.querySelector("rect"), r = box.getBoundingClientRect(), text = box.querySelector("text");
      if (!box.querySelector("title")) continue; // of the legend
      out.Boxes++;
      if (!out.Root) { out.Root = rect.getBoundingClientRect().width; out.Drawing = all.width; }
      if (r.left < all.left - 1 || rect.getBoundingClientRect().bottom > all.bottom + 1) out.Outside++;
      if (text) {
        out.Text = Math.min(out.Text, text.getBoundingClientRect().height);
        const a = light(getComputedStyle(text).fill), b = light(getComputedStyle(rect).fill);
        out.Contrast = Math.min(out.Contrast, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
      }
    }
  }
  return out;
})()`

// Flame graphs are as wide as the page, and their text is readable whatever that is, light and dark.
func TestFlameInBrowser(t *testing.T) {
	ctx, problems := offline(t)
	file := filepath.Join(t.TempDir(), "profile.html")
	if err := os.WriteFile(file, []byte(profilePage(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: file}).String()
	t.Logf("screenshots in %s", t.ArtifactDir())
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			name := fmt.Sprintf("%s-%d", theme, width)
			open(t, ctx, address, name, theme, width)
			l, err := chromedp.Run(ctx, chromedp.Evaluate[flameLayout](measureFlame))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if l.Scroll > width || l.Boxes < 20 || l.Root < 0.98*l.Drawing || l.Outside > 0 || l.Text < 11 ||
				l.Contrast < 4.5 {
				t.Errorf("%s: %+v, expected a page of %d, boxes within drawings that they fill, and text of 11 pixels that "+
					"can be read", name, l, width)
			}
			browser.Shoot(ctx, t, "profile-"+name)
		}
	}
	for _, p := range problems() {
		t.Errorf("the browser says: %s", p)
	}
}
