package find

import (
	"errors"
	"fmt"
	"math"
)

// An Objective is a bound on a measured value.
type Objective struct {
	// Name is how reports call it, such as "join.p99<250ms".
	Name string
	// Limit is met by values below it, in the unit of the value.
	Limit float64
}

// Config says what is searched for and how. A zero field has the stated default.
type Config struct {
	Objectives []Objective // at least one
	Min        float64     // least rate that is tried, per second
	Max        float64     // largest

	// Factor is the ratio of a rate of the ramp to the one before. Default: 2.
	Factor float64
	// Precision is how far apart, relatively, the ends of the interval are where
	// no trials disagree. Default: 0.05.
	Precision float64
	// Confidence is the probability with which both ends of an interval are to be
	// right. Default: 0.9.
	Confidence float64
	// Long is the full length of a trial, in seconds, and Short that of the first
	// ones. Defaults: 2, and half of Long.
	Short, Long float64
	// Trials is the largest number of trials. Default: 100.
	Trials int
	// Budget is how many seconds all trials may take, with what each takes beside
	// its length. Zero: no bound.
	Budget float64
	// Checks are the shares of the largest rate found at which a trial is made at
	// the end. Default: 0.9, 0.5 and 0.1; empty but not nil: none.
	Checks []float64
}

// withDefaults returns the configuration with every zero field filled in.
func (c Config) withDefaults() Config {
	if c.Factor == 0 {
		c.Factor = 2
	}
	if c.Precision == 0 {
		c.Precision = 0.05
	}
	if c.Confidence == 0 {
		c.Confidence = 0.9
	}
	if c.Long == 0 {
		c.Long = 2
	}
	if c.Short == 0 {
		c.Short = c.Long / 2
	}
	if c.Trials == 0 {
		c.Trials = 100
	}
	if c.Budget == 0 {
		c.Budget = math.Inf(1)
	}
	if c.Checks == nil {
		c.Checks = []float64{0.9, 0.5, 0.1}
	}
	return c
}

// Bounds of a configuration.
const (
	leastPrecision  = 0.001
	mostFactor      = 10
	mostConfidence  = 0.999
	leastConfidence = 0.5
	mostTrials      = 10_000
)

// validate checks a configuration that has its defaults.
func (c Config) validate() error {
	if len(c.Objectives) == 0 {
		return errors.New("find: no objective, want at least one")
	}
	for _, o := range c.Objectives {
		if !(o.Limit > 0) {
			return fmt.Errorf("find: objective %.40q: limit %v, want more than zero", o.Name, o.Limit)
		}
	}
	if !(c.Min > 0 && c.Max >= c.Min) || math.IsInf(c.Max, 1) {
		return fmt.Errorf("find: rates from %v to %v, want more than zero and ascending", c.Min, c.Max)
	}
	if !(c.Short > 0 && c.Long >= c.Short) || math.IsInf(c.Long, 1) {
		return fmt.Errorf("find: trials of %v to %v s, want more than zero and ascending", c.Short, c.Long)
	}
	if !(c.Budget > 0) {
		return fmt.Errorf("find: a budget of %v s, want more than zero", c.Budget)
	}
	for _, f := range []struct {
		name               string
		value, least, most float64
	}{
		{"precision", c.Precision, leastPrecision, 1},
		{"factor", c.Factor, 1 + c.Precision, mostFactor},
		{"confidence", c.Confidence, leastConfidence, mostConfidence},
		{"number of trials", float64(c.Trials), 1, mostTrials},
	} {
		if !(f.value >= f.least && f.value <= f.most) {
			return fmt.Errorf("find: %s %v, want %v to %v", f.name, f.value, f.least, f.most)
		}
	}
	for _, share := range c.Checks {
		if !(share > 0 && share < 1) {
			return fmt.Errorf("find: a check at %v of the rate, want more than 0 and less than 1", share)
		}
	}
	return nil
}
