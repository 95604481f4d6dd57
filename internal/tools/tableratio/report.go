package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// report returns a table for each way in which keys are drawn: a column for each number of identifiers and share of
// hits, a line for each who was measured.
func report(r results) string {
	var out strings.Builder
	keys := make(map[string]bool)
	for row := range r {
		keys[row.keys] = true
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
		if row.who == ours && byNumber(row.batch, best) > 0 {
			best = row.batch
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
func (b block) of(who string, j job) []float64 {
	r := row{who: who, job: j}
	if who == ours {
		r.batch = b.batch
	}
	return b.results[r]
}

// jobs returns the columns: small tables first, and hits before misses.
func (b block) jobs() []job {
	seen := make(map[job]bool)
	for row := range b.results {
		if row.keys == b.keys {
			seen[row.job] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(x, y job) int {
		return cmp.Or(byNumber(x.n, y.n), byNumber(y.hit, x.hit))
	})
}

// peers returns who else was measured.
func (b block) peers() []string {
	seen := make(map[string]bool)
	for row := range b.results {
		if row.keys == b.keys && row.who != ours && row.who != limit {
			seen[row.who] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (b block) write(out *strings.Builder) {
	jobs := b.jobs()
	line := func(name string, cell func(job) string) {
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
	line("keys="+b.keys, func(j job) string { return "n=" + j.n })
	line("", func(j job) string { return "hit=" + j.hit })

	mine := "ours"
	if b.batch != "" {
		mine += ", batch=" + b.batch
	}
	line(mine+", ns", func(j job) string { return b.time(ours, j) })
	line("  spread", func(j job) string {
		if f := b.of(ours, j); len(f) > 0 {
			return fmt.Sprintf("%.0f %%", spread(f))
		}
		return none
	})
	line("limit, ns", func(j job) string { return b.time(limit, j) })
	for _, p := range b.peers() {
		line(p+", ns", func(j job) string { return b.time(p, j) })
	}
	line("limit/ours", func(j job) string { return b.ratio(limit, j) })
	for _, p := range b.peers() {
		line(p+"/ours", func(j job) string { return b.ratio(p, j) })
	}
}

// time returns the median of who on a job.
func (b block) time(who string, j job) string {
	if f := b.of(who, j); len(f) > 0 {
		return fmt.Sprintf("%.1f", median(f))
	}
	return none
}

// ratio returns how many times as long as ours who takes on a job.
func (b block) ratio(who string, j job) string {
	theirs, mine := b.of(who, j), b.of(ours, j)
	if len(theirs) == 0 || len(mine) == 0 {
		return none
	}
	return fmt.Sprintf("%.2f", median(theirs)/median(mine))
}
