package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"i3bench/experiments"
	"i3bench/loadgen"
	"i3bench/loadgen/find"
	"i3bench/reports"
)

type findCmd struct {
	Objective  []string      `default:"${findObjectives}" placeholder:"TEXT" help:"What is to hold: ${default}."`
	Min        float64       `default:"100" help:"Least rate that is tried, in joins per second."`
	Max        float64       `default:"20000" help:"Largest rate that is tried."`
	Ratio      float64       `default:"1" help:"Joins for each loss to be repaired."`
	Precision  float64       `default:"0.1" help:"Relative distance of the ends where trials agree."`
	Confidence float64       `default:"0.9" help:"That both ends are right."`
	Trial      time.Duration `default:"2s" help:"Full length of a trial."`
	First      time.Duration `default:"1s" help:"Length of the first trials."`
	Budget     time.Duration `default:"3m" help:"Time for everything."`
	Trials     int           `default:"100" help:"Largest number of trials."`
	Factor     float64       `default:"2" help:"Ratio of a rate to the one before, until one fails."`
	Checks     []float64     `default:"0.9,0.5,0.1" help:"Shares of the largest rate that are tried at the end."`
	Arrivals   string        `default:"constant" enum:"constant,poisson" help:"Distances of operations: ${enum}."`
	Late       time.Duration `default:"0s" help:"p99 of lateness beyond which a trial is invalid. Default: see below."`
	Timeout    time.Duration `default:"0s" help:"Time for operations to end after a trial. Default: see below."`
	Settle     time.Duration `default:"5s" help:"With --keep: how long the group may take to come to rest."`
	Keep       bool          `help:"Use the group again of a trial that met all objectives."`
	Nodes      int           `default:"32" help:"i3 nodes."`
	Degree     int           `default:"4" help:"D: links under one identifier."`
	Standing   int           `default:"64" help:"Receivers that stay in the group."`
	Pool       int           `default:"160" help:"Receivers that join and leave: the most joins at a time."`
	Rate       float64       `default:"150" help:"Packets the source sends per second."`
	Size       int           `default:"256" help:"Bytes of a packet."`
	Search     string        `default:"${search}" enum:"draw,lan" help:"How a parent is looked for: ${enum}."`
	liveFlags
}

// findObjectives are the default objectives, of which the first is the project's own.
const findObjectives = "join.p99<250ms,repair.p99<250ms,join.errors<0.1%,repair.errors<0.1%,join.backlog<1%"

// Help says how objectives are written, for kong.
func (c *findCmd) Help() string {
	return "An objective is an operation, a measure and a limit: join.p99<250ms. Operations are join and repair; " +
		"measures p50, p90, p95, p99, p99.9 and max of the latency from the intended time, errors (the share that did " +
		"not succeed), and backlog (the speed at which operations under way become more, as a share of the rate " +
		"offered). Give --objective several times, or several with commas between.\n\n" +
		"--late is by default a tenth of the least latency of an objective, 25ms at most; --timeout twice the largest " +
		"one, 1s at least."
}

// Run searches for the largest rate that meets the objectives.
func (c *findCmd) Run(s *session) error {
	e, err := c.experiment(s.cli)
	if err != nil {
		return err
	}
	if e.Live, err = s.watch(c.liveFlags); err != nil {
		return err
	}
	s.more = map[string]string{"late": e.Late.String(), "timeout": e.Timeout.String()}
	what := fmt.Sprintf("%s, %.4g to %.4g joins/s, within %v", strings.Join(c.Objective, " "), c.Min, c.Max, c.Budget)
	return s.run(stage{name: reports.StageFind, run: e.Run, live: true, what: what, note: fmt.Sprintf(
		"%d nodes, D = %d, %d standing receivers, %d that join, %.4g packets/s of %d bytes, joins : repairs %.4g, %s",
		c.Nodes, c.Degree, c.Standing, c.Pool, c.Rate, c.Size, c.Ratio, c.Arrivals)})
}

// parameters are those by which a reader carries out the search again, where find is a part of another command.
func (c *findCmd) parameters(e experiments.Find) map[string]string {
	number := func(v float64) string { return fmt.Sprint(v) }
	return map[string]string{
		reports.ParamFindMin: number(c.Min), reports.ParamFindMax: number(c.Max), reports.ParamFindFactor: number(c.Factor),
		reports.ParamFindPrecision: number(c.Precision), reports.ParamFindConfidence: number(c.Confidence),
		reports.ParamFindTrial: c.Trial.String(), reports.ParamFindFirst: c.First.String(),
		reports.ParamLate: e.Late.String(),
	}
}

// experiment checks the flags and returns what they ask for.
func (c *findCmd) experiment(all *cli) (experiments.Find, error) {
	e := experiments.Find{
		Load: experiments.Load{
			Nodes: c.Nodes, Degree: c.Degree, Standing: c.Standing, Pool: c.Pool, PerSecond: c.Rate, Size: c.Size,
			Seed: all.Seed, Search: experiments.Policies[c.Search], Poisson: c.Arrivals == "poisson", Timeout: c.Timeout,
		},
		Config: find.Config{
			Min: c.Min, Max: c.Max, Factor: c.Factor, Precision: c.Precision, Confidence: c.Confidence,
			Short: c.First.Seconds(), Long: c.Trial.Seconds(), Trials: c.Trials, Checks: c.Checks,
		},
		Ratio: c.Ratio, Budget: c.Budget, Late: c.Late, Settle: c.Settle, Keep: c.Keep,
	}
	if err := c.check(); err != nil {
		return e, err
	}
	if err := distinct("--objective", c.Objective); err != nil {
		return e, &usageError{err}
	}
	longest := time.Second / 2
	for _, text := range c.Objective {
		o, err := reports.ParseObjective(text)
		if err != nil {
			return e, &usageError{fmt.Errorf("--objective: %w", err)}
		}
		e.Objectives = append(e.Objectives, o)
		if o.Latency() {
			longest = max(longest, time.Duration(o.Limit))
		}
	}
	e.Late = cmp.Or(e.Late, time.Duration(reports.LateLimit(e.Objectives)))
	e.Timeout = cmp.Or(e.Timeout, 2*longest)
	if e.Timeout < longest {
		return e, &usageError{fmt.Errorf("--timeout %v: want at least %v, the largest latency", e.Timeout, longest)}
	}
	checked := e.Config
	checked.Objectives = reports.Bounds(e.Objectives)
	if _, err := find.New(checked); err != nil {
		return e, &usageError{err}
	}
	return e, nil
}

// Bounds of what a search may ask of a machine.
const (
	mostPool   = 4096
	mostPacket = 1200
)

// check returns a usage error naming a flag whose number makes no sense by itself.
func (c *findCmd) check() error {
	err := positive(map[string]float64{
		"min": c.Min, "max": c.Max, "ratio": c.Ratio, "precision": c.Precision, "confidence": c.Confidence,
		"trial": c.Trial.Seconds(), "first": c.First.Seconds(), "budget": c.Budget.Seconds(), "trials": float64(c.Trials),
		"factor": c.Factor, "settle": c.Settle.Seconds(), "nodes": float64(c.Nodes), "degree": float64(c.Degree),
		"standing": float64(c.Standing), "pool": float64(c.Pool), "rate": c.Rate, "size": float64(c.Size),
	})
	if err != nil {
		return err
	}
	for _, err := range []error{
		atMost("--pool", c.Pool, mostPool), atMost("--size", c.Size, mostPacket), atMost("--max", c.Max, loadgen.MaxRate),
		atMost("--max / --ratio", c.Max/c.Ratio, loadgen.MaxRate),
	} {
		if err != nil {
			return &usageError{err}
		}
	}
	if c.Late < 0 || c.Timeout < 0 {
		return &usageError{fmt.Errorf("--late %v, --timeout %v: want no less than zero", c.Late, c.Timeout)}
	}
	return nil
}
