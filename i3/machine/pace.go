package machine

// A Pace is the rate of a token bucket as times: every token takes so long to come, and the bucket is full when the
// tokens that were taken have all come again. So a bucket is one time, that at which it will be full; the zero Time is
// a full one. The zero Pace lets nothing pass.
type Pace struct {
	Each Duration // for a token to come
	Most Duration // for all of a full bucket
}

// PaceOf returns the pace of so many tokens a second, and so many at once; zero if there is no rate.
func PaceOf(perSecond, burst int) Pace {
	if perSecond <= 0 {
		return Pace{}
	}
	each := Second / Duration(perSecond)
	return Pace{Each: each, Most: each * Duration(burst)}
}

// Take takes tokens from a bucket that is full at some time, and reports whether it has as many.
func (p Pace) Take(full *Time, now Time, tokens int) bool {
	after := max(*full, now).Add(Duration(tokens) * p.Each)
	if after.Sub(now) > p.Most {
		return false
	}
	*full = after
	return true
}
