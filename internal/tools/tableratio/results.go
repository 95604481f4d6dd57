package main

import (
	"io"
	"slices"

	"i3bench/internal/tablelines"
)

// results are the times a look-up in ns, one for each round.
type results map[tablelines.Row][]float64

// read adds the results of tables. It returns how many it left out because other programs kept this one from running.
func (r results) read(from io.Reader) (busy int, err error) {
	lines, err := tablelines.Read(from)
	for _, l := range lines {
		if tablelines.Busy(l.Share) {
			busy++
			continue
		}
		r[l.Row] = append(r[l.Row], l.NS)
	}
	return busy, err
}

// spread returns the difference between the largest and the smallest, in percent of the median.
func spread(figures []float64) float64 {
	return 100 * (slices.Max(figures) - slices.Min(figures)) / tablelines.Median(figures)
}
