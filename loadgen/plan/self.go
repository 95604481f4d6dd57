package plan

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"i3bench/internal/prng"
)

// A Work is what operations at a rate make of work in a group, counted in virtual time.
type Work struct {
	Rate      float64 // joins per second, and as many repairs
	Delay     float64 // seconds that a datagram takes
	Datagrams float64 // sent per second
	Busy      float64 // receivers that join, wait for a packet or leave, at a time
}

// Costs are what things cost a processor, in nanoseconds, each with a value for each round in which it was measured.
type Costs struct {
	Machine  []float64 // machines, for a datagram
	Carry    []float64 // driver and kernel, for a datagram
	Generate []float64 // generator, for an operation
	Cores    []float64 // processors that the driver got when it had always something to do
}

// A Self says of what a group on this machine is to be predicted.
type Self struct {
	Work  []Work
	Costs Costs
	Pool  int     // receivers that come and go; more joins than these wait
	Limit float64 // seconds: p99 of the latency of a join
}

// A Saturation is the largest rate, in joins per second with as many repairs.
type Saturation struct {
	Low, Mid, High float64 // 10 %, 50 % and 90 % of the draws
	// At Mid: how long a datagram takes when all receivers of the pool are busy, and what a join and a repair together
	// need: datagrams, and seconds of a processor in all, in the machines and in the generator.
	Delay, Datagrams, Processor, Machine, Generator float64
	// Utilisation is the share of the processors that the objective leaves.
	Utilisation float64
	// Beyond is set if the rate is larger than any that was counted.
	Beyond bool
}

// operations is how many there are for a join: it, and a repair.
const operations = 2

// selfDraws is how many draws a prediction is made of, of costs between their rounds.
const selfDraws = 500

// ErrNoWork is returned where there is nothing to predict from.
var ErrNoWork = errors.New("plan: want work at two rates or more, and at least one round of each cost")

// Predict predicts the largest rate.
//
// The group is at its limit when both things are used up: the receivers that may come, which are all busy, and the
// processors. If only receivers were left, the queues would grow until a datagram takes so long that there are none;
// if only processors were left, the queues would shrink. So the delay of a datagram follows from the rate and the
// pool, the number of datagrams from both, and the processor time from that number. Of the processors a share is left
// idle, so that the p99 of the wait stays below the limit: that of a queue with random arrivals and services (M/M/1),
// in which a service is a join with its repair on all processors together.
func (s Self) Predict() (out Saturation, err error) {
	if len(s.rates()) < 2 || slices.Contains([]int{
		len(s.Costs.Machine), len(s.Costs.Carry), len(s.Costs.Generate), len(s.Costs.Cores),
	}, 0) {
		return out, ErrNoWork
	}
	c := s.curve()
	machine, carry := Rounds(s.Costs.Machine), Rounds(s.Costs.Carry)
	generate, cores := Rounds(s.Costs.Generate), Rounds(s.Costs.Cores)
	draws := make([]float64, selfDraws)
	for i := range draws {
		draw := func(input uint64, d Dist) float64 { return d.At(prng.Unit(prng.Hash3(0, uint64(i), input, 0))) }
		draws[i] = s.solve(c, draw(0, machine), draw(1, carry), draw(2, generate), draw(3, cores))
	}
	slices.Sort(draws)
	out.Low, out.Mid, out.High = quantile(draws, 0.1), quantile(draws, 0.5), quantile(draws, 0.9)
	if out.Mid == 0 {
		return out, nil
	}
	out.Delay = c.at(c.delays, out.Mid)
	out.Datagrams = c.at(c.datagrams, out.Mid) / out.Mid
	out.Machine = out.Datagrams * median(s.Costs.Machine) * 1e-9
	out.Generator = operations * median(s.Costs.Generate) * 1e-9
	out.Processor = out.Datagrams*median(s.Costs.Carry)*1e-9 + out.Machine + out.Generator
	out.Utilisation = s.utilisation(out.Mid)
	out.Beyond = out.Mid > slices.Max(s.rates())
	return out, nil
}

// Need returns how many processors are used at a rate when all receivers of the pool are busy.
func (s Self) Need(rate float64) float64 {
	return need(s.curve(), rate, median(s.Costs.Machine), median(s.Costs.Carry), median(s.Costs.Generate))
}

func need(c curve, rate, machine, carry, generate float64) float64 {
	return c.at(c.datagrams, rate)*(machine+carry)*1e-9 + rate*operations*generate*1e-9
}

// utilisation returns the share of the processors that may be used at a rate.
func (s Self) utilisation(rate float64) float64 {
	return max(0, 1-math.Log(100)/(rate*s.Limit))
}

// solve returns the rate at which processors are used up, 0 if there is none that leaves what the limit wants idle.
func (s Self) solve(c curve, machine, carry, generate, cores float64) float64 {
	const least, most = 1.0, 1e8
	low, high := least, most
	for range 50 { // the need grows with the rate
		mid := math.Sqrt(low * high)
		if need(c, mid, machine, carry, generate) < cores*s.utilisation(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	if low == least {
		return 0
	}
	return low
}

// rates returns the rates at which work was counted, ascending.
func (s Self) rates() (out []float64) {
	for _, w := range s.Work {
		out = append(out, w.Rate)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// at returns the work at a counted rate, by ascending delay.
func (s Self) at(rate float64) (out []Work) {
	for _, w := range s.Work {
		if w.Rate == rate {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b Work) int { return cmp.Compare(a.Delay, b.Delay) })
	return out
}

// A curve is what a group does by the rate when all receivers of the pool are busy.
type curve struct{ rates, delays, datagrams []float64 }

// curve returns what is so at the rates that were counted. A datagram takes no longer and no shorter than was counted.
func (s Self) curve() (c curve) {
	c.rates = s.rates()
	for _, rate := range c.rates {
		delay, datagrams := s.full(s.at(rate))
		c.delays, c.datagrams = append(c.delays, delay), append(c.datagrams, datagrams)
	}
	return c
}

// at returns a figure at a rate, by straight lines; beyond the largest on that of the last two.
func (c curve) at(figure []float64, rate float64) float64 {
	return max(0, through(c.rates, figure, rate))
}

// full returns the delay and the datagrams of a counted rate at which the pool is busy.
func (s Self) full(list []Work) (delay, datagrams float64) {
	pool := float64(s.Pool)
	last := list[len(list)-1]
	for i, w := range list {
		if w.Busy < pool {
			continue
		}
		if i == 0 {
			return w.Delay, w.Datagrams
		}
		b := list[i-1]
		share := (pool - b.Busy) / (w.Busy - b.Busy)
		return b.Delay + share*(w.Delay-b.Delay), b.Datagrams + share*(w.Datagrams-b.Datagrams)
	}
	return last.Delay, last.Datagrams
}
