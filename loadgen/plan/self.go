package plan

import (
	"cmp"
	"errors"
	"math"
	"slices"
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
	var draws []float64
	for _, machine := range s.Costs.Machine {
		for _, carry := range s.Costs.Carry {
			for _, generate := range s.Costs.Generate {
				for _, cores := range s.Costs.Cores {
					draws = append(draws, s.solve(machine, carry, generate, cores))
				}
			}
		}
	}
	slices.Sort(draws)
	out.Low, out.Mid, out.High = quantile(draws, 0.1), quantile(draws, 0.5), quantile(draws, 0.9)
	out.Delay = s.delay(out.Mid)
	out.Datagrams = s.datagrams(out.Mid) / out.Mid
	out.Machine = out.Datagrams * median(s.Costs.Machine) * 1e-9
	out.Generator = operations * median(s.Costs.Generate) * 1e-9
	out.Processor = out.Datagrams*median(s.Costs.Carry)*1e-9 + out.Machine + out.Generator
	out.Utilisation = s.utilisation(out.Mid)
	out.Beyond = out.Mid > slices.Max(s.rates())
	return out, nil
}

// Need returns how many processors are used at a rate when all receivers of the pool are busy.
func (s Self) Need(rate float64) float64 {
	return s.need(rate, median(s.Costs.Machine), median(s.Costs.Carry), median(s.Costs.Generate))
}

func (s Self) need(rate, machine, carry, generate float64) float64 {
	return s.datagrams(rate)*(machine+carry)*1e-9 + rate*operations*generate*1e-9
}

// utilisation returns the share of the processors that may be used at a rate.
func (s Self) utilisation(rate float64) float64 {
	return max(0, 1-math.Log(100)/(rate*s.Limit))
}

// solve returns the rate at which processors are used up.
func (s Self) solve(machine, carry, generate, cores float64) float64 {
	low, high := 1.0, 1e8
	for range 100 { // the need grows with the rate
		mid := math.Sqrt(low * high)
		if s.need(mid, machine, carry, generate) < cores*s.utilisation(mid) {
			low = mid
		} else {
			high = mid
		}
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

// delay returns how long a datagram takes at a rate when all receivers of the pool are busy, and no longer or shorter
// than was counted.
func (s Self) delay(rate float64) float64 {
	return s.between(rate, func(list []Work) float64 {
		d, _ := s.full(list)
		return d
	})
}

// datagrams returns how many are sent a second at a rate.
func (s Self) datagrams(rate float64) float64 {
	return s.between(rate, func(list []Work) float64 {
		_, n := s.full(list)
		return n
	})
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

// between returns a figure at a rate from those at the counted rates beside it, by straight lines; beyond the largest
// on that of the last two.
func (s Self) between(rate float64, figure func([]Work) float64) float64 {
	rates := s.rates()
	i := 1
	for i < len(rates)-1 && rates[i] < rate {
		i++
	}
	a, b := figure(s.at(rates[i-1])), figure(s.at(rates[i]))
	return max(0, a+(b-a)*(rate-rates[i-1])/(rates[i]-rates[i-1]))
}
