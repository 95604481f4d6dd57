package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"i3bench/internal/tablelines"
)

// report returns a table for each way in which keys are drawn: a column for each number of identifiers and share of
// hits, a line for each who was measured.
func report(r results) string {
	var out strings.Builder
	keys := make(map[string]bool)
	for row := range r {
		keys[row.Keys] = true
	}
	for i, k := range slices.Sorted(maps.Keys(keys)) {
		if i > 0 {
			out.WriteString("\n")
		}
		block{r, k, largestBatch(r)}.write(&out)
	}
	return out.String()
}

// largestBatch returns the size of batch that ours is judged by: the largest.
func largestBatch(r results) string {
	best := ""
	for row := range r {
		if row.Who == tablelines.Ours && tablelines.ByNumber(row.Batch, best) > 0 {
			best = row.Batch
		}
	}
	return best
}

// none stands for what was not measured. A line of nothing else is left out.
const none = "-"

// A block is the table of one way in which keys are drawn.
type block struct {
	results
	keys, batch string
}

// of returns the figures of who on a job.
func (b block) of(who string, j tablelines.Job) []float64 {
	r := tablelines.Row{Who: who, Job: j}
	if who == tablelines.Ours {
		r.Batch = b.batch
	}
	return b.results[r]
}

// jobs returns the columns: small tables first, and hits before misses.
func (b block) jobs() []tablelines.Job {
	seen := make(map[tablelines.Job]bool)
	for row := range b.results {
		if row.Keys == b.keys {
			seen[row.Job] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(x, y tablelines.Job) int {
		return cmp.Or(tablelines.ByNumber(x.N, y.N), tablelines.ByNumber(y.Hit, x.Hit))
	})
}

// peers returns who else was measured.
func (b block) peers() []string {
	seen := make(map[string]bool)
	for row := range b.results {
		if row.Keys == b.keys && row.Who != tablelines.Ours && row.Who != tablelines.Limit {
			seen[row.Who] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (b block) write(out *strings.Builder) {
	jobs := b.jobs()
	line := func(name string, cell func(tablelines.Job) string) {
		text, empty := fmt.Sprintf("%-26s", name), true
		for _, j := range jobs {
			c := cell(j)
			empty = empty && c == none
			text += fmt.Sprintf(" %8s", c)
		}
		if !empty {
			fmt.Fprintln(out, text)
		}
	}
	line("keys="+b.keys, func(j tablelines.Job) string { return "n=" + j.N })
	line("", func(j tablelines.Job) string { return "hit=" + j.Hit })

	mine := "ours"
	if b.batch != "" {
		mine += ", batch=" + b.batch
	}
	line(mine+", ns", func(j tablelines.Job) string { return b.time(tablelines.Ours, j) })
	line("  spread", func(j tablelines.Job) string {
		if f := b.of(tablelines.Ours, j); len(f) > 0 {
			return fmt.Sprintf("%.0f %%", spread(f))
		}
		return none
	})
	line("limit, ns", func(j tablelines.Job) string { return b.time(tablelines.Limit, j) })
	for _, p := range b.peers() {
		line(p+", ns", func(j tablelines.Job) string { return b.time(p, j) })
	}
	line("limit/ours", func(j tablelines.Job) string { return b.ratio(tablelines.Limit, j) })
	for _, p := range b.peers() {
		line(p+"/ours", func(j tablelines.Job) string { return b.ratio(p, j) })
	}
}

// time returns the median of who on a job.
func (b block) time(who string, j tablelines.Job) string {
	if f := b.of(who, j); len(f) > 0 {
		return fmt.Sprintf("%.1f", tablelines.Median(f))
	}
	return none
}

// ratio returns how many times as long as ours who takes on a job.
func (b block) ratio(who string, j tablelines.Job) string {
	theirs, mine := b.of(who, j), b.of(tablelines.Ours, j)
	if len(theirs) == 0 || len(mine) == 0 {
		return none
	}
	return fmt.Sprintf("%.2f", tablelines.Median(theirs)/tablelines.Median(mine))
}
