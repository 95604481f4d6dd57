package loadgen

import (
	"fmt"
	"math"
	"time"

	"i3bench/internal/prng"
)

// A Distribution names the law of the lengths of sessions.
type Distribution string

// The distributions.
const (
	// LogNormal is what Veloso, Almeida, Meira, Bestavros and Jin found for live
	// streams ("A Hierarchical Characterization of a Live Streaming Media Workload",
	// IEEE/ACM Transactions on Networking 14(1), 2006).
	LogNormal Distribution = "lognormal"
	// Weibull is what Stutzbach and Rejaie found for three peer-to-peer systems
	// ("Understanding Churn in Peer-to-Peer Networks", IMC 2006), with a shape below
	// 1: who has stayed long is likely to stay longer.
	Weibull Distribution = "weibull"
	// Exponential has no memory: the usual assumption, which measurements refute.
	Exponential Distribution = "exponential"
	// Fixed makes all sessions equally long.
	Fixed Distribution = "fixed"
)

// Lengths says how long sessions are.
type Lengths struct {
	Distribution Distribution
	// Typical is the median of LogNormal, the scale of Weibull, the mean of
	// Exponential, and the length itself of Fixed.
	Typical time.Duration
	// Spread is sigma of LogNormal and the shape of Weibull. Others have none.
	Spread float64
}

// maxLength is the longest session, about 146 years.
const maxLength = 1 << 62

// validate returns what makes no sense.
func (l Lengths) validate() error {
	if l.Typical <= 0 {
		return fmt.Errorf("loadgen: sessions: typical length %v: want more than 0", l.Typical)
	}
	switch l.Distribution {
	case LogNormal, Weibull:
		if !(l.Spread >= 0.05 && l.Spread <= 20) {
			return fmt.Errorf("loadgen: sessions: %s with spread %v: want 0.05 to 20", l.Distribution, l.Spread)
		}
		return nil
	case Exponential, Fixed:
		return nil
	}
	return fmt.Errorf("loadgen: sessions: distribution %.40q: want %s, %s, %s or %s", l.Distribution,
		LogNormal, Weibull, Exponential, Fixed)
}

// Of returns the length of a session, a function of the seed and its number: at least
// a nanosecond. It uses exact operations only, so that all agents agree.
func (l Lengths) Of(seed, session uint64) time.Duration {
	source := prng.New(seed, session)
	factor := 1.0
	switch l.Distribution {
	case LogNormal:
		factor = exactExp(l.Spread * normal(&source))
	case Weibull:
		factor = exactExp(exactLog(-exactLog(positiveUnit(&source))) / l.Spread)
	case Exponential:
		factor = -exactLog(positiveUnit(&source))
	}
	return time.Duration(min(max(math.Round(float64(l.Typical)*factor), 1), maxLength))
}

// positiveUnit draws from (0, 1).
func positiveUnit(s *prng.Source) float64 { return prng.Unit(s.Uint64()) + 1.0/(1<<54) }

// normal draws from the standard normal distribution by the polar method (Marsaglia
// and Bray, "A Convenient Method for Generating Normal Variables", 1964).
func normal(s *prng.Source) float64 {
	for {
		u, v := 2*positiveUnit(s)-1, 2*positiveUnit(s)-1
		if q := float64(u*u) + float64(v*v); q > 0 && q < 1 {
			return u * math.Sqrt(-2*exactLog(q)/q)
		}
	}
}

// exactLog returns the natural logarithm of a positive number. The one of package
// math is not the same to the last bit on every processor; this one consists of
// operations that are, and is right to about 1e-15.
func exactLog(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	if fraction < math.Sqrt2/2 {
		fraction, exponent = 2*fraction, exponent-1
	}
	// log f = 2 atanh s: the odd powers of s, which is less than 0.172.
	s := (fraction - 1) / (fraction + 1)
	square, sum := s*s, 0.0
	for k := 23.0; k >= 1; k -= 2 {
		sum = float64(sum*square) + 1/k
	}
	return float64(2*s*sum) + float64(float64(exponent)*math.Ln2)
}

// exactExp returns e to the power of x, see [exactLog].
func exactExp(x float64) float64 {
	if x > 700 || x < -700 {
		x = math.Copysign(700, x) // the longest and the shortest session are nearer
	}
	whole := math.Round(x / math.Ln2)
	rest := x - float64(whole*math.Ln2)
	sum := 1.0
	for k := 18.0; k >= 1; k-- {
		sum = 1 + float64(rest*sum/k)
	}
	return math.Ldexp(sum, int(whole))
}
