package topology

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// maxRTT is the longest round-trip time of a matrix. An hour is beyond any
	// measurement, and keeps sums of delays far from overflow.
	maxRTT = time.Hour

	// maxLine bounds the memory that one line may take, in bytes: 64 for each
	// of the most entries it may have.
	maxLine = MaxNodes * 64
)

// ReadFile reads a matrix from a file; see [Read].
func ReadFile(path string) (*Matrix, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("topology: read matrix: %w", err)
	}
	defer f.Close() // only read: closing has nothing to report
	return Read(path, f)
}

// Read reads a matrix of round-trip times in the format described in the package
// comment. It fails, with the name, the line and the entry, where the text is
// not such a matrix, and where it is larger than [MaxNodes].
func Read(name string, r io.Reader) (*Matrix, error) {
	text, err := decompress(r)
	if err != nil {
		return nil, fmt.Errorf("topology: %s: %w: want text or gzip", name, err)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxLine)
	p := parser{name: name}
	for lines.Scan() {
		p.line++
		if err := p.parseRow(lines.Text()); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, p.errorf(": line is longer than %d bytes: want at most %d entries", maxLine, MaxNodes)
	} else if err != nil {
		return nil, p.errorf(": %w: want a complete file", err)
	}
	if p.n == 0 || p.rows < p.n {
		return nil, fmt.Errorf("topology: %s: %d rows of %d entries: want a square matrix", name, p.rows, p.n)
	}
	return &Matrix{n: p.n, oneWay: p.oneWay}, nil
}

// decompress returns the plain text of r, which it recognises as gzip by its
// first two bytes (RFC 1952 section 2.3.1).
func decompress(r io.Reader) (io.Reader, error) {
	peeking := bufio.NewReader(r)
	magic, err := peeking.Peek(2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return peeking, nil
	}
	return gzip.NewReader(peeking)
}

// A parser is the state of reading one matrix.
type parser struct {
	name   string
	line   int // of the text, counted from 1
	n      int // entries of the first row, 0 before it
	rows   int
	oneWay []time.Duration
}

// errorf returns an error at the line that the parser reads, or was about to. The
// format goes on behind the number of the line, with the column or without.
func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("topology: %s:%d"+format, append([]any{p.name, max(p.line, 1)}, args...)...)
}

// parseRow appends one line. Blank lines are passed over: files often end in one.
func (p *parser) parseRow(line string) error {
	entries := 0
	for entry := range strings.FieldsSeq(line) {
		entries++
		if p.rows > 0 && (p.rows == p.n || entries > p.n) {
			continue // counted, for the error below
		}
		delay, err := p.parseEntry(entry, entries)
		if err != nil {
			return err
		}
		p.oneWay = append(p.oneWay, delay)
	}
	switch {
	case entries == 0:
		return nil
	case p.rows == 0 && entries > MaxNodes:
		return p.errorf(": row has %d entries: want at most %d", entries, MaxNodes)
	case p.rows == 0:
		p.n = entries
	case p.rows == p.n:
		return p.errorf(": row %d: want %d, as many as the first row has entries", p.rows+1, p.n)
	case entries != p.n:
		return p.errorf(": row has %d entries: want %d, as the first row has", entries, p.n)
	}
	p.rows++
	return nil
}

// parseEntry returns the one-way delay that an entry stands for. Columns count
// from 1.
func (p *parser) parseEntry(entry string, column int) (time.Duration, error) {
	const limit = float64(maxRTT / time.Millisecond)
	ms, err := strconv.ParseFloat(entry, 64)
	diagonal := column == p.rows+1
	switch {
	case err != nil || math.IsNaN(ms) || ms < 0 && ms != -1 || ms > limit:
		return 0, p.errorf(":%d: round-trip time %.40q: "+
			"want a number of milliseconds >= 0, at most %.0f, or -1 if not measured", column, entry, limit)
	case diagonal && ms != 0:
		return 0, p.errorf(":%d: round-trip time %.40q of a node to itself: want 0", column, entry)
	case diagonal:
		return 0, nil
	case ms <= 0:
		return Unknown, nil
	}
	return halfOf(ms), nil
}

// halfOf returns half of a positive round-trip time in milliseconds: at least
// 1 ns, so that it cannot be taken for none.
func halfOf(ms float64) time.Duration {
	return max(time.Duration(math.Round(ms/2*float64(time.Millisecond))), 1)
}
