package reports

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
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
	{"queries/receiver", "better=lower"},
	{"ns/op", "better=lower"},
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
	{"incomplete", "better=lower assume=exact"},
	{"unsent", "better=lower assume=exact"},
}

// Bench writes the figures of a result in the Go benchmark format, with the
// machine and the run as configuration lines and the direction of each unit.
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
	config("toolchain", m.Go)
	config("commit", m.Commit+map[bool]string{true: "+dirty"}[m.Dirty])
	config("seed", strconv.FormatUint(m.Seed, 10))
	config("status", string(m.Status))
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
