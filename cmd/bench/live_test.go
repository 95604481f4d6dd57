package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"i3bench/internal/browser"
	"i3bench/loadgen/live"
	"i3bench/reports"
)

// smallLoad are the arguments of a load that any machine can bear.
const smallLoad = "load --joins 40 --repairs 40 --standing 6 --pool 12 --rate 100"

// watched starts bench with a live page and returns the process, where the page is, and its result directory.
func watched(t *testing.T, args string) (wait func() error, url, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "result")
	cmd := program(t, args+" --live 127.0.0.1:0 --progress none --out "+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // does nothing to one that has ended
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "live page: ")
	if err != nil || !ok {
		t.Fatalf("the first line is %q (%v), want that of the live page", line, err)
	}
	return func() error {
		_, err := io.Copy(io.Discard, lines)
		return errors.Join(err, cmd.Wait())
	}, url, dir
}

// counts is what the page says of an operation, and whether the run has ended.
type counts struct {
	Offered, Sent, Done, Failed, Flight int
	Number                              int
	Ended                               bool
	Banner                              string
}

const readCounts = `(() => {
  const row = [...document.querySelectorAll("#ops tbody tr")].find(r => r.cells[0].textContent === "KIND");
  const n = i => row ? Number(row.cells[i].textContent.replaceAll(",", "")) : 0;
  const banner = document.getElementById("banner").textContent;
  return {Offered: n(1), Sent: n(2), Done: n(3), Failed: n(4), Flight: n(5),
    Number: Number(document.body.dataset.number || 0), Ended: banner.startsWith("The run has ended"), Banner: banner};
})()`

// awaitCounts reads the page until it shows what is wanted.
func awaitCounts(ctx context.Context, t *testing.T, kind string, want func(counts) bool) (c counts) {
	t.Helper()
	script := strings.ReplaceAll(readCounts, "KIND", kind)
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		c, err := chromedp.Run(ctx, chromedp.Evaluate[counts](script))
		switch {
		case err != nil:
			t.Fatal(err)
		case want(c):
			return c
		case time.Now().After(end):
			t.Fatalf("the page still shows %+v", c)
		}
	}
}

// The page shows a load while it goes on, ends with the counts of the result and says where that is; no script fails,
// nothing else is loaded, and it fits a desk and a phone, light and dark.
func TestLivePageInBrowser(t *testing.T) {
	ctx, problems := browser.Open(t, "http://127.0.0.1:")
	wait, url, dir := watched(t, smallLoad+" --for 12s")
	if err := errors.Join(browser.View(ctx, "light", 1280), chromedp.Do(ctx, chromedp.Navigate(url))); err != nil {
		t.Fatal(err)
	}
	first := awaitCounts(ctx, t, reports.KindJoin, func(c counts) bool { return c.Done > 0 })
	if first.Ended {
		t.Fatal("the run had ended before the page was open: this says nothing of a running one")
	}
	browser.Shoot(ctx, t, "live-running")
	awaitCounts(ctx, t, reports.KindJoin, func(c counts) bool { return c.Done > first.Done && c.Number > first.Number })
	last := awaitCounts(ctx, t, reports.KindJoin, func(c counts) bool { return c.Ended })
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, reports.HTMLFile); !strings.Contains(last.Banner, want) {
		t.Errorf("the page says %q, want where the report is: %s", last.Banner, want)
	}
	r := readable(t, dir)
	for _, kind := range []string{reports.KindJoin, reports.KindRepair} {
		c := awaitCounts(ctx, t, kind, func(counts) bool { return true })
		checkCounts(t, r, kind, c)
		if c.Done == 0 {
			t.Errorf("no %s is done: this compares nothing", kind)
		}
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			checkView(ctx, t, theme, width)
		}
	}
	for _, p := range problems() {
		t.Errorf("the browser says: %s", p)
	}
}

// checkCounts compares what the page shows at the end with the samples.
func checkCounts(t *testing.T, r *reports.Result, kind string, c counts) {
	t.Helper()
	done, failed := 0, 0
	for _, s := range r.Select(reports.StageLoad, kind) {
		if s.Status == reports.StatusOK {
			done++
		} else {
			failed++
		}
	}
	if c.Done != done || c.Failed != failed || c.Sent != done+failed || c.Flight != 0 || c.Offered < c.Sent {
		t.Errorf("%s: the page shows %+v, the result has %d done and %d failed", kind, c, done, failed)
	}
}

// viewOf is what the browser says of the page as it is laid out.
type viewOf struct {
	Scroll int64
	Wide   []string // elements beyond the window that do not scroll in a frame
	Empty  []string // charts without anything drawn in them, or without a description
	Charts int
	Tables int // of charts, when opened
	Text   float64
	Back   string
}

const measureLive = `(() => {
  const out = {Scroll: document.documentElement.scrollWidth, Wide: [], Empty: [], Charts: 0, Tables: 0, Text: 1e9,
    Back: getComputedStyle(document.body).backgroundColor};
  for (const d of document.querySelectorAll("details")) d.open = true;
  for (const f of document.querySelectorAll("figure")) {
    out.Charts++;
    const svg = f.querySelector("svg[role=img]");
    const drawn = [...svg.querySelectorAll("path.series, rect")]
      .some(e => e.getAttribute("d") || e.getAttribute("height") > 0);
    if (!drawn || !svg.getAttribute("aria-label")) out.Empty.push(f.id);
    out.Text = Math.min(out.Text, 13 * svg.getBoundingClientRect().width / 460);
  }
  for (const e of document.querySelectorAll("body *")) {
    const right = e.getBoundingClientRect().right;
    if (right > WIDTH + 1 && !e.closest(".scroll, svg")) out.Wide.push(e.tagName + "#" + e.id);
  }
  return out;
})()`

// checkView takes a screenshot and looks whether everything is there and fits.
func checkView(ctx context.Context, t *testing.T, theme string, width int64) {
	t.Helper()
	name := fmt.Sprintf("live-%s-%d", theme, width)
	if err := browser.View(ctx, theme, width); err != nil {
		t.Fatal(err)
	}
	browser.Shoot(ctx, t, name)
	v, err := chromedp.Run(ctx, chromedp.Evaluate[viewOf](strings.ReplaceAll(measureLive, "WIDTH", fmt.Sprint(width))))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for end := time.Now().Add(patience); rows < v.Charts && time.Now().Before(end); { // an open table is filled soon
		if rows, err = chromedp.Run(ctx, chromedp.Evaluate[int](filledTables)); err != nil {
			t.Fatal(err)
		}
	}
	if v.Scroll > width || len(v.Wide) > 0 {
		t.Errorf("%s: %d wide in a window of %d; beyond it %v", name, v.Scroll, width, v.Wide)
	}
	if v.Charts < 10 || rows != v.Charts || v.Text < 8 {
		t.Errorf("%s: %d charts, %d of them with a table, text of %.1f pixels", name, v.Charts, rows, v.Text)
	}
	for _, id := range v.Empty {
		t.Errorf("%s: nothing is drawn in %s, or it has no description", name, id)
	}
	if want := map[string]string{"light": "rgb(245, 246, 248)", "dark": "rgb(16, 20, 24)"}[theme]; v.Back != want {
		t.Errorf("%s: background %s, want %s", name, v.Back, want)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](closeTables)); err != nil {
		t.Fatal(err)
	}
}

const filledTables = `[...document.querySelectorAll("figure table")].filter(x => x.rows.length > 1).length`

const closeTables = `[...document.querySelectorAll("details")].map(d => d.open = false).length`

// With --progress json every line is a snapshot; the last has what the result has. A scenario can be watched, too, on
// sockets and in virtual time, and so can find; what is no load says how far it is.
func TestJSONProgress(t *testing.T) {
	for _, args := range []string{
		smallLoad + " --for 2s",
		"load --scenario steady-churn --set world=sim --shorten 20",
		"find --budget 3s --trial 500ms --first 500ms --min 20 --max 40 --standing 4 --pool 8 --nodes 4 --confidence 0.5",
		"cluster --world=sim --cluster-seeds=1",
	} {
		dir := filepath.Join(t.TempDir(), "result")
		_, out, errs := bench(append(strings.Fields(args), "--out="+dir, "--progress=json")...)
		if strings.Contains(out, "schema") {
			t.Errorf("%s: snapshots among the results: %.200q", args, out)
		}
		var last live.Snapshot
		for line := range strings.Lines(errs) {
			if strings.HasPrefix(line, "bench: ") {
				continue // a search of three seconds has no answer
			}
			var s live.Snapshot
			d := json.NewDecoder(strings.NewReader(line))
			d.DisallowUnknownFields()
			if err := d.Decode(&s); err != nil {
				t.Fatalf("%s: %v in %q", args, err, line)
			}
			if s.Schema != live.Schema || s.Number != last.Number+1 || last.Ended != "" {
				t.Errorf("%s: snapshot %d of schema %d after number %d", args, s.Number, s.Schema, last.Number)
			}
			last = s
		}
		if last.Ended == "" || last.Report != filepath.Join(dir, reports.HTMLFile) {
			t.Errorf("%s: the last snapshot says %q, %q", args, last.Ended, last.Report)
		}
		checkLast(t, args, last, readable(t, dir))
	}
}

// checkLast compares the operations of the last snapshot with those of the result.
func checkLast(t *testing.T, args string, last live.Snapshot, r *reports.Result) {
	t.Helper()
	if (last.Load == nil) != strings.HasPrefix(args, "cluster") {
		t.Fatalf("%s: load %+v", args, last.Load)
	}
	if last.Load == nil || strings.HasPrefix(args, "find") {
		return // of a search the last trial is shown
	}
	if !last.Load.Over || len(last.Load.Operations) == 0 || len(last.Load.Levels) < 2 || last.Load.Nodes.Packets <= 0 {
		t.Errorf("%s: %+v", args, last.Load)
	}
	sum := uint64(0)
	for _, o := range last.Load.Operations {
		sum += o.Done
		checkCounts(t, r, o.Kind, counts{
			Offered: int(o.Offered), Sent: int(o.Sent), Done: int(o.Done), Failed: int(o.Failed), Flight: int(o.InFlight),
		})
	}
	if sum == 0 {
		t.Errorf("%s: nothing is done: this compares nothing", args)
	}
}

// Plain lines tell a load every second, between the lines that begin and end it.
func TestPlainLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	code, _, errs := bench(append(strings.Fields(smallLoad), "--for=2s", "--out="+dir)...)
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	seen := 0
	for _, l := range lines {
		if strings.HasPrefix(l, "load  00:00:0") && strings.Contains(l, "join ") && strings.Contains(l, "repair ") {
			seen++
		}
	}
	if code != exitOK || seen < 2 || strings.Contains(errs, "\x1b") || !strings.HasPrefix(lines[0], "[1/1] load") ||
		!strings.HasPrefix(lines[len(lines)-1], "[1/1] load     done in ") {
		t.Errorf("exit %d, %d lines on the load in\n%s", code, seen, errs)
	}
}

// An address that makes no sense is wrong usage, one that cannot be had an error, before anything is run.
func TestLiveAddress(t *testing.T) {
	refuses(t, "load --live nowhere", []string{"--live", "nowhere", "want ADDRESS:PORT"})
	refuses(t, "find --live 127.0.0.1:", []string{"--live", "want ADDRESS:PORT"})
	refuses(t, "tour --live 127.0.0.1:99999", []string{"--live", "99999"})
	dir := filepath.Join(t.TempDir(), "out")
	code, _, errs := bench("load", "--live=192.0.2.1:80", "--out="+dir)
	if _, err := os.Stat(dir); code != exitError || !strings.Contains(errs, "--live") || err == nil {
		t.Errorf("exit %d, %q, the result directory: %v", code, errs, err)
	}
}

// A run that cannot begin ends its page, too: its directory has a result already.
func TestLivePageOfFailed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, reports.SamplesFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := bench("load", "--live=:0", "--progress=json", "--out="+dir)
	if code != exitError || !strings.Contains(out, "live page: http://127.0.0.1:") ||
		!strings.Contains(errs, `"ended":"failed"`) {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

// A run that fails or is interrupted tells so on the page, too.
func TestLivePageOfInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "result")
	cmd := program(t, smallLoad+" --for 1h --live :0 --progress none --out "+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	go io.Copy(io.Discard, out)
	resp, err := http.Get(strings.TrimSpace(strings.TrimPrefix(line, "live page: ")) + "events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var ended bool
	events := bufio.NewScanner(resp.Body)
	events.Buffer(nil, 1<<24)
	for sent := false; events.Scan(); {
		if !sent && strings.Contains(events.Text(), `"load":`) {
			sent = true
			cmd.Process.Signal(os.Interrupt)
		}
		ended = ended || strings.Contains(events.Text(), `"ended":"interrupted"`)
	}
	if err := events.Err(); err != nil || !ended {
		t.Errorf("the page was not told that the run was interrupted (%v)", err)
	}
}
