package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// events builds the output of go test -json from "action package test output" rows.
func events(rows ...[4]string) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, `{"Action":"%s","Package":"%s","Test":"%s","Output":"%s"}`+"\n", r[0], r[1], r[2], r[3])
	}
	return b.String()
}

// passing is a package with one test that passes and logs a figure.
var passing = events(
	[4]string{"start", "m/a", "", ""},
	[4]string{"run", "m/a", "TestA", ""},
	[4]string{"output", "m/a", "TestA", `=== RUN   TestA\n`},
	[4]string{"output", "m/a", "TestA", `    a_test.go:9: 17 packets\n`},
	[4]string{"output", "m/a", "TestA", `--- PASS: TestA (0.00s)\n`},
	[4]string{"pass", "m/a", "TestA", ""},
	[4]string{"output", "m/a", "", `PASS\n`},
	[4]string{"output", "m/a", "", `ok  \tm/a\t0.1s\n`},
	[4]string{"pass", "m/a", "", ""},
)

// skipping is a package whose only test is skipped.
var skipping = events(
	[4]string{"run", "m/b", "TestB", ""},
	[4]string{"output", "m/b", "TestB", `=== RUN   TestB\n`},
	[4]string{"output", "m/b", "TestB", `    b_test.go:7: tshark is not installed\n`},
	[4]string{"output", "m/b", "TestB", `--- SKIP: TestB (0.00s)\n`},
	[4]string{"skip", "m/b", "TestB", ""},
	[4]string{"output", "m/b", "", `ok  \tm/b\t0.1s\n`},
	[4]string{"pass", "m/b", "", ""},
)

// failing is a package with a test that fails and one that passes.
var failing = events(
	[4]string{"run", "m/c", "TestC", ""},
	[4]string{"run", "m/c", "TestD", ""},
	[4]string{"output", "m/c", "TestD", `    d_test.go:3: quiet\n`},
	[4]string{"pass", "m/c", "TestD", ""},
	[4]string{"output", "m/c", "TestC", `    c_test.go:5: want 3\n`},
	[4]string{"output", "m/c", "TestC", `--- FAIL: TestC (0.00s)\n`},
	[4]string{"fail", "m/c", "TestC", ""},
	[4]string{"output", "m/c", "", `FAIL\tm/c\t0.1s\n`},
	[4]string{"fail", "m/c", "", ""},
)

// broken is a package that does not build.
var broken = `{"ImportPath":"m/d","Action":"build-output","Output":"d.go:3:1: undefined: x\n"}` + "\n" +
	`{"ImportPath":"m/d","Action":"build-fail"}` + "\n" + events(
	[4]string{"output", "m/d", "", `FAIL\tm/d [build failed]\n`},
	[4]string{"fail", "m/d", "", ""},
)

// dying is a package whose process ends in the middle of a test.
var dying = events(
	[4]string{"run", "m/e", "TestE", ""},
	[4]string{"output", "m/e", "TestE", `signal: killed\n`},
	[4]string{"fail", "m/e", "", ""},
)

func TestReport(t *testing.T) {
	cases := []struct {
		name, input     string
		verbose, noSkip bool
		testErr         error
		code            int
		want, not       []string
	}{
		{
			"passed", passing, false, false, nil, exitPassed,
			[]string{"ok  \tm/a", "1 passed, 0 failed, 0 skipped"}, []string{"17"},
		},
		{
			"verbose", passing, true, false, nil, exitPassed,
			[]string{"17 packets", "--- PASS: TestA"}, []string{"=== RUN"},
		},
		{
			"skip allowed", passing + skipping, false, false, nil, exitPassed,
			[]string{"skipped: m/b TestB: b_test.go:7: tshark is not installed", "1 passed, 0 failed, 1 skipped"}, nil,
		},
		{
			"skip forbidden", passing + skipping, false, true, nil, exitSkipped,
			[]string{"1 passed, 0 failed, 1 skipped", "nothing may be skipped"}, nil,
		},
		{
			"failed", passing + failing, false, true, errors.New("exit status 1"), exitFailed,
			[]string{"c_test.go:5: want 3", "failed: m/c TestC", "2 passed, 1 failed"}, []string{"quiet"},
		},
		{
			"does not build", passing + broken, false, false, errors.New("exit status 1"), exitFailed,
			[]string{"undefined: x", "failed: m/d: the package failed", "1 passed, 1 failed"}, nil,
		},
		{
			"dies", dying, false, false, errors.New("exit status 1"), exitFailed,
			[]string{"signal: killed", "failed: m/e TestE: did not end"}, nil,
		},
		{
			"unexplained", passing, false, false, errors.New("exit status 1"), exitFailed,
			[]string{"failed: go test: exit status 1", "1 passed, 1 failed"}, nil,
		},
		{
			"nothing", "flag provided but not defined\n", false, false, nil, exitNothing,
			[]string{"flag provided", "no test ran"}, nil,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			r := newReport(&out, c.verbose)
			if err := r.read(strings.NewReader(c.input)); err != nil {
				t.Fatal(err)
			}
			if code := r.close(c.testErr, c.noSkip); code != c.code {
				t.Errorf("testreport: exit code %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("testreport: %q is missing from\n%s", want, &out)
				}
			}
			for _, not := range c.not {
				if strings.Contains(out.String(), not) {
					t.Errorf("testreport: %q should not be in\n%s", not, &out)
				}
			}
		})
	}
}

func TestReportRefusesEndlessLine(t *testing.T) {
	err := newReport(&strings.Builder{}, false).read(strings.NewReader(strings.Repeat("x", maxLine+1)))
	if err == nil {
		t.Error("testreport: a line longer than the limit was read without an error")
	}
}

// Where nothing may be skipped, what a machine cannot be given may be, and nothing else.
func TestMaySkip(t *testing.T) {
	for may, want := range map[string]int{"": exitSkipped, "is not installed": exitPassed, "no network": exitSkipped} {
		r := newReport(io.Discard, false)
		r.may = may
		if err := r.read(strings.NewReader(passing + skipping)); err != nil {
			t.Fatal(err)
		}
		if code := r.close(nil, true); code != want {
			t.Errorf("with %q exit code %d, want %d", may, code, want)
		}
	}
}
