package topology

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

func TestRead(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name, text string
		want       []time.Duration // one way, row by row
	}{
		{"tabs", "0\t10\t20\n11\t0\t30\n20\t30\t0\n", []time.Duration{0, 5 * ms, 10 * ms, 5500 * time.Microsecond, 0,
			15 * ms, 10 * ms, 15 * ms, 0}},
		{"spaces, no last newline", "0 1.5\n  2.5   0", []time.Duration{0, 750_000, 1_250_000, 0}},
		{"blank lines and CRLF", "\r\n0 2\r\n\r\n2 0\r\n\r\n", []time.Duration{0, ms, ms, 0}},
		{"missing as 0 and -1", "0 0\n-1 0\n", []time.Duration{0, Unknown, Unknown, 0}},
		{"one node", "0", []time.Duration{0}},
		{"tiny is not nothing", "0 1e-9\n1e-9 0\n", []time.Duration{0, 1, 1, 0}},
		{"an hour", "0 3600000\n3.6e6 0\n", []time.Duration{0, 30 * time.Minute, 30 * time.Minute, 0}},
	} {
		for form, text := range map[string]string{"plain": c.text, "gzip": zip(c.text)} {
			m, err := Read("rtt", strings.NewReader(text))
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, form, err)
				continue
			}
			if m.Len()*m.Len() != len(c.want) {
				t.Errorf("%s, %s: Len() = %d, want the root of %d", c.name, form, m.Len(), len(c.want))
				continue
			}
			for k, want := range c.want {
				if i, j := k/m.Len(), k%m.Len(); m.OneWay(i, j) != want {
					t.Errorf("%s, %s: OneWay(%d, %d) = %v, want %v", c.name, form, i, j, m.OneWay(i, j), want)
				}
			}
		}
	}
}

// zip returns the text as a gzip file.
func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func TestReadErrors(t *testing.T) {
	const number = "want a number of milliseconds >= 0, at most 3600000, or -1 if not measured"
	wide := strings.Repeat("0 ", MaxNodes+1)
	whole := zip("0 1 2\n1 0 2\n1 2 0\n")
	for _, c := range []struct{ name, text, want string }{
		{"word", "0 1\n1 abc\n", `topology: rtt.txt:2:2: round-trip time "abc": ` + number},
		{"negative", "0 -3\n1 0\n", `topology: rtt.txt:1:2: round-trip time "-3": ` + number},
		{"NaN", "0 1\nNaN 0\n", `topology: rtt.txt:2:1: round-trip time "NaN": ` + number},
		{"infinite", "0 1\n+Inf 0\n", `topology: rtt.txt:2:1: round-trip time "+Inf": ` + number},
		{"beyond float64", "0 1e999\n1 0\n", `topology: rtt.txt:1:2: round-trip time "1e999": ` + number},
		{"too long a time", "0 3600001\n1 0\n", `topology: rtt.txt:1:2: round-trip time "3600001": ` + number},
		{"long entry is cut", "0 " + strings.Repeat("x", 99), `topology: rtt.txt:1:2: round-trip time "` +
			strings.Repeat("x", 40) + `": ` + number},
		{"diagonal", "0 1\n\n1 4\n", `topology: rtt.txt:3:2: round-trip time "4" of a node to itself: want 0`},
		{"diagonal missing", "-1 1\n1 0\n", `topology: rtt.txt:1:1: round-trip time "-1" of a node to itself: want 0`},
		{"empty", "", "topology: rtt.txt: 0 rows of 0 entries: want a square matrix"},
		{"blank", " \n\t\n", "topology: rtt.txt: 0 rows of 0 entries: want a square matrix"},
		{"short row", "0 1 2\n1 0\n2 1 0\n", "topology: rtt.txt:2: row has 2 entries: want 3, as the first row has"},
		{"long row", "0 1\n1 0 5\n", "topology: rtt.txt:2: row has 3 entries: want 2, as the first row has"},
		{"too few rows", "0 1 2\n1 0 2\n", "topology: rtt.txt: 2 rows of 3 entries: want a square matrix"},
		{"too many rows", "0 1\n1 0\n1 1\n",
			"topology: rtt.txt:3: row 3: want 2, as many as the first row has entries"},
		{"too many nodes", wide, "topology: rtt.txt:1: row has 16385 entries: want at most 16384"},
		{"endless line", strings.Repeat("0", maxLine+1),
			"topology: rtt.txt:1: line is longer than 1048576 bytes: want at most 16384 entries"},
		{"cut gzip", whole[:len(whole)-9], "topology: rtt.txt:3: unexpected EOF: want a complete file"},
		{"not gzip after all", "\x1f\x8bnonsense!", "topology: rtt.txt: gzip: invalid header: want text or gzip"},
	} {
		m, err := Read("rtt.txt", strings.NewReader(c.text))
		if err == nil || m != nil {
			t.Errorf("%s: no error, want %q", c.name, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, err, c.want)
		}
	}
}

func TestReadFailingReader(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, r := range []io.Reader{
		iotest.ErrReader(broken),
		io.MultiReader(strings.NewReader("0 1\n"), iotest.ErrReader(broken)),
	} {
		if _, err := Read("rtt", r); !errors.Is(err, broken) {
			t.Errorf("error %v, want it to wrap %v", err, broken)
		}
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: error %v, want it to wrap %v", err, os.ErrNotExist)
	}
}

// What is written is read back, to within the half nanosecond of rounding.
func TestReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		rtt := rapid.SliceOfN(rapid.Float64Range(1e-6, 3.6e6), n*n, n*n).Draw(t, "rtt")
		var text strings.Builder
		for k, ms := range rtt {
			if k/n == k%n {
				ms = 0
			}
			fmt.Fprintf(&text, "%v%c", ms, "\t\n"[count(k%n == n-1)])
		}
		m, err := Read("rtt", strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		for k, ms := range rtt {
			i, j := k/n, k%n
			if got := float64(m.OneWay(i, j)) * 2 / 1e6; i != j && math.Abs(got-ms) > 1e-6+1e-12*ms {
				t.Fatalf("2*OneWay(%d, %d) = %v ms, want %v", i, j, got, ms)
			}
		}
	})
}

// FuzzRead compares with a parser that holds the whole text in memory and says
// only yes or no.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"0\t1\n1\t0\n", "0 1 2\n1 0 2\n2 1 0", "0", "", "0 -1\n0 0\n", "0 x\n1 0", "0 1e-7\r\n\r\n0x1p3 0\n", "0 1\n",
		zip("0 1\n1 0\n"), "\x1f\x8b", "0 nan\ninf 0", "0\v1\n1\u00a00\n", "0 1\n1 0\n0 0\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Read("fuzz", bytes.NewReader(text))
		if err != nil && !strings.HasPrefix(err.Error(), "topology: fuzz") {
			t.Fatalf("error does not name its place: %v", err)
		}
		if bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
			return // the twin reads no gzip
		}
		want, ok := readSlowly(string(text))
		if ok != (err == nil) {
			t.Fatalf("Read: %v, but the slow parser says ok = %v", err, ok)
		}
		for i := range want {
			for j := range want {
				if got.OneWay(i, j) != want[i][j] {
					t.Fatalf("OneWay(%d, %d) = %v, want %v", i, j, got.OneWay(i, j), want[i][j])
				}
			}
		}
	})
}

// readSlowly is the definition of the format in as few lines as possible.
func readSlowly(text string) (matrix [][]time.Duration, ok bool) {
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		var row []time.Duration
		for j, field := range fields {
			ms, err := strconv.ParseFloat(field, 64)
			onDiagonal := j == len(matrix)
			valid := ms == -1 || ms >= 0 && ms <= 3.6e6
			if err != nil || !valid || onDiagonal && ms != 0 {
				return nil, false
			}
			delay := max(time.Duration(math.Round(ms*5e5)), 1)
			if ms <= 0 {
				delay = Unknown
			}
			if onDiagonal {
				delay = 0
			}
			row = append(row, delay)
		}
		matrix = append(matrix, row)
	}
	for _, row := range matrix {
		if len(row) != len(matrix) {
			return nil, false
		}
	}
	return matrix, len(matrix) > 0
}
