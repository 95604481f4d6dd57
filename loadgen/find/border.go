package find

import "math"

// What a bet won or lost multiplies the evidence by. They are as far above 1 as
// below, so that the evidence does not grow, on average, where the chances are
// even. A bet of less than everything lets an end survive a trial that a hiccup
// of the machine spoilt; with these, six that agree are enough for the default
// confidence, or eight with one that does not, and the evidence grows where 69 % agree or more.
// An end leaves a place where the evidence has fallen below leave.
const (
	won   = 1.7
	lost  = 0.3
	leave = 0.5
)

// enough returns the evidence that settles an end: both ends are wrong together
// with a probability of at most 1 - Confidence.
func (c *Config) enough() float64 { return 2 / (1 - c.Confidence) }

// confidence returns the probability with which an end of so much evidence is
// right, at least.
func confidence(evidence float64) float64 { return max(0, 1-1/evidence) }

// bet takes a verdict into account when the ends are being confirmed. It counts
// at an end that it was made at, for the full length. At an end that has just
// moved it is a look, at any other a bet.
func (t *track) bet(v verdict, top float64) {
	if !t.long(v.seconds) {
		return
	}
	if low := &t.low; near(v.rate, low.rate) && low.take(v.met, t.cfg.enough()) {
		low.rate /= t.step(low)
		switch {
		case near(v.rate, t.cfg.Min):
			low.rate = 0
		case low.rate < t.cfg.Min:
			low.rate = t.cfg.Min
		}
	}
	if high := &t.high; near(v.rate, high.rate) && high.take(!v.met, t.cfg.enough()) {
		high.rate *= t.step(high)
		switch {
		case near(v.rate, top):
			high.rate = math.Inf(1)
		case high.rate > top:
			high.rate = top
		}
	}
}

// take records that a trial of full length at the end turned out as the end
// claims, or not, and reports whether the end has to move.
func (e *end) take(agrees bool, enough float64) (move bool) {
	if e.settled {
		return false
	}
	e.trials++
	switch {
	case e.seconds == 0 && agrees:
		e.seconds = 1 // looked at; the length does not matter any more
		return false
	case e.seconds == 0:
		e.moves++
		return true
	case agrees:
		e.evidence *= won
		e.here *= won
		e.settled = e.evidence >= enough
		return false
	}
	e.evidence *= lost
	e.here *= lost
	if e.here >= leave {
		return false
	}
	e.seconds, e.here = 0, 1
	e.moves++
	return true
}

// step returns by which factor an end moves outwards: twice as far each time.
func (t *track) step(e *end) float64 {
	return min(1+t.cfg.Precision*math.Exp2(float64(e.moves-1)), t.cfg.Factor)
}

// lowerLeft and upperLeft report whether an end is still to be confirmed.
func (t *track) lowerLeft() bool { return t.low.rate > 0 && !t.low.settled }
func (t *track) upperLeft() bool { return !math.IsInf(t.high.rate, 1) && !t.high.settled }
