package reports

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"i3bench/internal/browser"
)

// offline opens the browser without a network.
func offline(t *testing.T) (context.Context, func() []string) {
	t.Helper()
	ctx, problems := browser.Open(t, "file://")
	if err := chromedp.Do(ctx, browser.Offline()); err != nil {
		t.Fatalf("without a network: %v", err)
	}
	return ctx, problems
}

// saved writes the page of the synthetic result and returns its address.
func saved(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), HTMLFile)
	if err := os.WriteFile(file, []byte(mustHTML(t, synthetic(t))), 0o644); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: file}).String()
}

// The page opens from disk without a network, without an error, and fits the
// window, light and dark, on a desk and on a phone.
func TestPageInBrowser(t *testing.T) {
	ctx, problems := offline(t)
	address, shots := saved(t), t.ArtifactDir()
	t.Logf("screenshots in %s", shots)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			name := fmt.Sprintf("%s-%d", theme, width)
			if err := errors.Join(browser.View(ctx, theme, width), chromedp.Do(ctx, chromedp.Navigate(address))); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			measure := strings.ReplaceAll(measurePage, "WIDTH", fmt.Sprint(width))
			layout, err := chromedp.Run(ctx, chromedp.Evaluate[pageLayout](measure))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			layout.check(t, name, theme, width)
			browser.Shoot(ctx, t, "report-"+name)
		}
	}
	for _, p := range problems() {
		t.Errorf("the browser says: %s", p)
	}
}

// The page holds everything with scripts switched off, and prints.
func TestPageWithoutScriptsAndInPrint(t *testing.T) {
	ctx, problems := offline(t)
	noScript := emulation.SetScriptExecutionDisabledParams{Value: true}
	if err := chromedp.Do(ctx, browser.Command(emulation.SetScriptExecutionDisabled, noScript),
		browser.Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}),
		chromedp.Navigate(saved(t))); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	browser.Shoot(ctx, t, "report-print")
	for _, want := range []string{"Paper parity", duplicatesTitle, "How to reproduce"} {
		if !strings.Contains(text, want) {
			t.Errorf("without scripts the page does not show %q", want)
		}
	}
	out := filepath.Join(t.ArtifactDir(), "report.pdf")
	t.Logf("print in %s, %d bytes", out, len(pdf))
	if err := os.WriteFile(out, pdf, 0o644); err != nil || len(pdf) < 20_000 {
		t.Errorf("%d bytes of PDF (%v), expected a document", len(pdf), err)
	}
	for _, p := range problems() {
		t.Errorf("the browser says: %s", p)
	}
}

// pageLayout is what the browser says of the laid-out page.
type pageLayout struct {
	Scroll, Window int64    // widths
	Hidden         []string // sections and drawings without a size
	Wide           []string // elements that reach beyond the window and do not scroll in a frame
	Sections       int
	Drawings       int
	Background     string
	Small          float64 // smallest text of a drawing, in pixels
}

const measurePage = `(() => {
  const out = {Scroll: document.documentElement.scrollWidth, Window: window.innerWidth, Hidden: [], Wide: [],
    Sections: 0, Drawings: 0, Background: getComputedStyle(document.body).backgroundColor, Small: 1e9};
  const name = e => e.tagName + "#" + (e.id || e.getAttribute("aria-labelledby") || e.textContent.slice(0, 20));
  for (const e of document.querySelectorAll("section, svg, nav, h1, h2, h3")) {
    const r = e.getBoundingClientRect();
    if (r.width < 20 || r.height < 10) out.Hidden.push(name(e));
    if (e.tagName === "SECTION") out.Sections++;
    if (e.tagName === "svg") { out.Drawings++; out.Small = Math.min(out.Small, 11.5 * r.width / 460); }
  }
  for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect();
    if (r.right > WIDTH + 1 && !e.closest(".scroll")) out.Wide.push(name(e));
  }
  return out;
})()`

func (l pageLayout) check(t *testing.T, name, theme string, width int64) {
	t.Helper()
	if l.Scroll > width || l.Window != width {
		t.Errorf("%s: the page is %d wide in a window of %d, expected both to be %d", name, l.Scroll, l.Window, width)
	}
	if len(l.Wide) > 0 {
		t.Errorf("%s: wider than the window: %v", name, l.Wide)
	}
	if len(l.Hidden) > 0 {
		t.Errorf("%s: not visible: %v", name, l.Hidden)
	}
	if l.Sections < 30 || l.Drawings < 24 {
		t.Errorf("%s: %d sections and %d drawings, expected at least 30 and 24", name, l.Sections, l.Drawings)
	}
	if l.Small < 8 {
		t.Errorf("%s: text of %.1f pixels in a drawing, expected at least 8", name, l.Small)
	}
	if want := map[string]string{"light": "rgb(245, 246, 248)", "dark": "rgb(16, 20, 24)"}[theme]; l.Background != want {
		t.Errorf("%s: background %s, expected %s", name, l.Background, want)
	}
}
