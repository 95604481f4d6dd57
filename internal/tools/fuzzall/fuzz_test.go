package main

import (
	"errors"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

const (
	progress = "fuzz: elapsed: 0s, gathering baseline coverage: 0/2 completed\n" +
		"fuzz: elapsed: 3s, execs: 325017 (108336/sec), new interesting: 11 (total: 202)\n" +
		"fuzz: elapsed: 5s, execs: 401222 (38102/sec), new interesting: 12 (total: 203)\n"
	found = "--- FAIL: FuzzX (0.02s)\n    --- FAIL: FuzzX (0.00s)\n        x_test.go:9: panic\n\n" +
		"    Failing input written to testdata/fuzz/FuzzX/582528ddfad69eb5\nFAIL\nexit status 1\n"
	raced = "--- FAIL: FuzzX (5.01s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
)

func TestJudge(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		name, output string
		err          error
		want         outcome
	}{
		{"clean", progress + "PASS\nok  \tm/x\t5.1s\n", nil, outcome{execs: 401222}},
		{"finding", progress + found, failed, outcome{execs: 401222, finding: true}},
		{"finding at once", found, failed, outcome{finding: true}},
		{"does not build", "x_test.go:3: undefined: y\nFAIL\n", failed, outcome{finding: true}},
		{"no input tried", "testing: warning: no fuzz tests to fuzz\nPASS\n", nil, outcome{finding: true}},
		{"crash without an input", progress + "--- FAIL: FuzzX (5.01s)\n    EOF\nFAIL\n", failed,
			outcome{execs: 401222, finding: true}},
		{"deadline race", progress + raced, failed, outcome{execs: 401222, raced: true}},
		{"deadline race with a finding", progress + raced + found, failed, outcome{execs: 401222, finding: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(c.output, c.err); got != c.want {
				t.Errorf("fuzzall: judged %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestFuzzFuncs(t *testing.T) {
	const text = `package x
func FuzzA(f *testing.F) {}
func TestB(t *testing.T) {}
func (s *suite) FuzzC(f *testing.F) {}
func FuzzHelper() {}
`
	file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := fuzzFuncs(file); !slices.Equal(got, []string{"FuzzA"}) {
		t.Errorf("fuzzall: found %q, want only FuzzA", got)
	}
}

func TestDiscoverRefuses(t *testing.T) {
	_, err := discover([]string{"./no/such/folder"})
	if err == nil || !strings.Contains(err.Error(), "directory not found") {
		t.Errorf("fuzzall: error %v for a folder that does not exist, want what go list says", err)
	}
}
