package reports

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A BenchLine is one line of Go benchmark output. Lines of one name are
// repetitions: benchstat shows their median and its interval, so figures with a
// spread over seeds give a line per seed.
type BenchLine struct {
	Name   string // without the leading "Benchmark"; parts after a slash are key=value
	N      int    // how many operations the values are over
	Values []BenchValue
}

// A BenchValue is a figure and its unit.
type BenchValue struct {
	Value float64
	Unit  string
}

// units says of every unit which direction is better. Lines of latency are in
// nanoseconds by name; benchstat shows them in the unit that fits.
var units = []struct{ unit, meta string }{
	{"level", "better=lower"},
	{"ratio", "better=lower"},
	{"events/s", "better=higher"},
	{"peak-B", "better=lower"},
	{"B/receiver", "better=lower"},
	{"requests/loss", "better=lower"},
	{"requests/packet", "better=lower"},
	{"share600ms", "better=higher"},
	{"refreshes/T", "better=lower"},
	{"refresh-share", "better=lower"},
	{"refresh/receiver-s", "better=lower"},
	{"copies", "better=lower"},
	{"queries/join", "better=lower"},
	{"queries/receiver", "better=lower"},
	{"ns/op", "better=lower"},
	{"ns/lookup", "better=lower"},
	{"deliveries/cpu-s", "better=higher"},
	{"msgs/op", "better=lower"},
	{"p50-ns", "better=lower"},
	{"p99-ns", "better=lower"},
	{"max-ns", "better=lower"},
	{"p99-service-ns", "better=lower"},
	{"p50-late-ns", "better=lower"},
	{"p99-late-ns", "better=lower"},
	{"%below2", "better=higher"},
	{"duplicates/loss", "better=lower"},
	{"owed-packets", "assume=exact"},
	{"missing-packets", "better=lower assume=exact"},
	{"joins/s", "better=higher"},
	{"repairs/s", "better=higher"},
	{"offered/s", "better=higher"},
	{"lower/s", "better=higher"},
	{"upper/s", "better=higher"},
	{"predicted/s", "better=higher"},
	{"predicted-all/s", "better=higher"},
	{"datagrams/join", "better=lower"},
	{"us/join", "better=lower"},
	{"busiest/mean", "better=lower"},
	{"rest-copies/s", "better=lower"},
	{"packets/join", "better=lower"},
	{"incomplete", "better=lower assume=exact"},
	{"unsent", "better=lower assume=exact"},
}

// Bench writes the figures of a result in the Go benchmark format, with the
// machine as configuration lines, the run as a comment, and the direction of
// each unit.
func Bench(r *Result) []byte {
	var b bytes.Buffer
	m := &r.Manifest
	config := func(key, value string) {
		if value = strings.Join(strings.Fields(value), " "); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	config("goos", m.Machine.OS)
	config("goarch", m.Machine.Arch)
	config("cpu", m.Machine.CPU)
	config("pkg", "i3bench")
	// What differs between the runs that someone compares is a comment: benchstat
	// puts runs whose configuration differs into tables of their own.
	fmt.Fprintf(&b, "# commit %s%s, seed %d, %s, started %s, %s\n", m.Commit, map[bool]string{true: "+dirty"}[m.Dirty],
		m.Seed, m.Status, m.Started.UTC().Format(time.RFC3339), m.Go)
	used := make(map[string]bool)
	for _, s := range r.Sections() {
		for _, l := range s.Bench {
			for _, v := range l.Values {
				used[v.Unit] = true
			}
		}
	}
	for _, u := range units {
		if used[u.unit] {
			fmt.Fprintf(&b, "Unit %s %s\n", u.unit, u.meta)
		}
	}
	b.WriteByte('\n')
	for _, s := range r.Sections() {
		for _, l := range s.Bench {
			l.write(&b)
		}
	}
	return b.Bytes()
}

func (l BenchLine) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "Benchmark%s %d", l.Name, l.N)
	for _, v := range l.Values {
		fmt.Fprintf(b, " %s %s", strconv.FormatFloat(v.Value, 'g', 8, 64), v.Unit)
	}
	b.WriteByte('\n')
}
