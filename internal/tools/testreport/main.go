// Testreport runs go test with the arguments it is given and prints what matters: one line per package as it ends,
// the whole output of every test that failed, each skipped test with its reason, and a closing line with the number
// of tests passed, failed and skipped. It decides nothing about the tests themselves; go test does.
//
// With -v it prints the output of every test. With I3BENCH_NO_SKIP=1 in the environment a skipped test is an error,
// which is how a machine that has every optional tool proves that nothing was left out; but for those whose reason
// contains what I3BENCH_MAY_SKIP says, which is for what a machine cannot be given.
//
// It exits with 0 when everything passed, 1 when a test failed, 2 when no test ran, and 3 when nothing failed but
// something was skipped that must not be.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// The exit codes, which tell a failing test from a report that could not be made.
const (
	exitPassed  = 0
	exitFailed  = 1
	exitNothing = 2
	exitSkipped = 3
)

func main() {
	verbose := flag.Bool("v", false, "print the output of every test, not only of those that failed")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: testreport [-v] [-- arguments of go test]")
		flag.PrintDefaults()
	}
	flag.Parse()
	os.Exit(run(os.Stdout, *verbose, os.Getenv("I3BENCH_NO_SKIP") == "1", flag.Args()))
}

// run runs go test, reports to w and returns the exit code.
func run(w io.Writer, verbose, noSkip bool, args []string) int {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintf(w, "testreport: start go test: %v\n", err)
		return exitNothing
	}
	r := newReport(w, verbose)
	r.may = os.Getenv("I3BENCH_MAY_SKIP")
	readErr := r.read(events)
	if readErr != nil {
		// go test would wait for ever to be read.
		_ = cmd.Process.Kill()
	}
	testErr := cmd.Wait()
	if readErr != nil {
		fmt.Fprintf(w, "testreport: %v\n", readErr)
		return exitNothing
	}
	return r.close(testErr, noSkip)
}
