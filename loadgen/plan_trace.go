package loadgen

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxTrace bounds the operations of a trace, which is kept in memory.
const maxTrace = 1 << 22

// A Trace is a plan that was written down. It is immutable.
type Trace struct {
	ops   []Op
	does  []Action
	speed float64
}

// traceHeader is the first line of the file of a trace.
var traceHeader = []string{"time", "operation", "member"}

// ReadTrace reads a trace: lines of comma-separated values with the columns time, in
// seconds since the start or with a unit, operation, and member, in the order of the
// times. All operations last. The name is for errors, which say the line; kinds are
// the operations that there are.
func ReadTrace(name string, r io.Reader, kinds []string) (*Trace, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = len(traceHeader)
	c.TrimLeadingSpace = true
	c.Comment = '#'
	t := &Trace{speed: 1}
	for head := true; ; head = false {
		record, err := c.Read()
		if errors.Is(err, io.EOF) && !head {
			return t, nil
		}
		line := 1
		if len(record) > 0 {
			line, _ = c.FieldPos(0)
		}
		switch {
		case errors.Is(err, csv.ErrFieldCount):
			return nil, fmt.Errorf("%s:%d: %d values: want %s", name, line, len(record), strings.Join(traceHeader, ","))
		case err != nil:
			return nil, fmt.Errorf("%s: %w: want a line %s and lines of values", name, err, strings.Join(traceHeader, ","))
		case head && !slices.Equal(record, traceHeader):
			return nil, fmt.Errorf("%s:%d: %.80q: want the line %s", name, line, record, strings.Join(traceHeader, ","))
		case head:
		default:
			if err := t.add(record, kinds); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, line, err)
			}
		}
	}
}

// add adds a line.
func (t *Trace) add(record, kinds []string) error {
	at, err := parseSeconds(record[0])
	if err != nil {
		return err
	}
	if n := len(t.ops); n > 0 && at < t.ops[n-1].At {
		return fmt.Errorf("time %s: want none before that of the line above, %v", record[0], t.ops[n-1].At)
	}
	if !slices.Contains(kinds, record[1]) {
		return fmt.Errorf("operation %.40q: want one of %s", record[1], strings.Join(kinds, ", "))
	}
	member, err := strconv.ParseUint(record[2], 10, 63)
	if err != nil {
		return fmt.Errorf("member %.40q: want a whole number from 0", record[2])
	}
	if len(t.ops) == maxTrace {
		return fmt.Errorf("more than %d operations", maxTrace)
	}
	t.ops = append(t.ops, Op{uint64(len(t.ops)), at})
	t.does = append(t.does, Action{Kind: record[1], Member: member, Lasting: true})
	return nil
}

// parseSeconds parses a time since the start.
func parseSeconds(text string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("time %.40q: want seconds from 0, or a number with a unit, such as 1.5 or 1500ms", text)
		}
		return d, nil
	}
	if !(seconds >= 0 && seconds < 9e9) {
		return 0, fmt.Errorf("time %.40q: want seconds from 0 to 9e9", text)
	}
	return time.Duration(math.Round(seconds * 1e9)), nil
}

// Faster returns the trace with all times divided by a factor above 0.
func (t *Trace) Faster(factor float64) *Trace { return &Trace{t.ops, t.does, t.speed * factor} }

// Before returns the operations before a time.
func (t *Trace) Before(end time.Duration) *Trace {
	n := 0
	for n < len(t.ops) && t.time(t.ops[n].At) < end {
		n++
	}
	return &Trace{t.ops[:n], t.does[:n], t.speed}
}

func (t *Trace) time(at time.Duration) time.Duration {
	if t.speed == 1 {
		return at
	}
	return time.Duration(math.Round(float64(at) / t.speed))
}

// At implements [Schedule].
func (t *Trace) At(i uint64) (Op, bool) {
	if i >= uint64(len(t.ops)) {
		return Op{}, false
	}
	return Op{i, t.time(t.ops[i].At)}, true
}

// Action implements [Plan].
func (t *Trace) Action(index uint64) Action {
	if index >= uint64(len(t.does)) {
		return Action{}
	}
	return t.does[index]
}

// Len implements [Schedule].
func (t *Trace) Len() uint64 { return uint64(len(t.ops)) }
