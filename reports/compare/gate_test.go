package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// read reads results from text.
func read(t *testing.T, text string) *Side {
	t.Helper()
	path := filepath.Join(t.TempDir(), "results.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines repeats a result with each of the values.
func lines(name, unit string, values ...string) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString("Benchmark" + name + "-2 100 " + v + " " + unit + "\n")
	}
	return b.String()
}

// calm and slow are ten values each that have nothing in common.
var (
	calm = []string{"100", "101", "99", "100.5", "99.5", "100.2", "99.8", "100.1", "99.9", "100.3"}
	slow = []string{"110", "111", "109", "110.5", "109.5", "110.2", "109.8", "110.1", "109.9", "110.3"}
)

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		unit     string
		old, new []string
		want     Verdict
	}{
		{"ns/op", calm, slow, Worse},
		{"ns/op", slow, calm, Better},
		{"ns/op", calm, calm, Same},
		{"packets/s", calm, slow, Better},
		{"packets/s", slow, calm, Worse},
		{"p99-ns", calm, slow, Worse},
		{"allocs/op", []string{"0", "0", "0", "0", "0"}, []string{"1", "1", "1", "1", "1"}, Worse},
		{"allocs/op", []string{"2", "2", "2", "2", "2"}, []string{"2", "2", "2", "2", "2"}, Same},
		{"furlongs", calm, slow, Changed},
		{"ns/op", calm[:3], slow[:3], Noisy}, // p of three against three is 0.1 at best
		{"ns/op", []string{"50", "200", "90", "130", "60", "180"}, []string{"70", "190", "100", "120", "50", "170"}, Noisy},
		{"sim-datagrams", []string{"5000", "5000"}, []string{"5001", "5001"}, Worse},
		{"sim-datagrams", []string{"5000"}, []string{"4999"}, Better},
		{"sim-datagrams", []string{"5000", "5000"}, []string{"5000"}, Same},
		{"sim-datagrams", []string{"5000", "5000", "5000"}, []string{"5000", "5001", "5000"}, Changed}, // its median is not
		{"sim-trace-hash", []string{"281474976710655"}, []string{"281474976710654"}, Changed},
		{"ns/op", calm, nil, OnlyOld},
		{"ns/op", nil, calm, OnlyNew},
	} {
		other := lines("Other", "ns/op", "1")
		got := Compare(read(t, other+lines("X", c.unit, c.old...)), read(t, other+lines("X", c.unit, c.new...)), Options{})
		if r := got.find(Key{Name: "X-2", Unit: c.unit}); r.Verdict != c.want {
			t.Errorf("%s %v to %v: %s, expected %s (%+v)", c.unit, c.old, c.new, r.Verdict, c.want, r)
		}
	}
}

// Four against four that have nothing in common have a p of 2/70: enough alone, and
// nothing among twenty rows. Rows that cannot vary, or did not, are no tests.
func TestCorrection(t *testing.T) {
	old, new := lines("X", "ns/op", calm[:4]...), lines("X", "ns/op", slow[:4]...)
	verdict := func(others string) Verdict {
		c := Compare(read(t, old+others), read(t, new+others), Options{})
		return c.find(Key{Name: "X-2", Unit: "ns/op"}).Verdict
	}
	var varying, constant string
	for i := range 20 {
		varying += lines(fmt.Sprint("Y", i), "ns/op", calm...)
		constant += lines(fmt.Sprint("Y", i), "allocs/op", "3", "3") + lines(fmt.Sprint("Z", i), "sim-events", "7")
	}
	if got := verdict(""); got != Worse {
		t.Errorf("alone: %s, expected worse", got)
	}
	if got := verdict(varying); got != Noisy {
		t.Errorf("among twenty rows: %s, expected noisy", got)
	}
	if got := verdict(constant); got != Worse {
		t.Errorf("among rows that did not vary: %s, expected worse", got)
	}
}

// A change that is sure, and smaller than what counts, is none.
func TestMinimumEffect(t *testing.T) {
	old, new := read(t, lines("X", "ns/op", calm...)), read(t, lines("X", "ns/op", slow...))
	for effect, want := range map[float64]Verdict{0.05: Worse, 0.099: Worse, 0.11: Same} {
		r := Compare(old, new, Options{Effect: effect, See: 0.2}).Rows[0]
		if r.Verdict != want || r.Adjusted > 0.001 || math.Abs(float64(r.Change)-0.1) > 0.001 {
			t.Errorf("least effect %g: %s, p %v, change %v, expected %s", effect, r.Verdict, r.Adjusted, r.Change, want)
		}
	}
}

// Units lines of a file come before what is known.
func TestUnitLines(t *testing.T) {
	meta := "Unit furlongs better=higher assume=exact\n"
	r := Compare(read(t, meta+lines("X", "furlongs", "10")), read(t, meta+lines("X", "furlongs", "9")), Options{}).Rows[0]
	if !r.Exact || r.Better != Higher || r.Verdict != Worse {
		t.Errorf("%+v, expected an exact loss", r)
	}
}

// gateOf judges two texts, and a second pair if there is one.
func gateOf(t *testing.T, texts ...string) *Gate {
	t.Helper()
	g := &Gate{First: Compare(read(t, texts[0]), read(t, texts[1]), Options{})}
	if len(texts) > 2 {
		g.Confirm(read(t, texts[2]), read(t, texts[3]))
	}
	return g
}

func TestOutcomes(t *testing.T) {
	a, b := lines("X", "ns/op", calm...), lines("X", "ns/op", slow...)
	few, other := lines("X", "ns/op", calm[:3]...), lines("Y", "ns/op", "1")
	wide := lines("X", "ns/op", "90", "92", "95", "97", "99", "101", "103", "105", "108", "110")
	wider := lines("X", "ns/op", "97", "99", "102", "104", "107", "109", "111", "113", "116", "119")
	counts := func(n string) string { return a + lines("Counts", "sim-datagrams", n, n) }
	onCPU := func(cpu, text string) string { return "cpu: " + cpu + "\n" + text }
	for _, c := range []struct {
		name  string
		texts []string
		want  Outcome
		says  string
	}{
		{"equals", []string{a, a}, Fine, "no regression"},
		{"better", []string{b, a}, Fine, "no regression"},
		{"suspicion alone", []string{a, b}, Unsure, "suspected, not measured again"},
		{"confirmed", []string{a, b, a, b}, Regression, "confirmed by a second pair"},
		{"not confirmed", []string{a, b, a, a}, Fine, "not confirmed"},
		{"confirmed by too few", []string{a, b, few, few}, Unsure, "not confirmed"},
		{"confirmation lacks the row", []string{a, b, other, other}, Unsure, "not confirmed"},
		{"faint", []string{wide, wider, wide, wider}, Unsure, "cannot tell: X-2 ns/op (worse"},
		{"too few", []string{few, few}, Unsure, "noisy, detectable none"},
		{"one message more", []string{counts("5000"), counts("5001")}, Regression, "5000 to 5001"},
		{"one message less", []string{counts("5000"), counts("4999")}, Regression, "exact"},
		{"gone", []string{a + lines("Y", "ns/op", calm...), a}, Unsure, "only old"},
		{"added", []string{a, a + lines("Y", "ns/op", calm...)}, Fine, ""},
		{"another machine", []string{onCPU("one", a), onCPU("two", b)}, Unsure, "different machines"},
		{"another machine, exact", []string{onCPU("one", counts("1")), onCPU("two", counts("2"))}, Regression, "exact"},
	} {
		g := gateOf(t, c.texts...)
		if g.Outcome() != c.want || !strings.Contains(g.Text(), c.says) {
			t.Errorf("%s: %v, expected %v and %q:\n%s", c.name, g.Outcome(), c.want, c.says, g.Text())
		}
	}
}

func TestAccept(t *testing.T) {
	g := gateOf(t, lines("Join", "sim-datagrams", "5000"), lines("Join", "sim-datagrams", "5001"))
	g.Accept = regexp.MustCompile("^Join.* sim-")
	if g.Outcome() != Fine || !strings.Contains(g.Text(), "accepted: Join-2") {
		t.Errorf("%v, expected the change to be accepted:\n%s", g.Outcome(), g.Text())
	}
}

// Every form says the same, and the JSON is one.
func TestForms(t *testing.T) {
	a, b := lines("X|Y", "ns/op", calm...), lines("X|Y", "ns/op", slow...)
	g := gateOf(t, a, b, a, b)
	for form, text := range map[string]string{"text": g.Text(), "markdown": g.Markdown()} {
		for _, part := range []string{"REGRESSION", "+10.0 %", "100 ns", "worse", "0.0002"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q:\n%s", form, part, text)
			}
		}
	}
	if !strings.Contains(g.Markdown(), `X\|Y`) {
		t.Error("a bar in a name ends a cell")
	}
	data, err := g.JSON()
	var back struct {
		Outcome string
		Code    int
		Fired   []Key
		First   Comparison
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if err != nil || back.Code != 1 || len(back.Fired) != 1 || back.First.Rows[0].Verdict != Worse {
		t.Errorf("%v, %s", err, data)
	}
	few := gateOf(t, lines("X", "ns/op", "1"), lines("X", "ns/op", "1")) // infinite and missing figures
	if _, err := few.JSON(); err != nil {
		t.Error(err)
	}
}
