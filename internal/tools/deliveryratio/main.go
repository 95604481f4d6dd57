// Deliveryratio reads the results of the data path's benchmarks, in the format of Go benchmarks, and prints for people
// how a node and its sockets stand: how many times as much they deliver or send as peers do and as the same loop in C
// does, for each size of payload and number of receivers. Figures are medians of the rounds, with the lowest and the
// highest round; it measures nothing itself.
package main

import (
	"fmt"
	"os"

	"i3bench/internal/deliverylines"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: deliveryratio FILE...")
		os.Exit(2)
	}
	var lines []deliverylines.Line
	for _, name := range os.Args[1:] {
		more, err := readFile(name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "deliveryratio: read %s: %v\n", name, err)
			os.Exit(1)
		}
		lines = append(lines, more...)
	}
	if len(lines) == 0 {
		fmt.Fprintln(os.Stderr, "deliveryratio: no result in deliveries/cpu-s or copies/cpu-s")
		os.Exit(1)
	}
	fmt.Print(report(deliverylines.Collect(lines)))
}

func readFile(name string) ([]deliverylines.Line, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return deliverylines.Read(file)
}
