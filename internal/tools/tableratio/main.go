// Tableratio reads the results of the tables' benchmarks, in the format of Go benchmarks, and prints for people how the
// matcher's table stands: its time a look-up, its distance to the limit, and how many times as long each peer takes,
// for each number of identifiers and share of hits. Figures are medians of the rounds in which other programs kept
// nobody from running; it measures nothing itself.
package main

import (
	"fmt"
	"os"

	"i3bench/internal/tablelines"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: tableratio FILE...")
		os.Exit(2)
	}
	r, busy := make(results), 0
	for _, name := range os.Args[1:] {
		n, err := readFile(r, name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "tableratio: read %s: %v\n", name, err)
			os.Exit(1)
		}
		busy += n
	}
	if len(r) == 0 && busy == 0 {
		fmt.Fprintln(os.Stderr, "tableratio: no result of a table in ns/lookup")
		os.Exit(1)
	}
	fmt.Print(report(r))
	if busy > 0 {
		fmt.Printf("left out: %d results of programs that had a processor for less than %d %% of the time\n", busy,
			tablelines.Enough)
	}
}

func readFile(r results, name string) (busy int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return r.read(file)
}
