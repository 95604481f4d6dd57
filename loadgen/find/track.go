package find

import "math"

// A track is what is known about one objective: the ends of the interval in
// which its rate lies.
type track struct {
	cfg     *Config
	low     end       // the highest rate that is met; rate 0: none is
	high    end       // the lowest rate that fails; rate +Inf: none does
	seen    []verdict // while the bracket is open
	short   float64   // length below which trials are not believed any more, in seconds
	borders bool      // the bracket is closed: the ends are being confirmed
}

// An end is one end of the interval.
type end struct {
	rate     float64
	seconds  float64 // length of the longest trial there that said so
	evidence float64 // see the package comment
	here     float64 // of it, what came since the last move
	moves    int     // how often it went outwards as a border
	trials   int     // there, as a border
	settled  bool    // the evidence suffices
}

// A verdict is what a valid trial says about one objective.
type verdict struct {
	rate, seconds float64
	met           bool
}

func newTrack(c *Config) *track {
	return &track{cfg: c, low: noLow, high: noHigh, short: c.Short}
}

// The ends where there is no trial.
var (
	noLow  = end{rate: 0, evidence: 1, here: 1}
	noHigh = end{rate: math.Inf(1), evidence: 1, here: 1}
)

// long reports whether a trial of a length counts as one of full length.
func (t *track) long(seconds float64) bool { return seconds >= t.cfg.Long*(1-1e-9) }

// record takes a verdict into account. Above top nothing more can be tried.
func (t *track) record(v verdict, top float64) {
	if t.borders {
		t.bet(v, top)
		return
	}
	t.seen = append(t.seen, v)
	if v.met {
		t.metOpen(v)
	} else {
		t.failedOpen(v)
	}
}

// metOpen records that a rate is met while the bracket is open.
func (t *track) metOpen(v verdict) {
	if v.rate >= t.high.rate || near(v.rate, t.high.rate) {
		if v.seconds < t.high.seconds {
			return // a shorter trial does not contradict a longer one
		}
		t.contradicted(v, t.high)
		t.high = t.next(v.rate, false)
	}
	if v.rate > t.low.rate || near(v.rate, t.low.rate) {
		t.low = end{rate: v.rate, seconds: v.seconds, evidence: 1, here: 1}
	}
}

// failedOpen records that a rate fails while the bracket is open.
func (t *track) failedOpen(v verdict) {
	if v.rate <= t.low.rate || near(v.rate, t.low.rate) {
		if v.seconds < t.low.seconds {
			return
		}
		t.contradicted(v, t.low)
		t.low = t.next(v.rate, true)
	}
	if v.rate < t.high.rate || near(v.rate, t.high.rate) {
		t.high = end{rate: v.rate, seconds: v.seconds, evidence: 1, here: 1}
	}
}

// contradicted records that a trial says the opposite of an end. If it was longer
// than those of the end, none so short as they is believed from now on.
func (t *track) contradicted(v verdict, e end) {
	if v.seconds > e.seconds*(1+1e-9) {
		t.short = max(t.short, v.seconds)
	}
}

// next returns the nearest end that trials have named below a rate that fails, or
// above one that is met. Where the trials at a rate disagree, the last one counts.
func (t *track) next(rate float64, met bool) end {
	found := noHigh
	if met {
		found = noLow
	}
	for _, v := range t.seen {
		beyond := v.rate > rate && v.rate <= found.rate
		if met {
			beyond = v.rate < rate && v.rate >= found.rate
		}
		if beyond && v.seconds >= t.short*(1-1e-9) && !near(v.rate, rate) && t.lastAt(v.rate) == met {
			found = end{rate: v.rate, seconds: v.seconds, evidence: 1, here: 1}
		}
	}
	return found
}

// lastAt returns the last verdict at a rate.
func (t *track) lastAt(rate float64) (met bool) {
	for _, v := range t.seen {
		if near(v.rate, rate) {
			met = v.met
		}
	}
	return met
}

// open returns what the open bracket asks for next, if it is not closed yet. Rates
// may not exceed top; if the generator is the limit, they may not reach it either.
func (t *track) open(top float64, limited bool) (p Plan, ok bool) {
	low, high := t.low, t.high
	none, all := low.rate == 0, math.IsInf(high.rate, 1) || limited && high.rate >= top
	switch {
	case none && all:
		return Plan{Rate: t.cfg.Min, Seconds: t.short, Purpose: Ramp}, true
	case none && !near(high.rate, t.cfg.Min):
		return Plan{Rate: max(high.rate/t.cfg.Factor, t.cfg.Min), Seconds: t.short, Purpose: Ramp}, true
	case none:
		return Plan{Rate: high.rate, Seconds: t.cfg.Long, Purpose: Look}, !t.long(high.seconds)
	case all && limited && top > low.rate*(1+t.cfg.Precision)*(1+1e-9):
		return t.middle(low.rate, top), true
	case all && !limited && low.rate < top && !near(low.rate, top):
		return Plan{Rate: min(low.rate*t.cfg.Factor, top), Seconds: t.short, Purpose: Ramp}, true
	case !all && high.rate > low.rate*(1+t.cfg.Precision)*(1+1e-9):
		return t.middle(low.rate, high.rate), true
	case !t.long(low.seconds):
		return Plan{Rate: low.rate, Seconds: t.cfg.Long, Purpose: Look}, true
	case !all && !t.long(high.seconds):
		return Plan{Rate: high.rate, Seconds: t.cfg.Long, Purpose: Look}, true
	}
	return Plan{}, false
}

// middle halves a bracket. The last halving has the full length, and each before
// it half of that, down to the shortest.
func (t *track) middle(low, high float64) Plan {
	left := math.Log2(math.Log(high/low) / math.Log1p(t.cfg.Precision))
	seconds := t.cfg.Long / math.Exp2(max(math.Ceil(left-1e-9)-1, 0))
	return Plan{Rate: math.Sqrt(low * high), Seconds: max(seconds, t.short), Purpose: Halve}
}

// lower brings the lower end below a rate that cannot be tried any more.
func (t *track) lower(ceiling float64) {
	switch {
	case t.low.rate < ceiling && !near(t.low.rate, ceiling):
	case !t.borders:
		t.low = t.next(ceiling, true)
	default:
		t.low.rate, t.low.seconds = ceiling/(1+t.cfg.Precision), 0
		if t.low.rate < t.cfg.Min {
			t.low.rate = 0
		}
	}
}
