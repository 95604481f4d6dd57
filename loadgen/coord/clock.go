package coord

import "time"

// clockQuestions is how often an agent is asked for its time.
const clockQuestions = 16

// A reading is one question for the time: when it was asked and answered, by the coordinator's clock, and the
// answer.
type reading struct{ asked, told, answered int64 }

// offset returns how far the clock that was read is ahead, by the reading that took least, and how far
// that may be off.
func offset(rs []reading) (ahead, off time.Duration) {
	best := rs[0]
	for _, r := range rs[1:] {
		if r.answered-r.asked < best.answered-best.asked {
			best = r
		}
	}
	took := best.answered - best.asked
	return time.Duration(best.told - (best.asked + took/2)), time.Duration((took + 1) / 2)
}
