package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Who is measured, besides peers.
const (
	ours  = "ours"
	limit = "limit"
)

// A job is what was looked up: tables of n, so many percent hits, and how keys are drawn.
type job struct {
	n, hit, keys string
}

// A row is one who was measured on a job. Batch is of ours: several sizes of batches may be in one file.
type row struct {
	who, batch string
	job
}

// results are the times a look-up in ns, one for each round.
type results map[row][]float64

// enough is for how many percent of the time a program must have had a processor for its figure to count.
const enough = 90

// read adds those lines that are results of tables, and passes over all others, which belong to other benchmarks or
// to none. It returns how many results it left out because other programs kept this one from running.
func (r results) read(from io.Reader) (busy int, err error) {
	lines := bufio.NewScanner(from)
	for number := 1; lines.Scan(); number++ {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			continue
		}
		row, ok := parseName(fields[0])
		if !ok || !slices.Contains(fields, "ns/lookup") {
			continue
		}
		ns, err := value(fields, "ns/lookup", 0)
		if err != nil {
			return busy, fmt.Errorf("line %d: %w", number, err)
		}
		had, err := value(fields, "%cpu", 100)
		if err != nil {
			return busy, fmt.Errorf("line %d: %w", number, err)
		}
		if had < enough {
			busy++
			continue
		}
		r[row] = append(r[row], ns)
	}
	return busy, lines.Err()
}

// value returns the figure before a unit, which must be above 0, or another if the line has none.
func value(fields []string, unit string, other float64) (float64, error) {
	at := slices.Index(fields, unit)
	if at < 1 {
		return other, nil
	}
	v, err := strconv.ParseFloat(fields[at-1], 64)
	if err != nil || v <= 0 {
		return 0, fmt.Errorf("%.20q %s, want a number above 0", fields[at-1], unit)
	}
	return v, nil
}

// processors is what go test appends to names unless it uses one processor only.
var processors = regexp.MustCompile(`-\d+$`)

// parseName takes the name of a benchmark apart: BenchmarkMatch, BenchmarkLimit or BenchmarkPeer, and then parts of
// the form name=value.
func parseName(name string) (row, bool) {
	parts := strings.Split(processors.ReplaceAllString(name, ""), "/")
	values := make(map[string]string)
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		values[key] = value
	}
	r := row{batch: values["batch"], job: job{values["n"], values["hit"], values["keys"]}}
	switch parts[0] {
	case "BenchmarkMatch":
		r.who = ours
	case "BenchmarkLimit":
		r.who = limit
	case "BenchmarkPeer":
		r.who = values["table"]
	}
	return r, r.who != "" && r.n != "" && r.hit != "" && r.keys != ""
}

// median returns the middle of some figures, of two the mean.
func median(figures []float64) float64 {
	s := slices.Sorted(slices.Values(figures))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// spread returns the difference between the largest and the smallest, in percent of the median.
func spread(figures []float64) float64 {
	return 100 * (slices.Max(figures) - slices.Min(figures)) / median(figures)
}

// byNumber compares text as numbers, for names such as 1e7.
func byNumber(a, b string) int {
	x, _ := strconv.ParseFloat(a, 64)
	y, _ := strconv.ParseFloat(b, 64)
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
}
