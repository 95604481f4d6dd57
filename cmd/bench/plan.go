package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"i3bench/experiments"
	"i3bench/i3/multicast"
	"i3bench/reports"
)

type planCmd struct {
	Self   bool          `help:"Predict the largest rate of joins and repairs that this machine bears, without load."`
	Check  string        `placeholder:"DIR" help:"With --self: compare with the result directory of a bench find."`
	Rounds int           `default:"3" help:"With --self: times that each cost is measured."`
	Time   time.Duration `default:"1s" help:"With --self: how long a cost is measured in each round."`
}

// Run plans.
func (c *planCmd) Run(s *session) error {
	return c.self(s)
}

// The group that find deploys, of which the prediction is.
const (
	selfNodes, selfDegree, selfStanding, selfPool = 32, 4, 64, 160
	selfRate, selfSize                            = 150, 256
	selfLimit                                     = 250 * time.Millisecond
)

// self predicts what this machine bears.
func (c *planCmd) self(s *session) error {
	if err := positive(map[string]float64{"rounds": float64(c.Rounds), "time": c.Time.Seconds()}); err != nil {
		return err
	}
	e := experiments.Capacity{
		Load: experiments.Load{
			Nodes: selfNodes, Degree: selfDegree, Standing: selfStanding, Pool: selfPool, PerSecond: selfRate, Size: selfSize,
			Seed: s.cli.Seed, Search: multicast.LANSearch(),
		},
		Delays: []time.Duration{time.Millisecond / 5, time.Millisecond, 4 * time.Millisecond},
		Rounds: c.Rounds, For: c.Time, Limit: selfLimit,
	}
	for _, perCore := range []float64{500, 1000, 2000, 4000} {
		e.Rates = append(e.Rates, perCore*float64(runtime.NumCPU()))
	}
	if c.Check != "" {
		found, err := readFound(c.Check)
		if err != nil {
			return &usageError{fmt.Errorf("--check: %w", err)}
		}
		e.Found = found
	}
	return s.run(stage{name: reports.StageCapacity, run: e.Run, what: "counts in virtual time, and costs"})
}

// readFound reads what a search has found.
func readFound(dir string) (list []reports.Sample, err error) {
	r, err := reports.Open(dir)
	if err != nil {
		return nil, err
	}
	lower, upper, confirmed := r.Found()
	if lower == 0 {
		return nil, errors.New(dir + ": want the result of a bench find that has met a rate")
	}
	return reports.FoundSamples(lower, upper, confirmed), nil
}
