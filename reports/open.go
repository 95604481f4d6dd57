package reports

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
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

	// Warnings name what could not be read, each with the file, the byte offset in
	// it and what was expected, up to 50 of them. Skipped counts all lines and rows
	// of samples left out.
	Warnings []string
	Skipped  int

	samples  map[kindKey][]Sample
	files    []fileState
	from     string // file that the samples are from
	once     sync.Once
	sections []Section
}

// Open reads a result directory, finished or not. What cannot be read becomes a
// warning and costs itself alone: a line that is no sample is skipped, and so is a
// last line without its end, which a killed run leaves behind. Of the two files of
// samples the one that has more of them counts; of a manifest that is gone or
// corrupt the report says what is absent without it. A run that never recorded its
// end is given the status [Interrupted]. Open returns an error if there are neither
// samples nor a manifest, or the manifest is of a later version.
func Open(dir string) (*Result, error) {
	m, err := readManifest(dir)
	if errors.Is(err, errSchema) {
		return nil, err
	}
	r := &Result{Dir: dir, Manifest: m}
	noted := r.load()
	if err != nil {
		if r.Count == 0 {
			return nil, err
		}
		r.Manifest = Manifest{Status: Unknown}
		r.Warnings = append([]string{err.Error()}, r.Warnings...)
	}
	r.Manifest.settle()
	r.files = append([]fileState{manifestState(err)}, noted...)
	return r, nil
}

// Select returns the samples of one stage and kind in the order in which they were
// recorded. The caller must not change them.
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

// loaded is what could be read of one file of a result directory.
type loaded struct {
	samples  map[kindKey][]Sample
	count    int      // samples, or histograms
	skipped  int      // those that could not be read
	warnings []string // of the first of them
}

// add takes a sample.
func (l *loaded) add(s Sample) {
	if l.samples == nil {
		l.samples = make(map[kindKey][]Sample)
	}
	k := kindKey{s.Stage, s.Kind}
	l.samples[k] = append(l.samples[k], s)
	l.count++
}

// damaged records a warning about a place in a file, and how many samples it cost.
func (l *loaded) damaged(file string, at int64, lost int, format string, args ...any) {
	l.skipped += lost
	if len(l.warnings) < maxWarnings {
		l.warnings = append(l.warnings, fmt.Sprintf("%s: at offset %d: ", file, at)+fmt.Sprintf(format, args...))
	}
}

// readJournal reads samples.csv. Its error is that of opening it.
func (l *loaded) readJournal(dir string) error {
	f, err := os.Open(filepath.Join(dir, SamplesFile))
	if err != nil {
		return err
	}
	defer f.Close()
	l.read(f)
	return nil
}

// A place is where a line stands in samples.csv.
type place struct {
	line int // from 1
	at   int64
}

// warn records a warning about a line of samples.csv that was left out.
func (l *loaded) warn(p place, lost int, format string, args ...any) {
	l.damaged(fmt.Sprintf("%s:%d", SamplesFile, p.line), p.at, lost, format, args...)
}

// read reads the text of samples.csv line by line.
func (l *loaded) read(f io.Reader) {
	in := bufio.NewReaderSize(f, 1<<18)
	p := parser{strings: make(map[string]string)}
	p.canonical()
	for here := (place{line: 1}); ; here.line++ {
		line, err := in.ReadSlice('\n')
		size := len(line)
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			var more []byte
			more, err = in.ReadSlice('\n')
			size += len(more)
		}
		switch {
		case err == io.EOF && size == 0:
			return
		case err == io.EOF:
			l.warn(here, 1, "the last line has no end: %.60q, expected a line break; the run was cut off here", line)
			return
		case err != nil:
			l.warn(here, 1, "%v; nothing more can be read", err)
			return
		case long:
			l.warn(here, 1, "a line of more than %d bytes, expected a sample", 1<<18)
		case here.line == 1 && p.header(line):
		default:
			l.line(&p, here, line)
		}
		here.at += int64(size)
	}
}

// line reads one sample or warns about it.
func (l *loaded) line(p *parser, here place, line []byte) {
	s, err := p.sample(bytes.TrimRight(line, "\r\n"))
	if here.line == 1 {
		what := "its columns are taken to be in the usual order"
		l.warn(here, 0, "%.60q, expected the header %.40q...; %s", bytes.TrimSpace(line), header(), what)
		if err != nil {
			return // a damaged header, not a lost sample
		}
	}
	if err != nil {
		l.warn(here, 1, "%v; line skipped", err)
		return
	}
	l.add(s)
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
	return intern(p.strings, p.field(c))
}

// intern returns bytes as a string, the same one for the same bytes.
func intern(all map[string]string, b []byte) string {
	if len(b) == 0 {
		return ""
	}
	s, ok := all[string(b)]
	if !ok {
		s = string(b)
		all[s] = s
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
