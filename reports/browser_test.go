package reports

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts headless Chromium without a network, or skips the test. The
// function that it returns lists what the browser complained about.
func browser(t *testing.T) (context.Context, func() []string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skipf("skipped: no chromium to open the page in (%v)", err)
	}
	ctx := start(t, path)

	var mu sync.Mutex
	var problems []string
	err = chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			problems = append(problems, fmt.Sprintf("console %s: %v", e.Type, e.Args))
		case *runtime.EventExceptionThrown:
			problems = append(problems, "exception: "+e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			problems = append(problems, fmt.Sprintf("log %s: %s", e.Entry.Level, e.Entry.Text))
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "file://") {
				problems = append(problems, "request to "+e.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	off := offline{Offline: true, Conditions: []*network.Conditions{{Offline: true}}}
	if err = chromedp.Do(ctx, command(log.Enable, cdp.Empty{}), command(goOffline, off)); err != nil {
		t.Fatalf("%s without a network: %v", path, err)
	}
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return problems
	}
}

// start starts Chromium, which on a busy machine now and then crashes before it is there: that is nothing that this
// package did, so it gets three tries.
func start(t *testing.T, path string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.WSURLReadTimeout(time.Minute))
	all, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	for try := 1; ; try++ {
		ctx, stop := chromedp.NewExecAllocator(all, options...)
		t.Cleanup(stop)
		ctx, cancel := chromedp.NewContext(ctx)
		t.Cleanup(cancel)
		err := chromedp.Do(ctx, command(network.Enable, network.EnableParams{}))
		if err == nil {
			return ctx
		}
		if try == 3 {
			t.Fatalf("start %s, try %d: %v", path, try, err)
		}
		t.Logf("start %s, try %d: %v", path, try, err)
		stop()
	}
}

// offline are the parameters of the command that cuts the network off: Chromium
// 148 insists on the switch for all conditions, later releases on the one in each
// of them.
type offline struct {
	Offline    bool                  `json:"offline"`
	Conditions []*network.Conditions `json:"matchedNetworkConditions"`
}

var goOffline = cdp.Command[offline, cdp.Empty]{Method: network.CommandEmulateNetworkConditionsByRule}

// command is an action that sends one command of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
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
func TestPageInBrowser(t *testing.T) { inBrowser(t, saved(t), "report", 30, 24) }

// So does the page of a plan.
func TestPlanInBrowser(t *testing.T) {
	page, err := PlanHTML(planAnswer(t), []string{"bench", "plan"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "plan.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	inBrowser(t, (&url.URL{Scheme: "file", Path: file}).String(), "plan", 7, 1)
}

// inBrowser opens a page in windows of two widths, in both themes, and counts its sections and drawings.
func inBrowser(t *testing.T, address, what string, sections, drawings int) {
	t.Helper()
	ctx, problems := browser(t)
	shots := t.ArtifactDir()
	t.Logf("screenshots in %s", shots)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			name := fmt.Sprintf("%s-%d", theme, width)
			media := emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
			}
			size := emulation.SetDeviceMetricsOverrideParams{
				Width: width, Height: 900, DeviceScaleFactor: 1,
				Mobile: width < 600,
			}
			err := chromedp.Do(ctx, command(emulation.SetEmulatedMedia, media),
				command(emulation.SetDeviceMetricsOverride, size), chromedp.Navigate(address))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			measure := strings.ReplaceAll(measurePage, "WIDTH", fmt.Sprint(width))
			layout, err := chromedp.Run(ctx, chromedp.Evaluate[pageLayout](measure))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			layout.check(t, name, theme, width)
			if layout.Sections < sections || layout.Drawings < drawings {
				t.Errorf("%s: %d sections and %d drawings, expected at least %d and %d", name, layout.Sections, layout.Drawings,
					sections, drawings)
			}
			shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := os.WriteFile(filepath.Join(shots, what+"-"+name+".png"), shot, 0o644); err != nil {
				t.Error(err)
			}
		}
	}
	for _, p := range problems() {
		t.Errorf("the browser says: %s", p)
	}
}

// The page holds everything with scripts switched off, and prints.
func TestPageWithoutScriptsAndInPrint(t *testing.T) {
	ctx, problems := browser(t)
	noScript := emulation.SetScriptExecutionDisabledParams{Value: true}
	if err := chromedp.Do(ctx, command(emulation.SetScriptExecutionDisabled, noScript),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}),
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
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "report-print.png"), shot, 0o644); err != nil {
		t.Error(err)
	}
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
	if l.Small < 8 {
		t.Errorf("%s: text of %.1f pixels in a drawing, expected at least 8", name, l.Small)
	}
	if want := map[string]string{"light": "rgb(245, 246, 248)", "dark": "rgb(16, 20, 24)"}[theme]; l.Background != want {
		t.Errorf("%s: background %s, expected %s", name, l.Background, want)
	}
}
