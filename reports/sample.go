package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Sample is one raw measurement, one line of samples.csv. What its fields
// mean, and which of them make sense, depends on Stage and Kind: kinds.go lists
// them all. Times are in nanoseconds.
type Sample struct {
	Stage     string  // part of the run, such as [StageLoad]
	Kind      string  // what was measured, such as [KindJoin]
	Group     string  // variant, operation or counter
	Status    string  // outcome, such as [StatusOK]
	Seed      uint64  // seed of the repetition that it belongs to
	Host      int     // index of the receiver
	Level     int     // level of the receiver in the tree; the root's children have level 1
	N         int64   // a count, such as receivers, messages, packets
	Value     float64 // the measured value
	StartNS   int64   // intended start since the begin of the stage
	ServiceNS int64   // the same duration as Value, measured another way
}

// check returns what keeps a sample from being written.
func (s *Sample) check() (kindSpec, error) {
	k, ok := lookupKind(s.Stage, s.Kind)
	switch {
	case !ok:
		return k, fmt.Errorf("reports: sample: unknown kind %s/%s, expected one of kinds.go", s.Stage, s.Kind)
	case math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || (s.Value < 0 && !k.signed):
		return k, fmt.Errorf("reports: sample %s/%s: value %v, expected a finite number%s", s.Stage, s.Kind, s.Value,
			k.atLeastZero())
	case s.Host < 0 || s.Level < 0 || s.N < 0 || s.StartNS < 0 || s.ServiceNS < 0:
		return k, fmt.Errorf("reports: sample %s/%s: host %d, level %d, n %d, start %d, service %d, expected none below zero",
			s.Stage, s.Kind, s.Host, s.Level, s.N, s.StartNS, s.ServiceNS)
	}
	for _, text := range [3]string{s.Stage, s.Group, s.Status} {
		if strings.ContainsAny(text, ",\"\r\n") {
			return k, fmt.Errorf("reports: sample %s/%s: text %.40q, expected no comma, quote or line break",
				s.Stage, s.Kind, text)
		}
	}
	return k, nil
}

func (k kindSpec) atLeastZero() string {
	if k.signed {
		return ""
	}
	return " that is not negative"
}

// appendTo appends the sample as a line. A field is empty if its kind does not
// have it.
func (s *Sample) appendTo(b []byte, k kindSpec) []byte {
	b = append(b, s.Stage...)
	b = append(b, ',')
	b = append(b, s.Kind...)
	for c := colSeed; c < numColumns; c++ {
		b = append(b, ',')
		if k.columns.has(c) {
			b = s.appendField(b, c)
		}
	}
	return append(b, '\n')
}

func (s *Sample) appendField(b []byte, c column) []byte {
	switch c {
	case colSeed:
		return strconv.AppendUint(b, s.Seed, 10)
	case colGroup:
		return append(b, s.Group...)
	case colHost:
		return strconv.AppendInt(b, int64(s.Host), 10)
	case colLevel:
		return strconv.AppendInt(b, int64(s.Level), 10)
	case colN:
		return strconv.AppendInt(b, s.N, 10)
	case colValue:
		return appendValue(b, s.Value)
	case colStart:
		return strconv.AppendInt(b, s.StartNS, 10)
	case colService:
		return strconv.AppendInt(b, s.ServiceNS, 10)
	case colStatus:
		return append(b, s.Status...)
	}
	return b
}

// appendValue writes a number exactly, and without an exponent in the range in
// which people read it.
func appendValue(b []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e18) {
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// header is the first line of samples.csv.
func header() string { return strings.Join(columnNames[:], ",") + "\n" }
