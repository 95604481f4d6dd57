package main

import (
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An outcome is what fuzzing one target came to.
type outcome struct {
	execs   int64 // inputs tried
	finding bool  // an input failed, or the target could not be fuzzed
	raced   bool  // only the toolchain's own deadline ended the run, see deadlineRace
}

var (
	execsSoFar   = regexp.MustCompile(`(?m)^fuzz: elapsed: .* execs: (\d+) `)
	failingInput = regexp.MustCompile(`(?m)^\s*Failing input written to `)
	// deadlineRace is how go test ends when its deadline for the whole run overtakes a worker (golang/go#75804, fixed
	// in Go 1.27): it reports a failure without an input that fails.
	deadlineRace = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w+ \([0-9.]+s\)\n\s+context deadline exceeded\nFAIL$`)
)

// judge reads the output of one go test -fuzz run that ended with err.
func judge(output string, err error) outcome {
	var o outcome
	if all := execsSoFar.FindAllStringSubmatch(output, -1); all != nil {
		o.execs, _ = strconv.ParseInt(all[len(all)-1][1], 10, 64)
	}
	written := failingInput.MatchString(output)
	o.raced = err != nil && !written && o.execs > 0 && deadlineRace.MatchString(output)
	o.finding = written || o.execs == 0 || err != nil && !o.raced
	return o
}

// maxRaces bounds how often a target is run again because of the toolchain's race; after that it counts as a finding,
// since a target that never ends in time deserves a look.
const maxRaces = 3

// fuzz runs one target and returns its outcome and the output of go test.
func fuzz(t target, fuzztime string) (outcome, string) {
	for range maxRaces {
		cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", fuzztime, t.pkg)
		output, err := cmd.CombinedOutput()
		if o := judge(string(output), err); !o.raced {
			return o, string(output)
		}
	}
	return outcome{finding: true}, fmt.Sprintf("ended by its deadline %d times in a row\n", maxRaces)
}

// fuzzEach fuzzes every target in turn, prints a line for each, and reports whether none of them had a finding.
func fuzzEach(w io.Writer, targets []target, fuzztime string) bool {
	var execs int64
	findings := 0
	for _, t := range targets {
		begun := time.Now()
		o, output := fuzz(t, fuzztime)
		verdict := "no finding"
		if o.finding {
			verdict = "FINDING"
			findings++
		}
		execs += o.execs
		fmt.Fprintf(w, "fuzz %-60s %6.1f s %12d execs  %s\n", t, time.Since(begun).Seconds(), o.execs, verdict)
		if o.finding {
			fmt.Fprintln(w, "  "+strings.ReplaceAll(strings.TrimSpace(output), "\n", "\n  "))
		}
	}
	fmt.Fprintf(w, "%d targets fuzzed for %s each, %d execs, %d findings\n", len(targets), fuzztime, execs, findings)
	return findings == 0
}
