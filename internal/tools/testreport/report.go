package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// An event is one line of go test -json, with the fields used here.
type event struct {
	Action  string // start, run, output, pass, fail, skip, build-output, build-fail
	Package string
	Test    string // empty where the event is about the package
	Output  string
}

// A verdict names a test and, where it was skipped, the reason.
type verdict struct{ pkg, test, reason string }

func (v verdict) String() string {
	s := strings.TrimSpace(v.pkg + " " + v.test)
	if v.reason != "" {
		s += ": " + v.reason
	}
	return s
}

// A line is one piece of output and the test it came from.
type line struct{ test, text string }

// A packageRun collects the output of a package until it ends, because go test interleaves packages.
type packageRun struct {
	lines  []line
	open   map[string]bool // tests that have started and not ended
	failed map[string]bool
}

// A report counts events and prints them in an order a person can read.
type report struct {
	w                io.Writer
	verbose          bool
	begun            time.Time
	running          map[string]*packageRun
	packages, passed int
	failed, skipped  []verdict
	may              string // what the reason of a skip contains that is not an error
}

func newReport(w io.Writer, verbose bool) *report {
	return &report{w: w, verbose: verbose, begun: time.Now(), running: make(map[string]*packageRun)}
}

// maxLine bounds one line of go test -json, in bytes.
const maxLine = 16 << 20

// read consumes the events of one go test run.
func (r *report) read(events io.Reader) error {
	scanner := bufio.NewScanner(events)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			// The go command says a few things in plain text, such as a bad flag.
			fmt.Fprintln(r.w, scanner.Text())
			continue
		}
		r.add(e)
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read the output of go test: %w", err)
	}
	return nil
}

// add takes one event into account.
func (r *report) add(e event) {
	if e.Package == "" {
		fmt.Fprint(r.w, e.Output) // of the build
		return
	}
	p := r.running[e.Package]
	if p == nil {
		p = &packageRun{open: make(map[string]bool), failed: make(map[string]bool)}
		r.running[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.lines = append(p.lines, line{e.Test, e.Output})
	case "run":
		p.open[e.Test] = true
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e, p)
		} else {
			r.endTest(e, p)
		}
	}
}

// endTest counts a test that has ended.
func (r *report) endTest(e event, p *packageRun) {
	delete(p.open, e.Test)
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		p.failed[e.Test] = true
		r.failed = append(r.failed, verdict{e.Package, e.Test, ""})
	case "skip":
		r.skipped = append(r.skipped, verdict{e.Package, e.Test, p.reason(e.Test)})
	}
}

// endPackage prints what a package has to say. A package that fails without naming a test (it did not build, or its
// process died) counts as one failure, and so does every test that was still running then.
func (r *report) endPackage(e event, p *packageRun) {
	r.packages++
	if e.Action == "fail" {
		for _, test := range slices.Sorted(maps.Keys(p.open)) {
			p.failed[test] = true
			r.failed = append(r.failed, verdict{e.Package, test, "did not end"})
		}
		if len(p.failed) == 0 {
			r.failed = append(r.failed, verdict{e.Package, "", "the package failed"})
		}
	}
	for _, l := range p.lines {
		if r.shows(l, p, e.Action) {
			fmt.Fprint(r.w, l.text)
		}
	}
	delete(r.running, e.Package)
}

// shows reports whether a line of a package that ended with the given action is worth a reader's time.
func (r *report) shows(l line, p *packageRun, action string) bool {
	bare := l.text == "PASS\n" || l.text == "FAIL\n"
	switch {
	case strings.HasPrefix(l.text, "=== ") || bare:
		return false
	case r.verbose:
		return true
	case l.test != "":
		return p.failed[l.test]
	}
	return action == "fail" || strings.HasPrefix(l.text, "ok ") || strings.HasPrefix(l.text, "?  ")
}

// reason returns what a skipped test said before it gave up.
func (p *packageRun) reason(test string) string {
	var said []string
	for _, l := range p.lines {
		text := strings.TrimSpace(l.text)
		if l.test == test && !strings.HasPrefix(text, "=== ") && !strings.HasPrefix(text, "--- ") {
			said = append(said, text)
		}
	}
	return strings.Join(said, " ")
}

// close prints the failures, the skips and the closing line, and returns the exit code. testErr is how go test ended.
func (r *report) close(testErr error, noSkip bool) int {
	if testErr != nil && len(r.failed) == 0 {
		r.failed = append(r.failed, verdict{"go test", "", testErr.Error()})
	}
	for _, v := range r.failed {
		fmt.Fprintf(r.w, "failed: %v\n", v)
	}
	for _, v := range r.skipped {
		fmt.Fprintf(r.w, "skipped: %v\n", v)
	}
	code := r.code(noSkip)
	switch code {
	case exitNothing:
		fmt.Fprintln(r.w, "testreport: no test ran")
	case exitSkipped:
		fmt.Fprintln(r.w, "testreport: nothing may be skipped here (I3BENCH_NO_SKIP=1)")
	}
	fmt.Fprintf(r.w, "%d passed, %d failed, %d skipped (tests and subtests of %d packages, %.1f s)\n",
		r.passed, len(r.failed), len(r.skipped), r.packages, time.Since(r.begun).Seconds())
	return code
}

// code returns the exit code that the counts amount to.
func (r *report) code(noSkip bool) int {
	switch {
	case len(r.failed) > 0:
		return exitFailed
	case r.passed == 0 && len(r.skipped) == 0:
		return exitNothing
	case noSkip && slices.ContainsFunc(r.skipped, r.mustNot):
		return exitSkipped
	}
	return exitPassed
}

// mustNot reports whether a skip is an error where nothing may be skipped.
func (r *report) mustNot(v verdict) bool { return r.may == "" || !strings.Contains(v.reason, r.may) }
