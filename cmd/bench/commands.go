package main

import (
	"context"
	"fmt"

	"i3bench/experiments"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
)

// Run runs the cluster experiment.
func (c *clusterCmd) Run(s *session) error {
	e, err := c.experiment(s.cli, c.World)
	if err != nil {
		return err
	}
	return s.run(clusterStage(e))
}

func clusterStage(e experiments.Cluster) stage {
	return stage{
		name: reports.StageCluster, run: e.Run,
		what: fmt.Sprintf("%d nodes, 64 receivers, D = %d, %d seeds", e.Nodes, e.Degree, len(e.Seeds)),
		note: fmt.Sprintf("%d nodes on %s, D = %d", e.Nodes, e.World, e.Degree),
	}
}

// Run runs the wide-area experiment.
func (c *wanCmd) Run(s *session) error {
	e, err := c.experiment(s.cli, c.World)
	if err != nil {
		return err
	}
	return s.run(c.stage(e))
}

func (f wanFlags) stage(e experiments.WAN) stage {
	source := "a made-up matrix"
	if f.RTT != "" {
		source = "a measured matrix"
	}
	what := fmt.Sprintf("%d sites of %s, %d receivers, D = %d, %d seeds side by side",
		e.Nodes, source, e.Nodes*e.PerNode, e.Degree, len(e.Seeds))
	return stage{name: reports.StageWAN, run: e.Run, what: what, note: what}
}

// Run runs the load experiment, or a scenario.
func (c *loadCmd) Run(s *session) error {
	if err := c.agentsFlags.check(); err != nil {
		return err
	}
	if c.Scenario != "" {
		return c.scenario(s)
	}
	if err := c.scenarioFlags.check(); err != nil {
		return err
	}
	e, err := c.loadFlags.experiment(s.cli)
	if err != nil {
		return err
	}
	if c.Agents > 0 {
		sc, err := asScenario(e, c.Search)
		if err != nil {
			return &usageError{err}
		}
		return c.play(s, sc)
	}
	if e.Live, err = s.watch(c.liveFlags); err != nil {
		return err
	}
	return s.run(loadStage(e))
}

// asScenario returns the scenario that offers what the load experiment does, for agents to carry out.
func asScenario(e experiments.Load, search string) (*scenario.Scenario, error) {
	return scenario.Parse("load", fmt.Appendf(nil, `
name: load
cluster: {nodes: %d, degree: %d, standing: %d, visitors: %d, rate: %v, size: %d, search: %s}
phases:
  - name: load
    for: %v
    load:
      - {schedule: constant, rate: %v, mix: {join: 1}}
      - {schedule: constant, rate: %v, mix: {repair: 1}}
`, e.Nodes, e.Degree, e.Standing, e.Pool, e.PerSecond, e.Size, search, e.For, e.Joins, e.Repairs), nil)
}

func loadStage(e experiments.Load) stage {
	what := fmt.Sprintf("%.0f joins/s and %.0f repairs/s for %v", e.Joins, e.Repairs, e.For)
	return stage{name: reports.StageLoad, run: e.Run, live: true, what: what, note: what + fmt.Sprintf(
		" on %d nodes, D = %d, %d standing receivers, %.0f packets/s", e.Nodes, e.Degree, e.Standing, e.PerSecond)}
}

// Run runs the delivery judge.
func (c *deliverCmd) Run(s *session) error {
	err := positive(map[string]float64{
		"receivers": float64(c.Receivers), "packets": float64(c.Packets), "rate": c.Rate, "degree": float64(c.Degree),
		"runs": float64(c.Runs),
	})
	if err != nil {
		return err
	}
	e := experiments.Deliver{
		World: experiments.Kind(c.World), Nodes: 32, Degree: c.Degree, Receivers: c.Receivers, Packets: c.Packets,
		PerSecond: c.Rate, Size: 256, Seeds: s.cli.seeds(c.Runs),
	}
	what := fmt.Sprintf("%d receivers, %d packets, losses of section 6.3", c.Receivers, c.Packets)
	run := func(ctx context.Context, sink experiments.Sink, p experiments.Progress) error {
		return e.Run(ctx, sink, p)
	}
	return s.run(stage{name: reports.StageDeliver, run: run, what: what, note: what + " on " + c.World})
}
