package compare

import (
	"math"
	"strconv"

	"i3bench/reports"
)

// A Figure is a number that JSON writes as null where it is none, or infinite.
type Figure float64

var nan = Figure(math.NaN())

// MarshalJSON writes the shortest form that reads back as the same number.
func (f Figure) MarshalJSON() ([]byte, error) {
	if v := float64(f); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Figure) UnmarshalJSON(b []byte) (err error) {
	if string(b) == "null" {
		*f = nan
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	*f = Figure(v)
	return err
}

// write writes a value of a unit for people; what cannot vary in full.
func (f Figure) write(unit string, exact bool) string {
	switch {
	case exact && !math.IsNaN(float64(f)):
		return strconv.FormatFloat(float64(f), 'f', -1, 64)
	case isTime(unit):
		return reports.Duration(float64(f) * 1e9)
	}
	return reports.Number(float64(f))
}

// percent writes a relative change.
func (f Figure) percent(sign bool) string {
	v := 100 * float64(f)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	s := strconv.FormatFloat(v, 'f', 1, 64) + " %"
	if sign && v >= 0 {
		return "+" + s
	}
	return s
}

// probability writes a p-value.
func (f Figure) probability() string {
	v := float64(f)
	switch {
	case math.IsNaN(v):
		return "-"
	case v < 0.0001:
		return "<0.0001"
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}
