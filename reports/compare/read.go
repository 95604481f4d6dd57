package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"

	"i3bench/reports"
)

// A Key names a row: one benchmark of one package, and one of its units.
type Key struct {
	Package string `json:"package,omitempty"`
	Name    string `json:"name"` // with its parts and the number of processors, without "Benchmark"
	Unit    string `json:"unit"` // as the file has it
}

// String returns the key for people, without the name of the module.
func (k Key) String() string {
	pkg := strings.TrimPrefix(strings.TrimPrefix(k.Package, "i3bench"), "/")
	if pkg != "" {
		pkg += " "
	}
	return pkg + k.Name + " " + k.Unit
}

// A series is the values of one row, in the order in which they were measured.
type series struct {
	key    Key
	unit   string // time in seconds
	kind   kind
	values []float64
}

// A Side is what was read of one side of a comparison.
type Side struct {
	rows    []*series // in order of appearance
	byKey   map[Key]*series
	machine map[string]string // goos, goarch, cpu
	broken  []string          // lines that looked like results and were none
}

// example is a line that errors show.
const example = "BenchmarkX 10 2.5 ns/op"

// Read reads runs: files in the format of Go benchmarks, result directories, and
// folders of either. Runs of one row add up. It returns an error that names the
// file where there is nothing to read, or no result in it.
func Read(paths ...string) (*Side, error) {
	s := &Side{byKey: make(map[Key]*series), machine: make(map[string]string)}
	for _, path := range paths {
		before := s.count()
		if err := s.path(path, true); err != nil {
			return nil, err
		}
		if s.count() == before {
			return nil, fmt.Errorf("compare: read %s: no result in it, expected lines such as %q", path, example)
		}
	}
	return s, nil
}

// count returns how many values there are.
func (s *Side) count() (n int) {
	for _, r := range s.rows {
		n += len(r.values)
	}
	return n
}

// path reads a file, a result directory, or each of these in a folder.
func (s *Side) path(path string, folders bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("compare: read %w", err)
	}
	if !info.IsDir() {
		return s.file(path)
	}
	if isResult(path) {
		return s.result(path)
	}
	if !folders {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("compare: read %w", err)
	}
	for _, e := range entries {
		if at := filepath.Join(path, e.Name()); e.IsDir() || filepath.Ext(at) == ".txt" {
			if err := s.path(at, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// isResult reports whether a folder is a result directory.
func isResult(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, reports.ManifestFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// result reads the figures of a result directory.
func (s *Side) result(dir string) error {
	r, err := reports.Open(dir)
	if err != nil {
		return err
	}
	return s.lines(bytes.NewReader(reports.Bench(r)), dir)
}

func (s *Side) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("compare: read %w", err)
	}
	defer f.Close()
	return s.lines(f, path)
}

// lines reads benchmark results.
func (s *Side) lines(in io.Reader, name string) error {
	r := benchfmt.NewReader(in, name)
	for r.Scan() {
		switch line := r.Result().(type) {
		case *benchfmt.Result:
			s.add(line)
		case *benchfmt.SyntaxError:
			s.broken = append(s.broken, line.Error())
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("compare: read %s: %w", name, err)
	}
	for _, row := range s.rows {
		row.learn(r.Units())
	}
	return nil
}

// add adds the values of one line.
func (s *Side) add(line *benchfmt.Result) {
	for _, key := range []string{"goos", "goarch", "cpu"} {
		if v := line.GetConfig(key); v != "" {
			s.machine[key] = v
		}
	}
	for _, v := range line.Values {
		key := Key{line.GetConfig("pkg"), strings.TrimPrefix(line.Name.String(), "Benchmark"), v.Unit}
		if v.OrigUnit != "" {
			key.Unit = v.OrigUnit
		}
		row := s.byKey[key]
		if row == nil {
			row = &series{key: key, unit: v.Unit, kind: kindOf(v.Unit)}
			s.byKey[key] = row
			s.rows = append(s.rows, row)
		}
		row.values = append(row.values, v.Value)
	}
}

// learn takes over what a file says of its units.
func (r *series) learn(units benchfmt.UnitMetadataMap) {
	if better := units.GetBetter(r.unit); better != 0 {
		r.kind.better = Direction(better)
	}
	if m := units.Get(r.unit, "assume"); m != nil {
		r.kind.exact = m.Value == "exact"
	}
}

// keys returns the keys of two sides, those of the first in its order.
func keys(old, new *Side) (out []Key) {
	for _, r := range old.rows {
		out = append(out, r.key)
	}
	for _, r := range new.rows {
		if old.byKey[r.key] == nil {
			out = append(out, r.key)
		}
	}
	return slices.Clip(out)
}

// values returns the values of a row, none if there is no such row.
func (s *Side) values(k Key) []float64 {
	if r := s.byKey[k]; r != nil {
		return r.values
	}
	return nil
}
