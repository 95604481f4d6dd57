package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"i3bench/experiments"
	"i3bench/loadgen"
	"i3bench/sim/topology"
)

// cli is the command line; kong derives flags and help from it.
type cli struct {
	Out      string `help:"Result directory; default bench-out/ and the time." placeholder:"DIR"`
	Seed     uint64 `placeholder:"N" help:"First seed. Everything random follows from it. Default: 1, that of sim 101."`
	Progress string `default:"auto" enum:"auto,bar,plain,json,none" help:"How progress is shown: ${enum}."`
	Profile  bool   `help:"Keep a CPU profile of the run in the result directory, see docs/profile.md."`

	Tour    tourCmd    `cmd:"" default:"withargs" help:"The main job, a tour of 90 seconds (the default)."`
	Cluster clusterCmd `cmd:"" help:"Depth of the tree and queries by level, as in section 7.1 of the paper."`
	WAN     wanCmd     `cmd:"" name:"wan" help:"Stretch and repair on a measured network, as in section 7.2."`
	Load    loadCmd    `cmd:"" help:"Joins and repairs offered at fixed rates, or a scenario."`
	Find    findCmd    `cmd:"" help:"The largest rate of joins and repairs that meets objectives."`
	Sim     simCmd     `cmd:"" help:"The paper's simulations in virtual time: every figure and table."`
	Micro   microCmd   `cmd:"" help:"What a look-up in the matcher's table costs, against its size."`
	Plan    planCmd    `cmd:"" help:"How many nodes a group needs, and what this machine bears."`
	Deliver deliverCmd `cmd:"" help:"Judge that every packet arrives exactly once under loss."`
	Hold    holdCmd    `cmd:"" help:"Many members in one process, nodes in another: what they cost to keep."`
	Field   fieldCmd   `cmd:"" hidden:"" help:"Nodes and source for the members of another process."`
	Node    nodeCmd    `cmd:"" help:"One i3 node, on a ring with others, until it is told to end."`
	Agent   agentCmd   `cmd:"" help:"Take part in a load that bench load --agents coordinates."`
}

type clusterFlags struct {
	ClusterSeeds int `default:"10" help:"Runs of the cluster experiment, each with a seed of its own."`
	Nodes        int `default:"32" help:"i3 nodes."`
	Degree       int `default:"4" help:"D: links under one identifier."`
}

type wanFlags struct {
	WANSeeds  int      `default:"10" name:"wan-seeds" help:"Runs of the wide-area experiment, side by side."`
	RTT       string   `name:"rtt" placeholder:"FILE" help:"Matrix of round-trip times in ms. Default: a made-up one."`
	WANDegree int      `default:"8" name:"wan-degree" help:"D in the wide-area network (the paper's default is 8)."`
	Sites     int      `default:"50" help:"Sites drawn from the matrix, one node and two receivers each."`
	Packets   int      `default:"160" help:"Packets sent with losses."`
	Variants  []string `default:"paper" help:"Variants to run: paper, wide."`
}

type loadFlags struct {
	Joins    float64       `default:"2200" help:"Joins offered per second."`
	Repairs  float64       `default:"2200" help:"Losses to be repaired offered per second."`
	For      time.Duration `default:"10s" help:"How long load is offered."`
	Standing int           `default:"64" help:"Receivers that stay in the group."`
	Pool     int           `default:"160" help:"Receivers that join and leave: the most joins at a time."`
	Rate     float64       `default:"150" help:"Packets the source sends per second."`
	Search   string        `default:"${search}" enum:"draw,lan" help:"How a parent is looked for: ${enum}."`
	generatorFlags
}

// defaultSearch is how receivers of a load look for a parent. The prediction of what a machine bears is for the same.
const defaultSearch = "draw"

type generatorFlags struct {
	Late    time.Duration   `default:"25ms" help:"p99 of the generator's lateness beyond which the run is INVALID."`
	CatchUp loadgen.CatchUp `default:"smooth" name:"catchup" help:"What late operations get: smooth, burst, none."`
}

type clusterCmd struct {
	clusterFlags
	World string `default:"udp" enum:"udp,sim" help:"Real sockets or virtual time: ${enum}."`
}

type wanCmd struct {
	wanFlags
	World string `default:"udp" enum:"udp,sim" help:"Real sockets or virtual time: ${enum}."`
}

type loadCmd struct {
	loadFlags
	scenarioFlags
	agentsFlags
	liveFlags
}

type deliverCmd struct {
	World     string  `default:"udp" enum:"udp,sim" help:"Real sockets or virtual time: ${enum}."`
	Receivers int     `default:"64" help:"Receivers."`
	Packets   int     `default:"10000" help:"Packets to send."`
	Rate      float64 `default:"500" help:"Packets per second."`
	Degree    int     `default:"8" help:"D: links under one identifier."`
	Runs      int     `default:"1" help:"Runs, each with a seed of its own."`
}

// The first seeds where the flag does not say. The constants of the variant relays
// were chosen with seeds 1 to 3, so what is reported of it is of others.
const (
	firstSeed    = 1
	firstSimSeed = 101
)

// AfterApply gives --seed the default of the command, for kong.
func (c *cli) AfterApply(k *kong.Context) error {
	switch {
	case c.Seed != 0:
	case k.Command() == "sim":
		c.Seed = firstSimSeed
	default:
		c.Seed = firstSeed
	}
	return nil
}

// seeds returns n seeds from the first on.
func (c *cli) seeds(n int) []uint64 {
	s := make([]uint64, n)
	for i := range s {
		s[i] = c.Seed + uint64(i)
	}
	return s
}

// positive returns a usage error naming the first value, by name, that is not
// above zero and finite.
func positive(values map[string]float64) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch v := values[name]; {
		case !(v > 0):
			return &usageError{fmt.Errorf("--%s %v: want more than zero", name, v)}
		case math.IsInf(v, 0):
			return &usageError{fmt.Errorf("--%s %v: want a finite number", name, v)}
		}
	}
	return nil
}

func (f clusterFlags) experiment(c *cli, world string) (experiments.Cluster, error) {
	err := positive(map[string]float64{
		"cluster-seeds": float64(f.ClusterSeeds), "nodes": float64(f.Nodes), "degree": float64(f.Degree),
	})
	return experiments.Cluster{
		World: experiments.Kind(world), Nodes: f.Nodes, Degree: f.Degree, Receivers: []int{8, 16, 32, 48, 64},
		Seeds: c.seeds(f.ClusterSeeds), Jitter: experiments.QueryTime,
	}, err
}

func (f wanFlags) experiment(c *cli, world string) (experiments.WAN, error) {
	e := experiments.WAN{
		World: experiments.Kind(world), Nodes: f.Sites, PerNode: 2, Degree: f.WANDegree,
		Seeds: c.seeds(f.WANSeeds), Packets: f.Packets, WarmUp: 80, PerSecond: 20,
	}
	err := positive(map[string]float64{
		"wan-seeds": float64(f.WANSeeds), "wan-degree": float64(f.WANDegree), "sites": float64(f.Sites),
		"packets": float64(f.Packets),
	})
	if err != nil {
		return e, err
	}
	if e.Matrix, err = f.matrix(c); err != nil {
		return e, &usageError{err}
	}
	if f.Sites > e.Matrix.Len() {
		return e, &usageError{fmt.Errorf("--sites %d: the matrix has %d", f.Sites, e.Matrix.Len())}
	}
	for _, name := range f.Variants {
		switch name {
		case "paper":
			e.Variants = append(e.Variants, experiments.PaperVariant())
		case "wide":
			e.Variants = append(e.Variants, experiments.WideVariant())
		default:
			return e, &usageError{fmt.Errorf("--variants %.40q: want paper or wide", name)}
		}
	}
	return e, nil
}

// generatedSites is the size of the matrix that is made up where the user names
// none.
const generatedSites = 490

func (f wanFlags) matrix(c *cli) (*topology.Matrix, error) {
	if f.RTT == "" {
		return topology.Generate(c.Seed, generatedSites)
	}
	return topology.ReadFile(f.RTT)
}

// offered returns a usage error if a rate cannot be offered.
func (f loadFlags) offered() error {
	if _, err := (loadgen.Constant{Rate: f.Joins, For: f.For}).Open(); err != nil {
		return &usageError{fmt.Errorf("--joins %v: %w", f.Joins, err)}
	}
	if _, err := (loadgen.Constant{Rate: f.Repairs, For: f.For}).Open(); err != nil {
		return &usageError{fmt.Errorf("--repairs %v: %w", f.Repairs, err)}
	}
	return nil
}

func (f loadFlags) experiment(c *cli) (experiments.Load, error) {
	err := positive(map[string]float64{
		"joins": f.Joins, "repairs": f.Repairs, "for": f.For.Seconds(), "standing": float64(f.Standing), "rate": f.Rate,
		"pool": float64(f.Pool), "late": f.Late.Seconds(),
	})
	if err == nil {
		err = f.offered()
	}
	return experiments.Load{
		Nodes: 32, Degree: 4, Standing: f.Standing, Pool: f.Pool, Joins: f.Joins, Repairs: f.Repairs, For: f.For,
		PerSecond: f.Rate, Size: 256, Seed: c.Seed, Search: experiments.Policies[f.Search], CatchUp: f.CatchUp,
	}, err
}
