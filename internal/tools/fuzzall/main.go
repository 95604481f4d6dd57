// Fuzzall runs every fuzz target of the module, one after the other, and prints a line for each with the inputs tried
// and whether one of them failed. It finds the targets itself, so that a new one is fuzzed without being registered,
// and it keeps no corpus: go test does, and writes what fails to the testdata folder of the package.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	list := flag.Bool("list", false, "print the targets as \"package function\" and exit")
	fuzztime := flag.String("time", "60s", "how long to fuzz each target, as a duration or as a count such as 10000x")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: fuzzall [-list] [-time 60s] [PACKAGE...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	targets, err := discover(patterns)
	if err != nil {
		fmt.Fprintf(os.Stderr, "fuzzall: %v\n", err)
		os.Exit(2)
	}
	if *list {
		for _, t := range targets {
			fmt.Println(t)
		}
		return
	}
	if len(targets) == 0 {
		fmt.Fprintf(os.Stderr, "fuzzall: no fuzz target in %q\n", patterns)
		os.Exit(2)
	}
	if !fuzzEach(os.Stdout, targets, *fuzztime) {
		os.Exit(1)
	}
}
