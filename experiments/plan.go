package experiments

import (
	"context"
	"fmt"
	"slices"
	"time"

	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/sim/topology"
	"i3bench/testbed"
)

// A Plan says which of the paper's experiments are simulated, and how. Its jobs
// are the rows of the paper's figures and tables that a simulator can make.
type Plan struct {
	Seeds []uint64
	// LargeSeeds are those with which groups of more than LargeSize grow.
	LargeSeeds []uint64
	Sizes      []int // of the trees, ascending
	Servers    int   // i3 nodes
	Degree     int   // D
	Lifetime   time.Duration
	Periods    int // lifetimes for which refreshes are counted
	// Nets are simulated in full; Others, with fewer seeds, up to OtherSize.
	Nets, Others []Net
	Variants     []Variant
	// Faults are those of every run.
	Faults Faults
	// Recovery: the sizes of the groups, and the packets that are counted.
	RecoverySizes []int
	Packets       int
	// Matrix is the measured or made-up one of the wide-area experiment.
	Matrix *topology.Matrix
	// Scale is the size of the largest group.
	Scale   int
	Workers int

	nets netCache
}

// Bounds of the parts of a plan that are run with fewer seeds.
const (
	LargeSize  = 4096
	otherSize  = 1024
	otherSeeds = 2
	timesSize  = 1024 // the group of Figure 13b
)

// LiteralVariant is the paper's protocol to the letter, with its refresh-level.
func LiteralVariant() Variant {
	v := PaperVariant()
	v.Refresh = multicast.ByLevel
	return v
}

// RelaysVariant is the project's own: three relays at the source, a wide search
// that counts hops, an owner's slot for refreshes, and a second sibling that is
// asked for a repair before the tree is climbed.
func RelaysVariant() Variant {
	return Variant{Name: "relays", Relays: 3, Search: multicast.WideSearch()}
}

func (p *Plan) config(net *topology.Network, seed uint64, v Variant) GroupConfig {
	return GroupConfig{
		Net: net, Seed: seed, Degree: p.Degree, Variant: v, Lifetime: p.Lifetime, Faults: p.Faults,
	}
}

// sizes returns the sizes up to a limit.
func (p *Plan) sizes(limit int) []int {
	return p.Sizes[:len(p.Sizes)-len(slices.DeleteFunc(slices.Clone(p.Sizes), func(n int) bool { return n <= limit }))]
}

// schemes names the refresh schemes in the groups of samples.
var schemes = map[multicast.RefreshScheme]string{
	multicast.OwnerFirst: reports.SchemeOwnerFirst,
	multicast.ByLevel:    reports.SchemeLevel,
	multicast.Uniform:    reports.SchemeUniform,
}

// Trees returns the jobs of Figures 11 and 12.
func (p *Plan) Trees() []Job {
	var jobs []Job
	for i, net := range p.Nets {
		for _, v := range p.Variants {
			for _, seed := range p.Seeds {
				jobs = append(jobs, p.tree(net, v, seed, i == 0, true))
			}
			if v.Refresh == multicast.ByLevel && i == 0 {
				v.Refresh = multicast.Uniform
				for _, seed := range p.Seeds {
					jobs = append(jobs, p.tree(net, v, seed, true, false))
				}
			}
		}
	}
	for _, net := range p.Others {
		for _, v := range p.Variants {
			for _, seed := range p.Seeds[:min(otherSeeds, len(p.Seeds))] {
				jobs = append(jobs, p.growth(net, v, seed, otherSize, false, true))
			}
		}
	}
	// The largest first, so that none is left alone at the end.
	slices.SortStableFunc(jobs, func(a, b Job) int { return b.Weight - a.Weight })
	return jobs
}

// tree is the growth of one tree to as large a size as its seed is for.
func (p *Plan) tree(net Net, v Variant, seed uint64, refresh, shape bool) Job {
	limit := LargeSize
	if slices.Contains(p.LargeSeeds, seed) {
		limit = p.Sizes[len(p.Sizes)-1]
	}
	return p.growth(net, v, seed, limit, refresh, shape)
}

func (p *Plan) growth(net Net, v Variant, seed uint64, limit int, refresh, shape bool) Job {
	sizes := p.sizes(limit)
	name := fmt.Sprintf("%s/%s", v.Name, net)
	scheme := ""
	if refresh {
		scheme = schemes[v.Refresh]
	}
	return Job{
		Stage: reports.StageTree, Seed: seed, Weight: sizes[len(sizes)-1],
		Key: fmt.Sprintf("tree %s %s seed %d to %d", name, schemes[v.Refresh], seed, limit),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			servers, err := p.nets.get(net, seed, p.Servers)
			if err != nil {
				return "", err
			}
			return Growth{
				Config: p.config(servers, seed, v), Name: name, Scheme: scheme, Sizes: sizes, Periods: p.Periods, Quiet: !shape,
			}.Run(ctx, sink, step)
		},
	}
}

// Recoveries returns the jobs of Figure 13 and Table 1.
func (p *Plan) Recoveries() []Job {
	var jobs []Job
	for _, net := range p.Nets {
		for _, v := range p.Variants {
			for _, n := range p.RecoverySizes {
				for _, seed := range p.Seeds {
					jobs = append(jobs, p.recovery(net, v, reports.SchemeLoss, multicast.LowestLoss, n, seed))
					jobs = append(jobs, p.recovery(net, v, reports.SchemeRandom, multicast.Spread, n, seed))
				}
			}
		}
	}
	slices.SortStableFunc(jobs, func(a, b Job) int { return b.Weight - a.Weight })
	return jobs
}

func (p *Plan) recovery(net Net, v Variant, scheme string, s multicast.RepairScheme, n int, seed uint64) Job {
	const warmUp, perSecond = 80, 10
	name := fmt.Sprintf("%s/%s/%s", scheme, v.Name, net)
	v.Repair.Scheme = s
	return Job{
		Stage: reports.StageRecovery, Seed: seed, Weight: n + n*(p.Packets+warmUp)/10,
		Key: fmt.Sprintf("recovery %s %d receivers seed %d", name, n, seed),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			servers, err := p.nets.get(net, seed, p.Servers)
			if err != nil {
				return "", err
			}
			cfg := p.config(servers, seed, v)
			cfg.Loss, cfg.Hurry, cfg.Cache = testbed.PaperLoss(seed), 3, 256
			return Recovery{
				Config: cfg, Name: name, Receivers: n, Packets: p.Packets, WarmUp: warmUp, PerSecond: perSecond,
				Times: n == timesSize,
			}.Run(ctx, sink, step)
		},
	}
}

// Clusters returns the jobs of Table 2 in virtual time.
func (p *Plan) Clusters() []Job {
	var jobs []Job
	for _, seed := range p.Seeds {
		e := Cluster{World: Sim, Nodes: 32, Degree: 4, Receivers: []int{8, 16, 32, 48, 64}, Seeds: []uint64{seed}}
		jobs = append(jobs, Job{
			Stage: reports.StageCluster, Seed: seed, Weight: 64, Key: fmt.Sprintf("cluster seed %d", seed),
			Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
				return "", e.Run(ctx, sink, func(done, _ int, _ string) { step(done) })
			},
		})
	}
	return jobs
}

// WANs returns the jobs of Figures 14 and 15 in virtual time.
func (p *Plan) WANs() []Job {
	var jobs []Job
	for _, seed := range p.Seeds {
		e := WAN{
			World: Sim, Matrix: p.Matrix, Nodes: min(50, p.Matrix.Len()), PerNode: 2, Degree: 8, Seeds: []uint64{seed},
			Variants: []Variant{PaperVariant()}, Packets: 160, WarmUp: 80, PerSecond: 20,
		}
		jobs = append(jobs, Job{
			Stage: reports.StageWAN, Seed: seed, Weight: e.Nodes*2 + wanProbes + 240, Key: fmt.Sprintf("wan seed %d", seed),
			Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
				return "", e.Run(ctx, sink, func(done, _ int, _ string) { step(done) })
			},
		})
	}
	return jobs
}

// Matches returns the jobs that compare the simulator with sockets.
func (p *Plan) Matches() []Job {
	var jobs []Job
	for _, world := range []Kind{UDP, Sim} {
		for _, seed := range p.Seeds {
			e := Match{
				World: world, Nodes: 32, Degree: 4, Receivers: 64, Seed: seed, Every: 250 * time.Millisecond,
				Settle: 30 * time.Second,
			}
			jobs = append(jobs, Job{
				Stage: reports.StageMatch, Seed: seed, Weight: 64, Key: fmt.Sprintf("match %s seed %d", world, seed),
				Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
					return "", e.Run(ctx, sink, step)
				},
			})
		}
	}
	return jobs
}

// Scales returns the job of the largest group.
func (p *Plan) Scales() []Job {
	net, v, seed := p.Nets[0], p.Variants[len(p.Variants)-1], p.Seeds[0]
	name := fmt.Sprintf("%s/%s", v.Name, net)
	return []Job{{
		Stage: reports.StageScale, Seed: seed, Weight: 2 * p.Scale, Key: fmt.Sprintf("scale %s %d receivers", name, p.Scale),
		Run: func(ctx context.Context, sink Sink, step func(int)) (string, error) {
			servers, err := p.nets.get(net, seed, p.Servers)
			if err != nil {
				return "", err
			}
			cfg := p.config(servers, seed, v)
			cfg.Workers, cfg.Cache, cfg.Size = p.Workers, 8, 16
			return Scale{Config: cfg, Name: name, Receivers: p.Scale, Seconds: 60}.Run(ctx, sink, step)
		},
	}}
}
