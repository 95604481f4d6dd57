package tablelines

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

// Who is measured, besides peers. With a kernel that was asked for, its name stands behind it.
const (
	Ours  = "ours"
	Limit = "limit"
)

// A Job is what was looked up: tables of N, so many percent hits, and how keys are drawn.
type Job struct {
	N, Hit, Keys string
}

// A Row is one who was measured on a job. Batch is of ours: several sizes of batches may be in one file.
type Row struct {
	Who, Batch string
	Job
}

// A Line is one result.
type Line struct {
	Row
	NS    float64 // a look-up
	Share float64 // percent of the time for which the program had a processor; 100 if the line does not say
}

// Enough is for how many percent of the time a program must have had a processor for its figure to count.
const Enough = 90

// Busy reports whether other programs kept one from running so much that its figure says nothing, with the percentage
// for which it had a processor, 0 if that is not known.
func Busy(share float64) bool { return share > 0 && share < Enough }

// Read returns those lines that are results of tables, and passes over all others, which belong to other benchmarks or
// to none.
func Read(from io.Reader) (found []Line, err error) {
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
		l := Line{Row: row}
		if l.NS, err = value(fields, "ns/lookup", 0); err != nil {
			return found, fmt.Errorf("line %d: %w", number, err)
		}
		if l.Share, err = value(fields, "%cpu", 100); err != nil {
			return found, fmt.Errorf("line %d: %w", number, err)
		}
		found = append(found, l)
	}
	return found, lines.Err()
}

// value returns the figure before a unit, which must be above 0, or another if the line has none.
func value(fields []string, unit string, other float64) (float64, error) {
	at := slices.Index(fields, unit)
	if at < 1 {
		return other, nil
	}
	v, err := strconv.ParseFloat(fields[at-1], 64)
	if err != nil || !(v > 0) || v > 1e18 {
		return 0, fmt.Errorf("%.20q %s, want a number above 0", fields[at-1], unit)
	}
	return v, nil
}

// processors is what go test appends to names unless it uses one processor only.
var processors = regexp.MustCompile(`-\d+$`)

// parseName takes the name of a benchmark apart: BenchmarkMatch, BenchmarkLimit or BenchmarkPeer, and then parts of
// the form name=value.
func parseName(name string) (Row, bool) {
	parts := strings.Split(processors.ReplaceAllString(name, ""), "/")
	values := make(map[string]string)
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		values[key] = value
	}
	r := Row{Batch: values["batch"], Job: Job{values["n"], values["hit"], values["keys"]}}
	switch parts[0] {
	case "BenchmarkMatch":
		r.Who = Ours
	case "BenchmarkLimit":
		r.Who = Limit
	case "BenchmarkPeer":
		r.Who = values["table"]
	}
	if k := values["kernel"]; k != "" && r.Who != "" {
		r.Who += " " + k
	}
	return r, r.Who != "" && r.N != "" && r.Hit != "" && r.Keys != ""
}

// Median returns the middle of some figures, of two the mean.
func Median(figures []float64) float64 {
	s := slices.Sorted(slices.Values(figures))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// ByNumber compares text as numbers, for names such as 1e7.
func ByNumber(a, b string) int {
	x, _ := strconv.ParseFloat(a, 64)
	y, _ := strconv.ParseFloat(b, 64)
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
}
