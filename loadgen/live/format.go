package live

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// digits writes a number with three digits, or all of those before the point.
func digits(v float64) string {
	a := math.Abs(v)
	switch {
	case a == 0:
		return "0"
	case a < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return whole(uint64(math.Round(a)))
}

// whole writes a count with commas.
func whole(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// duration writes nanoseconds, or that an operation failed.
func duration(ns int64) string {
	v := float64(ns)
	switch {
	case ns == Beyond:
		return "failed"
	case v < 999.5:
		return strconv.FormatInt(ns, 10) + " ns"
	case v < 999.5e3:
		return digits(v/1e3) + " µs"
	case v < 999.5e6:
		return digits(v/1e6) + " ms"
	}
	return digits(v/1e9) + " s"
}

// percent writes a share.
func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
}

// clock writes seconds as hours, minutes and seconds.
func clock(seconds float64) string {
	d := time.Duration(max(0, seconds) * float64(time.Second)).Truncate(time.Second)
	text := func(n time.Duration) string {
		s := strconv.Itoa(int(n))
		return strings.Repeat("0", max(0, 2-len(s))) + s
	}
	return text(d/time.Hour) + ":" + text(d/time.Minute%60) + ":" + text(d/time.Second%60)
}

// bars are the heights of a sparkline.
var bars = []rune("▁▂▃▄▅▆▇█")

// sparkline draws values from 0 to the largest; one below 0 is an x.
func sparkline(values []float64) string {
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case v < 0:
			b.WriteRune('x')
		case most == 0:
			b.WriteRune(bars[0])
		default:
			b.WriteRune(bars[min(int(v/most*float64(len(bars))), len(bars)-1)])
		}
	}
	return b.String()
}
