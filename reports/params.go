package reports

import (
	"math"
	"strconv"
	"time"
)

// Names of parameters in the manifest that the formulas of the paper need; of
// one that is absent or no number, the paper's value counts.
const (
	ParamDegree      = "sim-degree"     // D: links under one identifier
	ParamPeriod      = "sim-period"     // T: life of a trigger, in seconds or as a Go duration
	ParamAlpha       = "sim-alpha"      // refresh timers begin at this share of T
	ParamBetaUniform = "sim-beta-unif"  // and end at this one with refresh-unif
	ParamBetaLevel   = "sim-beta-level" // for the levels one and two with refresh-level
)

// formulaParams are what the paper's formulas are computed with.
type formulaParams struct {
	degree                        float64
	period                        float64 // T in ns
	alpha, betaUniform, betaLevel float64
}

func (r *Result) formulaParams() formulaParams {
	m := &r.Manifest
	return formulaParams{
		degree: max(m.number(ParamDegree, 8), 2), period: 1e9 * m.number(ParamPeriod, 30),
		alpha: m.number(ParamAlpha, 0.5), betaUniform: m.number(ParamBetaUniform, 1),
		betaLevel: m.number(ParamBetaLevel, 0.75),
	}
}

// number returns a parameter that is a positive number or a duration, in
// seconds.
func (m *Manifest) number(name string, otherwise float64) float64 {
	text := m.Parameters[name]
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d, derr := time.ParseDuration(text)
		v, err = d.Seconds(), derr
	}
	if err != nil || !(v > 0) || math.IsInf(v, 0) {
		return otherwise
	}
	return v
}
