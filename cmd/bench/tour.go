package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"i3bench/experiments"
	"i3bench/reports"
)

type tourCmd struct {
	Quick   bool          `help:"A short form, for a look or a test: two seeds, two seconds of load."`
	FindFor time.Duration `default:"40s" help:"Time for the search for the largest rate."`
	clusterFlags
	wanFlags
	loadFlags
	liveFlags
}

// Run runs the main job: a bit of everything, in about 90 seconds.
func (c *tourCmd) Run(s *session) error {
	if c.Quick {
		c.ClusterSeeds, c.WANSeeds, c.Packets, c.For, c.FindFor = 2, 2, 30, 2*time.Second, 4*time.Second
	}
	stages, err := c.stages(s)
	if err != nil {
		return err
	}
	s.intro, s.persist, s.figures = machineCheck, true, true
	return s.run(stages...)
}

// stages returns what the tour consists of.
func (c *tourCmd) stages(s *session) ([]stage, error) {
	cluster, err := c.clusterFlags.experiment(s.cli, string(experiments.UDP))
	wan, err2 := c.wanFlags.experiment(s.cli, string(experiments.UDP))
	load, err3 := c.loadFlags.experiment(s.cli)
	if err := errors.Join(err, err2, err3, positive(map[string]float64{"find-for": c.FindFor.Seconds()})); err != nil {
		return nil, err
	}
	if load.Live, err = s.watch(c.liveFlags); err != nil {
		return nil, err
	}
	micro, err := c.micro()
	if err != nil {
		return nil, err
	}
	sim, err := c.sim(s)
	if err != nil {
		return nil, err
	}
	find, err := c.find(s)
	if err != nil {
		return nil, err
	}
	all := append(micro, clusterStage(cluster), c.wanFlags.stage(wan))
	all = append(append(all, sim...), c.traffic(s.cli), loadStage(load), find)
	return all, nil
}

// withDefaults gives a command's flags their defaults, as if it had been called without any.
func withDefaults(command any) error {
	k, err := kong.New(command, kong.Name("bench"), simVars)
	if err == nil {
		_, err = k.Parse(nil)
	}
	return err
}

// micro measures look-ups and copies, each in few rows.
func (c *tourCmd) micro() ([]stage, error) {
	var m microCmd
	if err := withDefaults(&m); err != nil {
		return nil, err
	}
	m.Sizes, m.Hits, m.Fans, m.Payloads = []string{"1e3", "1e5"}, []int{100}, []int{8, 64}, []int{512}
	m.Rounds, m.Time = 2, 100*time.Millisecond
	if c.Quick {
		m.Sizes, m.Fans, m.Rounds, m.Time = []string{"1e3"}, []int{8}, 1, 50*time.Millisecond
	}
	lookups, err := m.lookups(otherRuns{})
	return []stage{lookups, m.copies(otherRuns{})}, err
}

// sim grows trees in virtual time. The constants of the project's own variant were chosen
// with the first seeds, so it has others, as in bench sim.
func (c *tourCmd) sim(s *session) ([]stage, error) {
	var sim simCmd
	if err := withDefaults(&sim); err != nil {
		return nil, err
	}
	sim.Seeds, sim.LargeSeeds, sim.Servers = 2, 1, 4096
	sim.Sizes, sim.Nets, sim.Others = []int{64, 512, 2048}, []string{"A-M"}, nil
	if c.Quick {
		sim.Sizes, sim.Servers = []int{16, 64}, 1024
	}
	all := *s.cli
	all.Seed += firstSimSeed - firstSeed
	plan, _, err := sim.plan(&all)
	if err != nil {
		return nil, err
	}
	s.note(map[string]string{
		reports.ParamDegree: fmt.Sprint(sim.Degree), reports.ParamPeriod: sim.Lifetime.String(),
		reports.ParamNets: fmt.Sprint(sim.Nets), "sim-seed": fmt.Sprint(all.Seed),
	})
	row := simRows[0]
	return sim.stages(s, plan, row, experiments.Suite{Jobs: row.jobs(plan), Beside: sim.beside(row)}), nil
}

// traffic counts what packets are for.
func (c *tourCmd) traffic(all *cli) stage {
	e := experiments.Traffic{
		Nodes: c.Nodes, Degree: c.Degree, Receivers: 64, Rates: []int{1, 10, 100}, Size: 256, For: time.Minute,
		Seed: all.Seed,
	}
	if c.Quick {
		e.Rates = []int{1, 10}
	}
	what := fmt.Sprintf("64 receivers at rest, %v packets/s, a minute in virtual time", e.Rates)
	return stage{name: reports.StageTraffic, run: e.Run, what: what, note: what}
}

// find searches for the largest rate. A search that has no answer in so short a time
// says so in the report, and fails nothing.
func (c *tourCmd) find(s *session) (stage, error) {
	var f findCmd
	if err := withDefaults(&f); err != nil {
		return stage{}, err
	}
	f.Budget, f.Trial, f.First, f.Confidence, f.Checks = c.FindFor, 1500*time.Millisecond, 750*time.Millisecond, 0.8, nil
	f.Late, f.Standing, f.Pool, f.Rate, f.Nodes, f.Degree = c.Late, c.Standing, c.Pool, c.Rate, c.Nodes, c.Degree
	f.Search = c.Search
	e, err := f.experiment(s.cli)
	s.note(f.parameters(e))
	run := func(ctx context.Context, sink experiments.Sink, p experiments.Progress) error {
		err := e.Run(ctx, sink, p)
		if errors.Is(err, experiments.ErrNoRate) || errors.Is(err, experiments.ErrInvalid) {
			return nil
		}
		return err
	}
	what := fmt.Sprintf("the largest rate of joins with %s, within %v", f.Objective[0], f.Budget)
	return stage{name: reports.StageFind, run: run, what: what, note: what}, err
}
