package find

import (
	"math"
	"slices"

	"i3bench/internal/hist"
	"i3bench/internal/prng"
)

// A queue is a system of known capacity: one server, operations that come at
// random times, service in the order of arrival. Both kinds have their p99 in
// closed form or by a long simulation.
type queue struct {
	mu     float64 // operations per second that it can serve
	random bool    // M/M/1: service times are exponential; else M/D/1
	rng    prng.Source

	arrivals, departures []float64 // of the last trial
}

func newQueue(mu float64, random bool, seed uint64) *queue {
	return &queue{mu: mu, random: random, rng: prng.New(seed, 77)}
}

func (q *queue) exponential(rate float64) float64 {
	return -math.Log1p(-q.rng.Float64()) / rate
}

// measured is what a trial of a queue gives.
type measured struct {
	p99    float64 // of the time in the system, in seconds
	growth float64 // of the number in the system, as a share of the rate
}

// trial offers load to an empty queue for so many seconds.
func (q *queue) trial(rate, seconds float64) measured {
	const grid = 200
	var h hist.Histogram
	q.arrivals, q.departures = q.arrivals[:0], q.departures[:0]
	free := 0.0 // when the server is free
	for at := q.exponential(rate); at < seconds; at += q.exponential(rate) {
		service := 1 / q.mu
		if q.random {
			service = q.exponential(q.mu)
		}
		free = max(free, at) + service
		h.Record(int64(1e9 * (free - at)))
		q.arrivals, q.departures = append(q.arrivals, at), append(q.departures, free)
	}
	lengths := make([]float64, grid)
	for i := range lengths {
		t := seconds * float64(i) / grid
		in, _ := slices.BinarySearch(q.arrivals, t)
		out, _ := slices.BinarySearch(q.departures, t)
		lengths[i] = float64(in - out)
	}
	return measured{float64(h.Quantile(0.99)) / 1e9, Growth(lengths, seconds/grid) / rate}
}

// rateMM1 is the rate at which the p99 of an M/M/1 queue is limit: the time in
// the system is exponentially distributed, with rate mu - lambda.
func rateMM1(mu, limit float64) float64 { return mu - math.Log(100)/limit }

// limitMD1 is the p99 of an M/D/1 queue at a rate, from a long simulation.
func limitMD1(mu, rate float64) float64 {
	return newQueue(mu, false, 99).trial(rate, 8e6/rate).p99
}
