package main

import (
	"bytes"
	"strconv"
	"strings"
)

// tries is how often a benchmark is run in a round, one after the other; the fastest counts. What else runs on a
// machine only ever takes time away, from either version.
const tries = 3

// best returns benchmark output with the fastest line of each benchmark alone, where the first stood. All else stays.
func best(out []byte) []byte {
	var kept []string
	at := make(map[string]int)
	for line := range strings.Lines(string(out)) {
		name := ""
		if fields := strings.Fields(line); len(fields) > 3 { // a name, how often, a value and its unit
			name = fields[0]
		}
		i, again := at[name]
		switch {
		case !strings.HasPrefix(name, "Benchmark"):
			kept = append(kept, line)
		case !again:
			at[name] = len(kept)
			kept = append(kept, line)
		case cost(line) < cost(kept[i]):
			kept[i] = line
		}
	}
	var b bytes.Buffer
	for _, line := range kept {
		b.WriteString(line)
	}
	return b.Bytes()
}

// cost is the processor time that a line reports, or the time on the wall if it has none, or 0.
func cost(line string) (ns float64) {
	fields := strings.Fields(line)
	for i, unit := range fields {
		processor := strings.HasPrefix(unit, "cpu-ns/")
		if i == 0 || !processor && !strings.HasPrefix(unit, "ns/") {
			continue
		}
		v, err := strconv.ParseFloat(fields[i-1], 64)
		if err == nil && processor {
			return v
		}
		ns = v
	}
	return ns
}
