package reports

import (
	"math"
	"slices"

	"i3bench/loadgen/find"
	"i3bench/loadgen/plan"
)

// A Capacity is the prediction of the largest rate from the samples of [StageCapacity], and what was found.
type Capacity struct {
	Self  plan.Self
	Cores float64 // of the machine
	// Now is predicted with the processors that the program got while costs were measured; All with those that the
	// machine has.
	Now, All plan.Saturation
	// Then is predicted with the processors that the search got in the trials that failed, where the run has a search.
	Then      plan.Saturation
	ThenCores float64 // 0: none failed
	// Lower and Upper are the ends of what [Find] found: 0 and +Inf where there is none.
	Lower, Upper float64
	Confirmed    bool // that search was found to the end
}

// SummarizeCapacity predicts the largest rate from the samples of a run.
func SummarizeCapacity(r *Result) (c Capacity, err error) {
	samples := func(kind string) []Sample { return r.Select(StageCapacity, kind) }
	for _, s := range samples(KindGiven) {
		switch s.Group {
		case GivenCores:
			c.Cores = s.Value
		case GivenPool:
			c.Self.Pool = int(s.Value)
		case GivenLimit:
			c.Self.Limit = s.Value / 1e9
		}
	}
	busy := samples(KindBusy)
	for _, w := range samples(KindWork) {
		i := slices.IndexFunc(busy, func(b Sample) bool {
			return b.Group == w.Group && b.N == w.N && b.ServiceNS == w.ServiceNS
		})
		if w.Group == GroupBoth && i >= 0 {
			c.Self.Work = append(c.Self.Work, plan.Work{
				Rate: float64(w.N), Delay: float64(w.ServiceNS) / 1e9, Datagrams: w.Value, Busy: busy[i].Value,
			})
		}
	}
	c.Self.Costs = plan.Costs{
		Machine: values(samples(KindMachine)), Carry: values(samples(KindCarry)), Generate: values(samples(KindGenerate)),
	}
	for _, s := range samples(KindCarry) {
		c.Self.Costs.Cores = append(c.Self.Costs.Cores, float64(s.ServiceNS)/float64(max(1, s.StartNS)))
	}
	if c.Now, err = c.Self.Predict(); err != nil {
		return c, err
	}
	all := c.Self
	all.Costs.Cores = []float64{c.Cores}
	c.All, err = all.Predict()
	if err != nil {
		return c, err
	}
	c.found(r)
	if c.ThenCores = r.failedCores(); c.ThenCores > 0 {
		then := c.Self
		then.Costs.Cores = []float64{c.ThenCores}
		c.Then, err = then.Predict()
	}
	return c, err
}

// failedCores returns how many processors the program used in the trials of a search of the run that were valid and did
// not meet all objectives, median: as many as there were for it, if processors were what it lacked. 0: none failed.
func (r *Result) failedCores() float64 {
	f, err := r.search()
	if err != nil {
		return 0
	}
	var used []float64
	for _, s := range r.Select(StageFind, KindProcessors) {
		for _, t := range f.trials {
			if t.Number == s.Level && t.Invalid(f.lateLimit) == "" && f.fails(t) {
				used = append(used, s.Value)
			}
		}
	}
	if len(used) == 0 {
		return 0
	}
	return median(used)
}

// fails reports whether a trial did not meet all objectives.
func (f *found) fails(t Trial) bool {
	for i, o := range f.objectives {
		if !f.result.Answers[i].Met(t.Value(o)) {
			return true
		}
	}
	return false
}

// found takes over what a search of the run has found, or one elsewhere.
func (c *Capacity) found(r *Result) {
	c.Lower, c.Upper = 0, math.Inf(1)
	for _, s := range r.Select(StageCapacity, KindFound) {
		switch s.Group {
		case FoundLower:
			c.Lower = s.Value
		case FoundUpper:
			c.Upper = s.Value
		}
		c.Confirmed = s.Status == StatusOK
	}
	if lower, upper, confirmed := r.Found(); lower > 0 {
		c.Lower, c.Upper, c.Confirmed = lower, upper, confirmed
	}
}

// Found returns the ends of the interval in which a search of the run has found the largest rate that meets all
// objectives, in joins per second, and whether both are confirmed: 0 and +Inf where there are none.
func (r *Result) Found() (lower, upper float64, confirmed bool) {
	f, err := r.search()
	if err != nil || len(f.trials) == 0 {
		return 0, math.Inf(1), false
	}
	return f.result.All.Lower, f.result.All.Upper, f.result.All.State == find.Found
}

// Measured is the rate that was found, the geometric middle of the interval; NaN where it has not both ends.
func (c Capacity) Measured() float64 {
	if c.Lower <= 0 || math.IsInf(c.Upper, 1) {
		return math.NaN()
	}
	return math.Sqrt(c.Lower * c.Upper)
}

// FoundSamples are the samples that say in a run what a search has found elsewhere, see [Result.Found].
func FoundSamples(lower, upper float64, confirmed bool) (out []Sample) {
	s := Sample{Stage: StageCapacity, Kind: KindFound, Group: FoundLower, Value: lower, Status: StatusMissing}
	if confirmed {
		s.Status = StatusOK
	}
	out = append(out, s)
	if s.Group, s.Value = FoundUpper, upper; !math.IsInf(upper, 1) {
		out = append(out, s)
	}
	return out
}
