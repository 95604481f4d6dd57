package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files of screens")

func ref[T any](v T) *T { return &v }

// sample is a snapshot in which every field says something.
func sample() Snapshot {
	const ms = 1_000_000
	return Snapshot{
		Schema: Schema, Number: 7, Clock: time.Date(2026, 11, 28, 12, 0, 7, 0, time.UTC), Title: "load",
		What: "2200 joins/s and 2200 repairs/s for 10s", Phase: "load", Doing: "14,300 joins, 14,290 repairs done",
		Done: 6500, Total: 10000,
		Load: &Load{
			At: 6.5, For: 10, Span: 1,
			Operations: []Operation{
				{
					Kind: "join", Offered: 14312, Sent: 14311, Done: 14299, InFlight: 12, OfferedRate: 2200, SentRate: 2199.4,
					DoneRate: 2201.2, Recent: Latency{2201, 7.123 * ms, 38.2 * ms, 61 * ms, 70.5 * ms},
					Overall: Latency{14299, 7.2 * ms, 41 * ms, 90 * ms, 120 * ms},
				},
				{
					Kind: "repair", Offered: 14312, Sent: 14312, Done: 14202, Failed: 3, InFlight: 107, OfferedRate: 2200,
					SentRate: 2200, DoneRate: 2190, FailedRate: 3, Recent: Latency{2193, 92 * ms, 580 * ms, Beyond, Beyond},
					Overall: Latency{14205, 90 * ms, 600 * ms, 1200 * ms, Beyond},
				},
				{Kind: "crash"},
			},
			Levels: []Level{
				{Receivers: 148, Queries: 20, PerJoin: 0.0014, Rate: 3},
				{Level: 1, Receivers: 4, Queries: 140130, PerJoin: 9.8, Rate: 21560},
				{Level: 2, Receivers: 16, Queries: 115822, Requests: 30, Repairs: 28, PerJoin: 8.1, Rate: 17820},
				{Level: 3, Receivers: 44, Queries: 91514, PerJoin: 6.4, Rate: 14080},
			},
			Refresh: Refresh{30, 1.49, 2.22, 0.9},
			Generator: Generator{
				LateRecent: 14_000, LateOverall: 15_000, Unsent: 1, Verdict: "VALID", CPU: 0.38, Steal: ref(0.001), GC: 0.0002,
			},
			Nodes: Nodes{
				Nodes: 32, Triggers: 259, Packets: 14709, Copies: 21870, Hottest: 17, HottestOver: 2.06, In: ref(29429.0),
				Out: ref(29430.0), Drops: map[string]uint64{"no match": 1353, "hop limit": 2}, DropRate: 448.6,
				Kernel: ref(uint64(12)),
			},
		},
	}
}

// A run is some snapshots, the last of which is over: its end, invalid, without what only some machines know.
func samples() []Snapshot {
	begun := Snapshot{Schema: Schema, Number: 1, Title: "load", Doing: "3 of 64 standing receivers", Done: 3, Total: 64}
	calm, busy, ended := sample(), sample(), sample()
	calm.Load.Operations[0].Recent.P99 = 10e6
	ended.Load.Over, ended.Phase, ended.Ended, ended.Report = true, "over", "complete", "bench-out/latest/report.html"
	ended.Load.Generator = Generator{
		LateRecent: 31e6, LateOverall: 31e6, Verdict: "INVALID: p99 lateness 31.0 ms, allowed 25.0 ms",
	}
	ended.Load.Nodes.Kernel, ended.Load.Nodes.In, ended.Load.Nodes.Out, ended.Load.Nodes.Drops = nil, nil, nil, nil
	return []Snapshot{begun, calm, busy, ended}
}

// What stands on a screen, of several widths, after each snapshot. A terminal gets the same with the moves between.
func TestScreens(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		var b strings.Builder
		s := screen{width: width}
		for _, x := range samples() {
			s.note(x)
			for _, l := range s.draw(x) {
				if n := utf8.RuneCountInString(l); n > width || strings.Contains(l, "\x1b") {
					t.Errorf("%d wide in %d: %q", n, width, l)
				}
				b.WriteString(l + "\n")
			}
			b.WriteString("\n")
		}
		golden(t, fmt.Sprintf("screen-%d.txt", width), b.String())
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s(go test ./loadgen/live -update)", name, got, want)
	}
}

// A terminal is a small model of one: it knows lines, and the moves that are used.
type model struct {
	t     *testing.T
	lines []string
	row   int
}

var moves = regexp.MustCompile(`\x1b\[(\d*)([AKJ])|\n|\r|[^\x1b\n\r]+`)

// Write does what a terminal does.
func (m *model) Write(b []byte) (int, error) {
	for _, part := range moves.FindAllStringSubmatch(string(b), -1) {
		for m.row >= len(m.lines) {
			m.lines = append(m.lines, "")
		}
		switch {
		case part[2] == "A":
			n := 0
			fmt.Sscan(part[1], &n)
			if m.row -= n; m.row < 0 {
				m.t.Fatal("beyond the top")
			}
		case part[2] == "J":
			m.lines = m.lines[:m.row]
		case part[2] == "K", part[0] == "\r":
		case part[0] == "\n":
			m.row++
		default:
			m.lines[m.row] = part[0]
		}
	}
	return len(b), nil
}

// A terminal shows the last snapshot alone, below what stood there before, whatever it had been; it takes no more than
// the height, follows a change of the width, and does not write after Close.
func TestTerminal(t *testing.T) {
	m := &model{t: t}
	fmt.Fprintln(m, "[1/1] load  what")
	width, height := 80, 40
	term := NewTerminal(m, false, func() (int, int) { return width, height })
	all := samples()
	for i, x := range []Snapshot{all[0], all[1], all[2], all[0], all[3]} {
		if i == 2 {
			width = 60
		}
		term.Show(x)
		want := screen{width: width - 1, past: term.screen.past}
		if got := m.lines[1:]; strings.Join(got, "\n") != strings.Join(want.draw(x), "\n") {
			t.Fatalf("after snapshot %d there stands\n%s", i, strings.Join(got, "\n"))
		}
	}
	height = 5
	term.Show(all[1])
	if len(m.lines) != 1+4 || m.lines[0] != "[1/1] load  what" {
		t.Errorf("in 5 lines there stand %q", m.lines)
	}
	term.Close()
	term.Show(all[0])
	if len(m.lines) != 5 {
		t.Error("it wrote after it was closed")
	}
}

// Colours are around the words, and are no part of the width.
func TestColours(t *testing.T) {
	colored, bare := screen{width: 80, color: true}, screen{width: 80}
	x := samples()[3]
	a, b := colored.draw(x), bare.draw(x)
	text := strings.Join(a, "\n")
	if strings.Join(b, "\n") != regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(text, "") {
		t.Errorf("without its colours the screen is another one:\n%s", text)
	}
	for _, want := range []string{bold + "load" + reset, red + "INVALID" + reset, dim + "generator"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}

// What an experiment says cannot move the cursor, and no width breaks the layout.
func TestHostileText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := sample()
		x.Title, x.Phase = rapid.String().Draw(t, "title"), "\x1b[2J\r\n"+rapid.String().Draw(t, "phase")
		x.Load.Operations[0].Kind = rapid.String().Draw(t, "kind") + "\x1b"
		s := screen{width: rapid.IntRange(-5, 200).Draw(t, "width")}
		for _, l := range append(s.draw(x), Line(x)) {
			if strings.ContainsAny(l, "\x1b\r\n") {
				t.Fatalf("%q", l)
			}
		}
		for _, l := range s.draw(x) {
			if n := utf8.RuneCountInString(l); n > max(s.width, 1) {
				t.Fatalf("%d wide in %d: %q", n, s.width, l)
			}
		}
	})
}

// A line says the same in short.
func TestLines(t *testing.T) {
	var b bytes.Buffer
	show := Lines(&b)
	show(Snapshot{Title: "load", What: "nothing is done yet"})
	for _, x := range samples() {
		show(x)
	}
	golden(t, "lines.txt", b.String())
}

// Each line of JSON is a snapshot, and reads back as it was.
func TestJSON(t *testing.T) {
	var b bytes.Buffer
	show := JSON(&b)
	for _, x := range samples() {
		show(x)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != len(samples()) {
		t.Fatalf("%d lines", len(lines))
	}
	for i, l := range lines {
		var x Snapshot
		if err := json.Unmarshal([]byte(l), &x); err != nil || !reflect.DeepEqual(x, samples()[i]) {
			t.Errorf("line %d (%v) is\n%+v\nwant\n%+v", i, err, x, samples()[i])
		}
	}
}

func TestFormats(t *testing.T) {
	for got, want := range map[string]string{
		digits(0): "0", digits(0.004): "0.00", digits(9.994): "9.99", digits(9.996): "10.0", digits(99.96): "100",
		digits(1234567): "1,234,567", duration(0): "0 ns", duration(999): "999 ns", duration(1000): "1.00 µs",
		duration(999_600): "1.00 ms", duration(25e6): "25.0 ms", duration(999_600_000): "1.00 s", duration(90e9): "90.0 s",
		duration(Beyond): "failed", percent(0.001): "0.1 %", clock(-1): "00:00:00", clock(3725.9): "01:02:05",
		clock(360000): "100:00:00", sparkline([]float64{0, 1, 4, 8, -1}): "▁▂▅█x", sparkline([]float64{0, 0}): "▁▁",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
