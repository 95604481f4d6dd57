package loadgen

import (
	"math"
	"slices"
	"time"

	"i3bench/internal/prng"
)

// Poisson offers operations at random times that are independent of each other,
// as many users who know nothing of each other do: the gaps are exponentially
// distributed, and so are the queues that a constant rate never shows.
type Poisson struct {
	Rate float64       // operations per second, on average
	For  time.Duration // operations are due before this time
	Seed uint64        // the same seed gives the same times
}

// Open returns the schedule. It fails where the rate or the duration is not
// positive, the rate exceeds [MaxRate], or their product [MaxOps].
//
// Time is cut into windows that hold 64 operations on average. How many there
// are in a window is a Poisson number, and where they lie in it are as many
// independent uniform draws, sorted: that is the definition of a Poisson process
// restricted to disjoint intervals (Kingman, "Poisson Processes", 1993, sections
// 2.1 and 2.4), not an approximation of one. Each window draws from a stream of
// its own, so no window depends on the others.
//
// To go from the number of an operation to its window is to add up the counts of
// the windows before. The schedule keeps the last window asked for, so that
// going through it in order costs O(1) amortised, about 40 ns per operation, which
// a [Shard] pays for the operations of the others too. A step back goes through
// the counts from the start again, as Len does: about 20 ns per window.
func (p Poisson) Open() (Schedule, error) {
	if err := check("poisson", p.For, p.Rate); err != nil {
		return nil, err
	}
	width := windowMean / p.Rate * float64(time.Second)
	s := newPoisson(p, width, uint64(float64(p.For)/width))
	s.load()
	return s, nil
}

// windowMean is the average number of operations of a window: large enough that
// counting windows is cheap, small enough that sorting one is.
const windowMean = 64

// poisson is the schedule of a Poisson process.
type poisson struct {
	profile Poisson
	width   float64 // of a window, in ns
	last    uint64  // window, cut off at profile.For

	window uint64          // the one kept
	first  uint64          // number of its first operation
	times  []time.Duration // of its operations

	draws []uint64 // scratch of load
}

// newPoisson returns a schedule at its first window, which is to be loaded.
func newPoisson(p Poisson, width float64, last uint64) *poisson {
	return &poisson{
		profile: p, width: width, last: last,
		times: make([]time.Duration, 0, len(poissonTable)), // no window has more
		draws: make([]uint64, 0, len(poissonTable)),
	}
}

// At implements [Schedule].
func (s *poisson) At(i uint64) (Op, bool) {
	if i < s.first {
		s.window, s.first = 0, 0
		s.load()
	}
	for i >= s.first+uint64(len(s.times)) {
		if s.window == s.last {
			return Op{}, false
		}
		s.first += uint64(len(s.times))
		s.window++
		s.skip(i)
		s.load()
	}
	return Op{Index: i, At: s.times[i-s.first]}, true
}

// skip goes on over whole windows whose operations all come before operation i.
func (s *poisson) skip(i uint64) {
	for s.window < s.last {
		_, n := s.open(s.window)
		if i < s.first+n {
			return
		}
		s.first += n
		s.window++
	}
}

// Len implements [Schedule].
func (s *poisson) Len() uint64 {
	end := newPoisson(s.profile, s.width, s.last)
	end.skip(math.MaxUint64)
	end.load()
	return end.first + uint64(len(end.times))
}

// open returns the source of a window and the number of its operations. Only of
// the last window may some lie beyond the end of the schedule.
func (s *poisson) open(window uint64) (prng.Source, uint64) {
	source := prng.New(s.profile.Seed, window)
	return source, poissonCount(source.Uint64())
}

// load draws the times of the current window.
func (s *poisson) load() {
	source, n := s.open(s.window)
	s.draws = s.draws[:0]
	for range n {
		s.draws = append(s.draws, source.Uint64())
	}
	slices.Sort(s.draws)
	s.times = s.times[:0]
	for _, draw := range s.draws {
		at := time.Duration((float64(s.window) + prng.Unit(draw)) * s.width)
		if at >= s.profile.For {
			if s.window == s.last {
				break
			}
			at = s.profile.For - 1 // a rounding error: the count of this window stands
		}
		s.times = append(s.times, at)
	}
}

// poissonTable holds 2^64 P(N <= k) for the Poisson distribution of mean
// windowMean. It is made of exact operations only, so that all agents agree.
var poissonTable = func() (table [2*windowMean + 32]uint64) {
	const none = 1.6038108905486378e-28 // P(N = 0) = exp(-64)
	p, sum := none, 0.0
	for k := range table {
		sum += p
		table[k] = math.MaxUint64
		if sum < 1 {
			table[k] = uint64(math.Ldexp(sum, 64))
		}
		p = p * windowMean / float64(k+1)
	}
	return table
}()

// poissonCount maps 64 uniform bits to a Poisson number of mean windowMean, by
// inversion.
func poissonCount(draw uint64) uint64 {
	n, _ := slices.BinarySearchFunc(poissonTable[:], draw, func(bound, draw uint64) int {
		if bound <= draw {
			return -1
		}
		return 1
	})
	return uint64(n)
}
