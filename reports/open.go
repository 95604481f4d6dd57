package reports

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// maxWarnings bounds how many warnings a Result names; more are only counted.
const maxWarnings = 50

// A Result is what a result directory holds.
type Result struct {
	Dir      string
	Manifest Manifest
	Count    int    // samples read
	Baseline string // result directory, or file, whose CPU profile it is compared with; empty: none

	// Warnings name what could not be read, each with file and line and what was
	// expected, up to 50 of them. Skipped counts all lines left out.
	Warnings []string
	Skipped  int

	samples  map[kindKey][]Sample
	once     sync.Once
	sections []Section
}

// Open reads a result directory, finished or not. A missing or corrupt manifest
// is an error that names the file and the offset. Everything else that cannot
// be read becomes a warning: a line that is no sample is skipped, and so is a
// last line without its end, which a killed run leaves behind. A run that never
// recorded its end is given the status [Interrupted].
func Open(dir string) (*Result, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	m.settle()
	r := &Result{Dir: dir, Manifest: m, samples: make(map[kindKey][]Sample)}
	path := filepath.Join(dir, SamplesFile)
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.warn(0, "not there; every figure is absent")
	case err != nil:
		return nil, fmt.Errorf("reports: open %s: %w", path, err)
	default:
		defer f.Close()
		if err := r.read(f); err != nil {
			return nil, fmt.Errorf("reports: read %s: %w", path, err)
		}
	}
	return r, nil
}

// Select returns the samples of one stage and kind in file order. The caller
// must not change them.
func (r *Result) Select(stage, kind string) []Sample { return r.samples[kindKey{stage, kind}] }

// Stage returns what the manifest says of a stage, and whether it says anything.
func (r *Result) Stage(name string) (Stage, bool) {
	for _, s := range r.Manifest.Stages {
		if s.Name == name {
			return s, true
		}
	}
	return Stage{}, false
}

// warn records a warning about a line of the samples file; line 0 is the file.
func (r *Result) warn(line int, format string, args ...any) {
	if line > 0 {
		r.Skipped++
	}
	if len(r.Warnings) >= maxWarnings {
		return
	}
	at := SamplesFile
	if line > 0 {
		at = fmt.Sprintf("%s:%d", SamplesFile, line)
	}
	r.Warnings = append(r.Warnings, at+": "+fmt.Sprintf(format, args...))
}

// read reads the samples file line by line. It fails only where reading does.
func (r *Result) read(f io.Reader) error {
	in := bufio.NewReaderSize(f, 1<<18)
	p := parser{strings: make(map[string]string)}
	p.canonical()
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		switch {
		case err == io.EOF && len(line) == 0:
			return nil
		case err == io.EOF:
			r.warn(number, "the last line has no end: %.60q, expected a line break; the run was cut off here", line)
			return nil
		case err != nil:
			return err
		case long:
			r.warn(number, "a line of more than %d bytes, expected a sample", 1<<18)
		case number == 1 && p.header(line):
		default:
			r.line(&p, number, line)
		}
	}
}

// line reads one sample or warns about it.
func (r *Result) line(p *parser, number int, line []byte) {
	s, err := p.sample(bytes.TrimRight(line, "\r\n"))
	if number == 1 {
		what := "its columns are taken to be in the usual order"
		r.warn(0, "line 1 is %.60q, expected the header %.40q...; %s", bytes.TrimSpace(line), header(), what)
		if err != nil {
			return // a damaged header, not a lost sample
		}
	}
	if err != nil {
		r.warn(number, "%v; line skipped", err)
		return
	}
	k := kindKey{s.Stage, s.Kind}
	r.samples[k] = append(r.samples[k], s)
	r.Count++
}

// A parser turns lines into samples.
type parser struct {
	place   [numColumns]int // position of each column in a line, -1 if absent
	width   int             // fields in a line
	fields  [][]byte
	strings map[string]string // one copy of every text
}

// canonical expects the columns that the writer writes.
func (p *parser) canonical() {
	for c := range p.place {
		p.place[c] = c
	}
	p.width = int(numColumns)
}

// header reads the names of the columns; it reports whether the line is a
// header.
func (p *parser) header(line []byte) bool {
	names := bytes.Split(bytes.TrimSpace(line), []byte(","))
	place, found := [numColumns]int{}, 0
	for c := range place {
		place[c] = -1
		for i, name := range names {
			if string(name) == columnNames[c] {
				place[c] = i
				found++
			}
		}
	}
	if place[colStage] < 0 || place[colKind] < 0 || place[colValue] < 0 || found < 4 {
		return false
	}
	p.place, p.width = place, len(names)
	return true
}

// sample parses one line.
func (p *parser) sample(line []byte) (Sample, error) {
	p.fields = p.fields[:0]
	for rest, more := line, true; more; {
		var field []byte
		field, rest, more = bytes.Cut(rest, []byte{','})
		p.fields = append(p.fields, field)
	}
	var s Sample
	if len(p.fields) != p.width {
		return s, fmt.Errorf("%d fields in %.60q, expected %d", len(p.fields), line, p.width)
	}
	s.Stage, s.Kind = p.text(colStage), p.text(colKind)
	k, ok := lookupKind(s.Stage, s.Kind)
	if !ok {
		return s, fmt.Errorf("stage and kind %.40q, expected a known pair such as %q", s.Stage+","+s.Kind, "wan,stretch")
	}
	s.Group, s.Status = p.text(colGroup), p.text(colStatus)
	for c := colSeed; c < numColumns; c++ {
		field := p.field(c)
		if len(field) == 0 {
			if k.needed.has(c) {
				return s, fmt.Errorf("%s is empty, expected a value for %s/%s", columnNames[c], s.Stage, s.Kind)
			}
			continue
		}
		if err := s.parseField(c, field, k); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (p *parser) field(c column) []byte {
	if i := p.place[c]; i >= 0 {
		return p.fields[i]
	}
	return nil
}

// text returns a field as a string, the same one for the same text: a file has
// few texts and many lines.
func (p *parser) text(c column) string {
	b := p.field(c)
	if len(b) == 0 {
		return ""
	}
	s, ok := p.strings[string(b)]
	if !ok {
		s = string(b)
		p.strings[s] = s
	}
	return s
}

// parseField parses one field that is not empty.
func (s *Sample) parseField(c column, field []byte, k kindSpec) error {
	var err error
	expected := "a whole number that is not negative"
	switch c {
	case colSeed:
		s.Seed, err = strconv.ParseUint(string(field), 10, 64)
	case colHost:
		s.Host, err = parseInt[int](field)
	case colLevel:
		s.Level, err = parseInt[int](field)
	case colN:
		s.N, err = parseInt[int64](field)
	case colStart:
		s.StartNS, err = parseInt[int64](field)
	case colService:
		s.ServiceNS, err = parseInt[int64](field)
	case colValue:
		expected = "a finite number" + k.atLeastZero()
		s.Value, err = strconv.ParseFloat(string(field), 64)
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || (s.Value < 0 && !k.signed) {
			err = strconv.ErrRange
		}
	}
	if err != nil {
		return fmt.Errorf("%s is %.40q, expected %s", columnNames[c], field, expected)
	}
	return nil
}

func parseInt[T int | int64](field []byte) (T, error) {
	v, err := strconv.ParseInt(string(field), 10, 64)
	if err == nil && v < 0 {
		err = strconv.ErrRange
	}
	return T(v), err
}
