package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"i3bench/experiments"
	"i3bench/reports"
)

type simCmd struct {
	Rows       []string      `default:"${simRows}" help:"Rows to run, of those listed above."`
	Seeds      int           `default:"10" help:"Runs of each row, each with a seed of its own."`
	LargeSeeds int           `default:"3" help:"Of these, runs that grow beyond 4,096 receivers."`
	Sizes      []int         `default:"${simSizes}" help:"Group sizes, ascending."`
	Servers    int           `default:"8192" help:"i3 nodes, at distinct places of the network."`
	Degree     int           `default:"8" help:"D: links under one identifier."`
	Lifetime   time.Duration `default:"30s" help:"T: lifetime of a trigger."`
	Periods    int           `default:"2" help:"Lifetimes for which refreshes are counted."`
	Nets       []string      `default:"A-M,A-L" help:"Networks: instance A to D and reading L or M, or powerlaw."`
	Others     []string      `default:"${simOthers}" help:"Networks for two seeds, up to 1,024 receivers."`
	Variants   []string      `default:"paper,relays" help:"Ways to build, refresh and repair the tree: paper, relays."`
	Packets    int           `default:"200" help:"Packets sent with losses."`
	RTT        string        `name:"rtt" placeholder:"FILE" help:"Round-trip times in ms for wan. Default: made up."`
	Receivers  int           `default:"1048576" help:"Receivers of the scale row."`
	Skew       time.Duration `default:"1s" help:"Bound of the offset of hosts' clocks, either way."`
	Jitter     time.Duration `default:"0s" help:"Bound of the random delay of each datagram."`
	Crashes    float64       `default:"0" help:"Receivers that crash per minute, in recovery and scale."`
	Restarts   float64       `default:"0" help:"Nodes that lose their memory per minute, in recovery and scale."`
	Beside     int           `default:"0" help:"Runs at a time. Default: one for each processor; match: all."`
	Workers    int           `default:"0" help:"Threads of the run of scale. Default: one for each processor."`
	Resume     bool          `help:"Go on with the run in --out: what it has finished is kept."`
}

// simVars are the defaults of flags that are too long to stand there.
var simVars = kong.Vars{
	"simRows":   "tree,recovery,cluster,wan,match",
	"simSizes":  "16,64,256,1024,4096,16384,65536",
	"simOthers": "B-M,B-L,C-M,C-L,D-M,D-L,powerlaw",
}

// Help lists the rows, for kong.
func (c *simCmd) Help() string {
	var b strings.Builder
	b.WriteString("Rows, of which all but scale are run by default:\n\n")
	for _, r := range simRows {
		fmt.Fprintf(&b, "  %-9s %s\n", r.name, r.what)
	}
	return b.String()
}

// A simRow is a row of the command line and the stages of its samples.
type simRow struct {
	name, what string
	stages     []string
	jobs       func(*experiments.Plan) []experiments.Job
	beside     int // runs at a time, 0: --beside
}

// manyBeside runs all at a time: their delays take the time, not the processor.
const manyBeside = 1 << 10

var simRows = []simRow{
	{
		"tree", "trees and their refreshes (Figures 11 and 12)", []string{reports.StageTree, reports.StageRefresh},
		(*experiments.Plan).Trees, 0,
	},
	{
		"recovery", "losses and repairs (Figure 13, Table 1)", []string{reports.StageRecovery},
		(*experiments.Plan).Recoveries, 0,
	},
	{"cluster", "the cluster of 32 nodes (Table 2)", []string{reports.StageCluster}, (*experiments.Plan).Clusters, 0},
	{"wan", "the wide area of 50 sites (Figures 14 and 15)", []string{reports.StageWAN}, (*experiments.Plan).WANs, 0},
	{"match", "the same joins here and on sockets", []string{reports.StageMatch}, (*experiments.Plan).Matches, manyBeside},
	{"scale", "one large group, of a million receivers", []string{reports.StageScale}, (*experiments.Plan).Scales, 1},
}

// Run runs the simulated experiments.
func (c *simCmd) Run(s *session) error {
	plan, rows, err := c.plan(s.cli)
	if err != nil {
		return err
	}
	// Hosts are many and live long: a heap of twice their size is enough, and with
	// no goroutine in a system call as many processors as cores.
	debug.SetGCPercent(100)
	runtime.GOMAXPROCS(runtime.NumCPU())
	s.resume = c.Resume
	s.more = map[string]string{
		reports.ParamDegree: strconv.Itoa(c.Degree), reports.ParamPeriod: c.Lifetime.String(),
	}
	if c.Resume && s.cli.Out == "" {
		return &usageError{errors.New("--resume: want --out, the directory of the run to go on with")}
	}
	var stages []stage
	for _, row := range rows {
		stages = append(stages, c.stages(s, plan, row)...)
	}
	return s.run(stages...)
}

// stages returns the stages of a row. Its jobs run in the first; others that get
// samples from them are only named.
func (c *simCmd) stages(s *session, plan *experiments.Plan, row simRow) []stage {
	suite := experiments.Suite{Jobs: row.jobs(plan), Beside: c.beside(row)}
	note := fmt.Sprintf("%s: %d runs, %d servers, D = %d, T = %v, %v", row.what, len(suite.Jobs), c.Servers, c.Degree,
		c.Lifetime, plan.Faults)
	list := []stage{{
		name: row.stages[0], what: fmt.Sprintf("%s, %d runs", row.what, len(suite.Jobs)), note: note,
		run: func(ctx context.Context, sink experiments.Sink, p experiments.Progress) error {
			suite.Done = s.done
			return suite.Run(ctx, sink, p)
		},
	}}
	for _, name := range row.stages[1:] {
		list = append(list, stage{name: name, note: "measured in the runs of " + row.stages[0]})
	}
	return list
}

func (c *simCmd) beside(row simRow) int {
	switch {
	case row.beside > 0:
		return row.beside
	case c.Beside > 0:
		return c.Beside
	}
	return runtime.NumCPU()
}

// plan checks the flags.
func (c *simCmd) plan(all *cli) (*experiments.Plan, []simRow, error) {
	err := positive(map[string]float64{
		"seeds": float64(c.Seeds), "large-seeds": float64(c.LargeSeeds), "servers": float64(c.Servers),
		"degree": float64(c.Degree), "lifetime": c.Lifetime.Seconds(), "periods": float64(c.Periods),
		"packets": float64(c.Packets), "receivers": float64(c.Receivers),
	})
	if err != nil {
		return nil, nil, err
	}
	p := &experiments.Plan{
		Seeds: all.seeds(c.Seeds), LargeSeeds: all.seeds(min(c.LargeSeeds, c.Seeds)), Sizes: c.Sizes, Servers: c.Servers,
		Degree: c.Degree, Lifetime: c.Lifetime, Periods: c.Periods, Packets: c.Packets, Scale: c.Receivers,
		Workers: c.Workers,
		Faults:  experiments.Faults{Skew: c.Skew, Jitter: c.Jitter, Crashes: c.Crashes, Restarts: c.Restarts},
	}
	if p.Workers == 0 {
		p.Workers = runtime.NumCPU()
	}
	if len(c.Sizes) == 0 || c.Sizes[0] < 1 || !slices.IsSorted(c.Sizes) {
		return nil, nil, &usageError{fmt.Errorf("--sizes %v: want numbers above zero in ascending order", c.Sizes)}
	}
	for _, n := range c.Sizes {
		if n <= experiments.LargeSize {
			p.RecoverySizes = append(p.RecoverySizes, n)
		}
	}
	if err := c.choose(p); err != nil {
		return nil, nil, &usageError{err}
	}
	if p.Matrix, err = (wanFlags{RTT: c.RTT}).matrix(all); err != nil {
		return nil, nil, &usageError{err}
	}
	rows, err := c.rows()
	return p, rows, err
}

// choose reads the flags that name variants and networks.
func (c *simCmd) choose(p *experiments.Plan) error {
	for _, name := range c.Variants {
		switch name {
		case "paper":
			p.Variants = append(p.Variants, experiments.LiteralVariant())
		case "relays":
			p.Variants = append(p.Variants, experiments.RelaysVariant())
		default:
			return fmt.Errorf("--variants %.40q: want paper or relays", name)
		}
	}
	for _, list := range []struct {
		names []string
		nets  *[]experiments.Net
	}{{c.Nets, &p.Nets}, {c.Others, &p.Others}} {
		for _, name := range list.names {
			if err := experiments.Net(name).Check(); err != nil {
				return err
			}
			*list.nets = append(*list.nets, experiments.Net(name))
		}
	}
	if len(p.Variants) == 0 || len(p.Nets) == 0 {
		return errors.New("--variants and --nets: want at least one of each")
	}
	return nil
}

// rows returns the chosen rows in the order of the report.
func (c *simCmd) rows() ([]simRow, error) {
	var rows []simRow
	var known []string
	for _, r := range simRows {
		known = append(known, r.name)
		if slices.Contains(c.Rows, r.name) {
			rows = append(rows, r)
		}
	}
	for _, name := range c.Rows {
		if !slices.Contains(known, name) {
			return nil, &usageError{fmt.Errorf("--rows %.40q: want some of %s", name, strings.Join(known, ", "))}
		}
	}
	return rows, nil
}
