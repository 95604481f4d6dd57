package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// num writes a figure with three significant digits, and whole from 100 on.
func num(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	if v == 0 {
		return "0"
	}
	// Rounded first: 9.999 has two digits before the point, not one.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	a := math.Abs(rounded)
	switch {
	case a >= 1e15:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 100:
		return count(int64(math.Round(v)))
	case a < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(rounded, 'f', 2-int(math.Floor(math.Log10(a))), 64)
}

// Number writes a figure as reports do: three significant digits, whole from 100 on,
// "-" for what is no number.
func Number(v float64) string { return num(v) }

// Duration writes nanoseconds in the unit that fits them.
func Duration(ns float64) string { return duration(ns) }

// count writes a whole number with commas between groups of three digits.
func count[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// percent writes a share of one.
func percent(share float64) string {
	if math.IsNaN(share) {
		return "-"
	}
	return strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
}

// signedPercent writes a relative difference with its sign.
func signedPercent(d float64) string {
	return fmt.Sprintf("%+.1f %%", 100*d)
}

// duration writes nanoseconds in the unit that fits them.
func duration(ns float64) string {
	a := math.Abs(ns)
	switch {
	case math.IsNaN(ns):
		return "-"
	case a < 999.5:
		return num(ns) + " ns"
	case a < 999.5e3:
		return num(ns/1e3) + " µs"
	case a < 999.5e6:
		return num(ns/1e6) + " ms"
	}
	return num(ns/1e9) + " s"
}

// percentile writes a percentile of a distribution of nanoseconds, with ">=" where
// it is the value of an operation that failed.
func percentile(d Distribution, p float64) string {
	if d.Beyond(p) {
		return "≥ " + duration(d.P(p))
	}
	return duration(d.P(p))
}

// plain writes a value of the paper as the paper does.
func plain(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// within judges a figure that should lie near a reference.
func within(ours, reference float64) Verdict {
	d := ours/reference - 1
	if math.Abs(d) <= paperTolerance+1e-12 {
		return Verdict{Pass, fmt.Sprintf("within 20 %% (%s)", signedPercent(d))}
	}
	return Verdict{Miss, fmt.Sprintf("misses by %s (allowed ±20 %%)", signedPercent(d))}
}

// atLeastShare judges a share of one that should reach a limit.
func atLeastShare(ours, limit float64) Verdict {
	d := 100 * (ours - limit)
	if ours >= limit {
		return Verdict{Pass, fmt.Sprintf("reached (%+.1f points)", d)}
	}
	return Verdict{Miss, fmt.Sprintf("misses by %.1f points", -d)}
}

// quote writes a command so that a shell reads it back as it was.
func quote(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a
		if a == "" || strings.ContainsFunc(a, needsQuotes) {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

func needsQuotes(c rune) bool {
	return !strings.ContainsRune("-_./=:,@%+", c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
}
