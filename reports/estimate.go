package reports

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is the level of the intervals of means over seeds.
const confidence = 0.95

// minIntervalSeeds is the number of seeds from which on a mean has an interval.
// Two values have one, but it is twelve times as wide as their distance.
const minIntervalSeeds = 3

// An Estimate is the mean of a figure over seeds and how far it can be trusted:
// the 95 % interval of the mean by Student's t where there are at least three
// seeds, else the range of the values.
type Estimate struct {
	Mean      float64
	Low, High float64
	Seeds     int
	Interval  bool // Low to High is the 95 % interval of the mean, not a range
}

// NewEstimate computes the estimate of values, one per seed. Of no values all
// its figures are NaN.
func NewEstimate(values []float64) Estimate {
	n := len(values)
	e := Estimate{Mean: Mean(values), Low: math.NaN(), High: math.NaN(), Seeds: n}
	switch {
	case n >= minIntervalSeeds:
		half := tQuantile(n-1) * StdDev(values) / math.Sqrt(float64(n))
		e.Low, e.High, e.Interval = e.Mean-half, e.Mean+half, true
	case n > 0:
		e.Low, e.High = slices.Min(values), slices.Max(values)
	}
	return e
}

// tQuantile is the factor of the two-sided interval for degrees of freedom.
func tQuantile(degrees int) float64 {
	t := distuv.StudentsT{Sigma: 1, Nu: float64(degrees)}
	return t.Quantile(1 - (1-confidence)/2)
}

// half is what an error bar shows on either side of the mean. The mean of two
// values is in the middle of their range; of an interval that was cut off at a
// bound, the whole side counts.
func (e Estimate) half() float64 {
	if e.Seeds < 2 {
		return 0
	}
	return max(e.High-e.Mean, e.Mean-e.Low)
}

// cell writes the estimate for a table: ± half the interval, or the range in
// brackets. One seed has neither.
func (e Estimate) cell(write func(float64) string) string {
	switch {
	case e.Seeds < 2:
		return write(e.Mean)
	case e.Interval:
		return write(e.Mean) + " ± " + write(e.half())
	}
	return fmt.Sprintf("%s [%s, %s]", write(e.Mean), write(e.Low), write(e.High))
}

// cellNote explains the cells, for captions.
const cellNote = "mean over seeds ± half its 95 % interval (Student's t); [range] where fewer than three seeds"

// spread writes the interval for a finding, and which one it is.
func (e Estimate) spread(write func(float64) string) string {
	switch {
	case e.Seeds < 2:
		return fmt.Sprintf("%d seed", e.Seeds)
	case e.Interval:
		return fmt.Sprintf("95 %% CI %s to %s, %d seeds", write(e.Low), write(e.High), e.Seeds)
	}
	return fmt.Sprintf("range %s to %s, %d seeds", write(e.Low), write(e.High), e.Seeds)
}

// share bounds the interval of a share: Student's t does not know that there is
// nothing beyond all and nothing.
func (e Estimate) share() Estimate {
	e.Low, e.High = max(e.Low, 0), min(e.High, 1)
	return e
}

// seedSpread writes the interval of a figure that has a value per seed.
func seedSpread(perSeed []SeedValue, write func(float64) string) string {
	return NewEstimate(seedValues(perSeed)).spread(write)
}

// holds reports whether a limit lies within the interval, so that the seeds do
// not settle on which side of it the mean is.
func (e Estimate) holds(limit float64) bool {
	return e.Interval && e.Low <= limit && limit <= e.High
}

// unsettled ends the text of a verdict whose limit the interval holds.
const unsettled = ", limit inside the interval"

// atMost judges a mean that should not be above a limit, below it if strict.
func (e Estimate) atMost(limit float64, strict bool) Verdict {
	v := Verdict{Pass, fmt.Sprintf("within the limit (%s)", signedPercent(e.Mean/limit-1))}
	switch {
	case e.Seeds == 0:
		return Verdict{NotMeasured, "not measured"}
	case e.Mean > limit || (strict && e.Mean == limit):
		v = Verdict{Miss, fmt.Sprintf("misses by %s", signedPercent(e.Mean/limit-1))}
	}
	if e.holds(limit) {
		v.Text += unsettled
	}
	return v
}

// A SizeRow is a figure of the groups of one size.
type SizeRow struct {
	N       int64
	PerSeed []SeedValue // ascending by seed
	Estimate
}

// A SizeCurve is a figure of one group of samples by group size, ascending.
type SizeCurve struct {
	Group string
	Rows  []SizeRow
}

// SummarizeBySize computes the curve of a figure for each group of samples. A
// seed with several samples of one size counts with their mean.
func SummarizeBySize(samples []Sample) []SizeCurve {
	names, groups := grouped(samples, byGroup)
	var out []SizeCurve
	for _, name := range names {
		c := SizeCurve{Group: name}
		sizes, bySizes := grouped(groups[name], byN)
		for _, n := range sizes {
			row := SizeRow{N: n, PerSeed: meanPerSeed(bySizes[n])}
			row.Estimate = NewEstimate(seedValues(row.PerSeed))
			c.Rows = append(c.Rows, row)
		}
		out = append(out, c)
	}
	return out
}

// last is the row of the largest group.
func (c SizeCurve) last() SizeRow { return c.Rows[len(c.Rows)-1] }

// at returns the row of one size; a row without seeds if there is none.
func (c SizeCurve) at(n int64) SizeRow {
	for _, row := range c.Rows {
		if row.N == n {
			return row
		}
	}
	return SizeRow{N: n, Estimate: NewEstimate(nil)}
}

// findCurve returns the curve of a group; one without rows if there is none.
func findCurve(curves []SizeCurve, group string) SizeCurve {
	for _, c := range curves {
		if c.Group == group {
			return c
		}
	}
	return SizeCurve{Group: group}
}
