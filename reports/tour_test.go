package reports

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"i3bench/internal/browser"
)

// tour runs the main job in its shortest form, and returns its result directory. That its generator may have been late
// on a busy machine is no matter here.
func tour(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: a tour takes half a minute")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("skipped: no go command to build bench with (%v)", err)
	}
	bench, dir := filepath.Join(t.TempDir(), "bench"), filepath.Join(t.TempDir(), "tour")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", bench, "../cmd/bench")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v, %s", err, out)
	}
	cmd := exec.Command(bench, "tour", "--quick", "--out", dir)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 4 {
		t.Fatalf("bench tour: %v, %s", err, out)
	}
	for _, said := range []string{"depth of the tree, 64 receivers: ", "(paper: 4.5)", "joins completed: ", " cores\n"} {
		if !strings.Contains(string(out), said) {
			t.Errorf("the tour does not say %q while it goes on:\n%.3000s", said, out)
		}
	}
	return dir
}

// A listedAnswer is a line of the list of answers in docs/report.md.
type listedAnswer struct {
	question, element string
	sections          []string
}

// answers reads the list.
func answers(t *testing.T) (list []listedAnswer) {
	t.Helper()
	text, err := os.ReadFile("../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`([^`]*)`")
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(cells[2], "`answer-") {
			continue
		}
		l := listedAnswer{question: strings.TrimSpace(cells[1]), element: names.FindStringSubmatch(cells[2])[1]}
		for _, m := range names.FindAllStringSubmatch(cells[3], -1) {
			l.sections = append(l.sections, m[1])
		}
		list = append(list, l)
	}
	if len(list) != 5 {
		t.Fatalf("docs/report.md lists %d answers, expected five", len(list))
	}
	return list
}

// answered checks that a page answers every question of the list with a figure, and leads to a section that is there.
func answered(t *testing.T, page string) {
	t.Helper()
	for _, l := range answers(t) {
		element := regexp.MustCompile(`<div id="` + l.element + `"><dt>(.*)</dt><dd>(.*) <a href="#([^"]*)">`)
		m := element.FindStringSubmatch(page)
		if m == nil {
			t.Errorf("the page has no %s", l.element)
			continue
		}
		t.Logf("%s %s", m[1], m[2])
		if m[1] != l.question || !regexp.MustCompile(`[0-9]`).MatchString(m[2]) {
			t.Errorf("%s: %q is answered by %q, expected %q and a figure", l.element, m[1], m[2], l.question)
		}
		known := false
		for _, section := range l.sections {
			known = known || section == m[3]
		}
		if !known || !strings.Contains(page, `<section class="card" id="`+m[3]+`"`) {
			t.Errorf("%s leads to %q, expected one of %q, on the page", l.element, m[3], l.sections)
		}
	}
}

// The report of a real tour answers what docs/report.md says, opens offline without an error, light and dark, on a desk
// and on a phone, within two seconds and two megabytes, and holds everything without scripts.
func TestTourReport(t *testing.T) {
	look(t, filepath.Join(tour(t), HTMLFile), "tour")
}

// So does the one that is kept as an example.
func TestReferenceReport(t *testing.T) {
	look(t, filepath.Join("reference", HTMLFile), "reference")
}

func look(t *testing.T, file, name string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 2<<20 {
		t.Errorf("%d bytes, expected less than two megabytes", len(page))
	}
	answered(t, string(page))
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: path}).String()
	ctx, problems := offline(t)
	least := expected{sections: 18, drawings: 14}
	took := shoot(t, ctx, address, name, least)
	t.Logf("%d bytes, there after %v", len(page), took)
	if took > 2*time.Second && !raceEnabled {
		t.Errorf("there after %v, expected less than two seconds", took)
	}
	noScript := emulation.SetScriptExecutionDisabledParams{Value: true}
	if err := chromedp.Do(ctx, browser.Command(emulation.SetScriptExecutionDisabled, noScript),
		chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]int{
		"svg": strings.Count(string(page), "<svg "), "table": strings.Count(string(page), "<table"),
	} {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.getElementsByTagName("`+tag+`").length`))
		if err != nil || got != want || got < least.drawings {
			t.Errorf("without scripts %d of %d elements %s (%v)", got, want, tag, err)
		}
	}
	for _, p := range problems() {
		t.Errorf("the browser says: %s", p)
	}
}
