package loadgen

import (
	"fmt"
	"math"
	"sort"
	"time"
)

// A piece is a length of time in which the rate changes linearly.
type piece struct {
	length   float64 // seconds
	from, to float64 // operations per second
}

// area returns how many operations there are in the piece.
func (p piece) area() float64 { return (p.from + p.to) / 2 * p.length }

// before returns how many operations there are before t.
func (p piece) before(t float64) float64 {
	if t >= p.length {
		return p.area()
	}
	return p.from*t + float64((p.to-p.from)/p.length*t*t)/2
}

// at returns, in seconds since its beginning, when n operations of the piece are
// over. N(t) = from t + slope t^2/2 operations are due before t. Its inverse in
// this form loses no digits where the slope is small, and needs no special case
// where it is 0. The conversions keep a processor from fusing the multiplication
// and the addition, so that all agree to the last bit.
func (p piece) at(n float64) float64 {
	if n <= 0 {
		return 0 // 0/0 where from is 0
	}
	slope := (p.to - p.from) / p.length
	root := math.Sqrt(max(float64(p.from*p.from)+float64(2*slope*n), 0))
	return 2 * n / (p.from + root)
}

// A cycle is a row of pieces that begins again when it is over.
type cycle struct {
	pieces []piece
	begins []float64 // of each piece, in seconds
	ends   []float64 // how many operations there are to the end of each piece
	period float64   // seconds
	area   float64   // operations of a period
}

// newCycle adds up pieces, at least one of which has a rate above 0.
func newCycle(pieces ...piece) *cycle {
	c := &cycle{pieces: pieces}
	for _, p := range pieces {
		c.begins = append(c.begins, c.period)
		c.period += p.length
		c.area += p.area()
		c.ends = append(c.ends, c.area)
	}
	return c
}

// at returns, in seconds, when n operations are over. It takes a binary search
// over the pieces.
func (c *cycle) at(i uint64) float64 {
	n := float64(i)
	round := math.Floor(n / c.area)
	n = min(max(n-float64(round*c.area), 0), c.area)
	// The first piece that holds more than n: one without operations never does.
	k := sort.Search(len(c.ends)-1, func(k int) bool { return c.ends[k] > n })
	if k > 0 {
		n -= c.ends[k-1]
	}
	return float64(round*c.period) + (c.begins[k] + min(c.pieces[k].at(n), c.pieces[k].length))
}

// before returns how many operations there are before t.
func (c *cycle) before(t float64) float64 {
	round := math.Floor(t / c.period)
	sum := float64(round * c.area)
	for k, p := range c.pieces {
		if rest := t - float64(round*c.period) - c.begins[k]; rest > 0 {
			sum += p.before(rest)
		}
	}
	return sum
}

// open returns the schedule of the operations before end.
func (c *cycle) open(end time.Duration) Schedule {
	return newFormula(c.at, c.before(end.Seconds()), end)
}

// maxSteps bounds the pieces that a schedule keeps.
const maxSteps = 10_000

// Steps offers operations at a rate that changes in equal steps of equal length,
// the first at From, the last at To.
type Steps struct {
	From  float64       // operations per second in the first step
	To    float64       // operations per second in the last step
	Steps int           // how many there are, from 2 to 10,000
	For   time.Duration // operations are due before this time
}

// Open returns the schedule. It fails where a rate is negative or both are 0,
// where there are less than two steps or too many, where the duration is not
// positive, and beyond [MaxRate] and [MaxOps].
func (s Steps) Open() (Schedule, error) {
	if err := check("steps", s.For, s.From, s.To); err != nil {
		return nil, err
	}
	if s.Steps < 2 || s.Steps > maxSteps {
		return nil, fmt.Errorf("loadgen: steps profile: %d steps: want 2 to %d", s.Steps, maxSteps)
	}
	pieces := make([]piece, s.Steps)
	for k := range pieces {
		rate := s.From + float64((s.To-s.From)*(float64(k)/float64(s.Steps-1)))
		pieces[k] = piece{s.For.Seconds() / float64(s.Steps), rate, rate}
	}
	return newCycle(pieces...).open(s.For), nil
}

// Bursts offers operations at a constant rate that is another one for a time at
// the end of every period.
type Bursts struct {
	Rate   float64       // operations per second between bursts
	Burst  float64       // operations per second in a burst
	Every  time.Duration // from the end of a burst to the end of the next
	Length time.Duration // of a burst, less than Every
	For    time.Duration // operations are due before this time
}

// Open returns the schedule. It fails where a rate is negative or both are 0,
// where a time is not positive or a burst not shorter than a period, and beyond
// [MaxRate] and [MaxOps].
func (b Bursts) Open() (Schedule, error) {
	if err := check("bursts", b.For, b.Rate, b.Burst); err != nil {
		return nil, err
	}
	if b.Length <= 0 || b.Length >= b.Every {
		return nil, fmt.Errorf("loadgen: bursts profile: bursts of %v every %v: want a time more than 0 in a longer one",
			b.Length, b.Every)
	}
	calm := piece{(b.Every - b.Length).Seconds(), b.Rate, b.Rate}
	burst := piece{b.Length.Seconds(), b.Burst, b.Burst}
	return newCycle(calm, burst).open(b.For), nil
}

// Diurnal offers operations at a rate that rises and falls with the time of day:
// the curve of a raised cosine, in straight lines from hour to hour, with the
// lowest rate at the beginning.
type Diurnal struct {
	Low    float64       // operations per second at night
	High   float64       // operations per second at noon
	Period time.Duration // of a day
	For    time.Duration // operations are due before this time
}

// Open returns the schedule. It fails where a rate is negative or both are 0,
// where a time is not positive, and beyond [MaxRate] and [MaxOps].
func (d Diurnal) Open() (Schedule, error) {
	if err := check("diurnal", d.For, d.Low, d.High); err != nil {
		return nil, err
	}
	if d.Period <= 0 {
		return nil, fmt.Errorf("loadgen: diurnal profile: period %v: want more than 0", d.Period)
	}
	const hours = 24
	rate := func(hour int) float64 {
		return d.Low + float64((d.High-d.Low)*daylight[min(hour, hours-hour)])
	}
	pieces := make([]piece, hours)
	for h := range pieces {
		pieces[h] = piece{d.Period.Seconds() / hours, rate(h), rate(h + 1)}
	}
	return newCycle(pieces...).open(d.For), nil
}

// daylight is (1 - cos(2 pi h/24))/2 for the hours until noon. The values are
// written down so that all agents have the same.
var daylight = [13]float64{
	0, 0.017037086855465844, 0.06698729810778059, 0.14644660940672624, 0.25, 0.37059047744873963, 0.5,
	0.6294095225512604, 0.75, 0.8535533905932737, 0.9330127018922194, 0.9829629131445341, 1,
}
