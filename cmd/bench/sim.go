package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
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
	Periods    int           `default:"1" help:"Lifetimes for which refreshes are counted."`
	Nets       []string      `default:"A-M,A-L" help:"Networks: instance A to D and reading L or M, or powerlaw."`
	Others     []string      `default:"${simOthers}" help:"Networks for two seeds, up to 1,024 receivers."`
	Variants   []string      `default:"paper,relays" help:"Ways to build, refresh and repair the tree: paper, relays."`
	Packets    int           `default:"120" help:"Packets sent with losses."`
	NodeLoss   float64       `default:"0.04" help:"Bound of the loss rates of hops between nodes, in recovery."`
	HostLoss   float64       `default:"0.08" help:"Bound of the loss rates of hosts' last hops, in recovery."`
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
	"findObjectives": findObjectives,
	"planNode":       planNode,
	"search":         defaultSearch,

	"simRows":   "tree,recovery,cluster,wan,match",
	"simSizes":  "16,64,256,1024,4096,16384,65536",
	"simOthers": "B-M,B-L,C-M,C-L,D-M,D-L,powerlaw",
}

// Help lists the rows, for kong.
func (c *simCmd) Help() string {
	var b strings.Builder
	b.WriteString("Rows, of which all but nodes and scale are run by default:\n\n")
	for _, r := range simRows {
		fmt.Fprintf(&b, "  %-9s %s\n", r.name, r.what)
	}
	return b.String()
}

// A simRow is a row of the command line and the stages of its samples. The jobs
// run in the first stage; others are those that get samples from them.
type simRow struct {
	name, what string
	stages     []string
	jobs       func(*experiments.Plan) []experiments.Job
	detail     func(*simCmd, *experiments.Plan) string // for the reader of the report
}

var simRows = []simRow{
	{
		"tree", "trees and their refreshes (Figures 11 and 12)", []string{reports.StageTree, reports.StageRefresh},
		(*experiments.Plan).Trees,
		func(c *simCmd, p *experiments.Plan) string { return c.groups(p.Faults.Steady()) },
	},
	{
		"recovery", "losses and repairs (Figure 13, Table 1)", []string{reports.StageRecovery},
		(*experiments.Plan).Recoveries,
		func(c *simCmd, p *experiments.Plan) string {
			return fmt.Sprintf("%s, losses up to %v and %v", c.groups(p.Faults), c.NodeLoss, c.HostLoss)
		},
	},
	{
		"cluster", "the cluster of 32 nodes (Table 2)", []string{reports.StageCluster}, (*experiments.Plan).Clusters,
		func(*simCmd, *experiments.Plan) string { return "64 receivers, D = 4, jitter none and up to 200µs" },
	},
	{
		"wan", "the wide area of 50 sites (Figures 14 and 15)", []string{reports.StageWAN}, (*experiments.Plan).WANs,
		func(c *simCmd, _ *experiments.Plan) string {
			return map[bool]string{true: "a made-up matrix", false: "a measured matrix"}[c.RTT == ""] + ", D = 8"
		},
	},
	{
		"match", "the same joins here and on sockets", []string{reports.StageMatch}, (*experiments.Plan).Matches,
		func(*simCmd, *experiments.Plan) string { return "32 nodes, 64 receivers, D = 4" },
	},
	{
		"nodes", "what nodes have to do, for bench plan", []string{reports.StageNodes}, (*experiments.Plan).NodeLoads,
		func(c *simCmd, _ *experiments.Plan) string {
			return fmt.Sprintf("D = %d, T = %v, 16 to 256 receivers for each node", c.Degree, c.Lifetime)
		},
	},
	{
		"scale", "one large group", []string{reports.StageScale}, (*experiments.Plan).Scales,
		func(c *simCmd, p *experiments.Plan) string {
			return fmt.Sprintf("%d receivers, %d threads, %s", p.Scale, p.Workers, c.groups(p.Faults))
		},
	},
}

// groups describes the groups of the rows that the flags are about.
func (c *simCmd) groups(f experiments.Faults) string {
	return fmt.Sprintf("%d servers, D = %d, T = %v, %v", c.Servers, c.Degree, c.Lifetime, f)
}

// Run runs the simulated experiments.
func (c *simCmd) Run(s *session) error {
	plan, rows, err := c.plan(s.cli)
	if err != nil {
		return err
	}
	if c.Resume && s.cli.Out == "" {
		return &usageError{errors.New("--resume: want --out, the directory of the run to go on with")}
	}
	var suites []experiments.Suite
	var all []experiments.Job
	for _, row := range rows {
		suites = append(suites, experiments.Suite{Jobs: row.jobs(plan), Beside: c.beside(row)})
		all = append(all, suites[len(suites)-1].Jobs...)
	}
	if len(all) == 0 {
		return &usageError{fmt.Errorf("--sizes %v: want some of up to %d for these rows and seeds", c.Sizes,
			experiments.LargeSize)}
	}
	s.resume, s.persist = c.Resume, true
	s.more = map[string]string{
		reports.ParamDegree: strconv.Itoa(c.Degree), reports.ParamPeriod: c.Lifetime.String(),
	}
	s.intro = func() string { return c.intro(s, plan, rows, suites) }
	var stages []stage
	for i, row := range rows {
		stages = append(stages, c.stages(s, plan, row, suites[i])...)
	}
	return s.run(stages...)
}

// intro says what will be run.
func (c *simCmd) intro(s *session, p *experiments.Plan, rows []simRow, suites []experiments.Suite) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Seeds %s; trees of more than %d receivers with %s.\n", seedRange(p.Seeds),
		experiments.LargeSize, seedRange(p.LargeSeeds))
	for i, row := range rows {
		suites[i].Done = s.done
		fmt.Fprintf(&b, "  %-9s %s%s: %s; %s\n", row.name, runs(len(suites[i].Jobs)), finished(suites[i]), row.what,
			row.detail(c, p))
	}
	return b.String() + "\n"
}

// runs writes a number of runs.
func runs(n int) string {
	if n == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", n)
}

// seedRange writes seeds, which follow each other.
func seedRange(seeds []uint64) string {
	switch n := len(seeds); n {
	case 0:
		return "none"
	case 1:
		return strconv.FormatUint(seeds[0], 10)
	default:
		return fmt.Sprintf("%d to %d", seeds[0], seeds[n-1])
	}
}

// finished says how many jobs of a suite an earlier run has finished, if any.
func finished(s experiments.Suite) string {
	if n := len(s.Jobs) - len(s.Left()); n > 0 {
		return fmt.Sprintf(" (%d done before)", n)
	}
	return ""
}

// stages returns the stages of a row.
func (c *simCmd) stages(s *session, p *experiments.Plan, row simRow, suite experiments.Suite) []stage {
	what := row.what + ", " + runs(len(suite.Jobs))
	first := stage{name: row.stages[0], what: what, note: what + "; " + row.detail(c, p)}
	first.run = func(ctx context.Context, sink experiments.Sink, progress experiments.Progress) error {
		defer processors(row.name)()
		suite.Done = s.done
		return suite.Run(ctx, sink, progress)
	}
	follow := "measured in the runs of " + row.stages[0]
	if len(suite.Jobs) == 0 {
		first.run, first.note = nil, "no group size is for this row"
		first.status, follow = reports.Skipped, first.note
	}
	list := []stage{first}
	for _, name := range row.stages[1:] {
		list = append(list, stage{name: name, note: follow, status: first.status})
	}
	return list
}

// processors sets how many processors Go uses, and how often it collects, for the
// simulations of a row: as many as cores, for no goroutine is in a system call, and
// more often, for hosts are many and live long; most often where there are most. On
// sockets it is as in main. It returns what undoes it.
func processors(row string) (undo func()) {
	if row == "match" {
		return func() {}
	}
	percent := debug.SetGCPercent(map[bool]int{true: 100, false: 200}[row == "scale"])
	procs := runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.NumCPU())
	}
	return func() {
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(procs)
	}
}

// beside returns how many runs of a row go on at a time. In those of match delays
// take the time, not the processor: without the flag all do. The run of scale has
// the machine for itself.
func (c *simCmd) beside(row simRow) int {
	switch {
	case row.name == "scale":
		return 1
	case c.Beside > 0:
		return c.Beside
	case row.name == "match":
		return 2 * c.Seeds
	}
	return runtime.NumCPU()
}
