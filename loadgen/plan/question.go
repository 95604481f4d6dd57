package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"i3bench/internal/prng"
)

// A Question is what a plan is asked for.
type Question struct {
	Demand   Demand    `json:"demand"`
	Node     NodeType  `json:"node"`
	Policy   Policy    `json:"policy"`
	Measured *Measured `json:"-"`
	Seed     uint64    `json:"seed"`
	Draws    int       `json:"draws"` // of the Monte-Carlo; 0: [DefaultDraws]
}

// DefaultDraws is how many draws an answer is made of.
const DefaultDraws = 20_000

// An Input is one of the quantities that are not known exactly.
type Input struct {
	Name   string  `json:"name"`
	What   string  `json:"what"`
	Unit   string  `json:"unit"`
	Source Source  `json:"source"`
	P10    float64 `json:"p10"`
	P50    float64 `json:"p50"`
	P90    float64 `json:"p90"`
	// Beyond is how many times larger what is asked for is than the largest group that was simulated, 1 if it is not.
	Beyond float64 `json:"beyond,omitempty"`

	dist Dist
	fit  Fit // of a figure
}

// A Source says where an input is from.
type Source string

// The sources.
const (
	Calibrated Source = "calibrated" // measured on a machine
	Simulated  Source = "simulated"  // counted in virtual time
	Given      Source = "given"      // assumed, or said by whoever asks
)

// inputs returns the inputs if there is one node.
func (q *Question) inputs() (list []Input, err error) {
	d := q.Demand
	for i := range figures {
		f := &figures[i]
		fit, largest, err := q.Measured.fit(*f, d.Variant, d.Degree)
		if err != nil {
			return nil, err
		}
		list = append(list, Input{
			Name: f.name, What: f.what, Unit: f.unit, Source: Simulated, Beyond: max(1, d.Receivers/largest),
			dist: f.at(fit, d.Receivers, 1), fit: fit,
		})
	}
	packet, copied, err := q.Measured.costs(d.Bytes)
	if err != nil {
		return nil, err
	}
	if len(q.Measured.Control) == 0 {
		return nil, fmt.Errorf("plan: no cost of a request: want bench plan --self")
	}
	p := q.Policy
	list = append(list,
		Input{
			Name: "packet-ns", What: "processor time of a packet that a node receives", Unit: "ns", Source: Calibrated,
			dist: packet,
		},
		Input{
			Name: "copy-ns", What: "processor time of a copy that it sends", Unit: "ns", Source: Calibrated, dist: copied,
		},
		Input{
			Name: "control-ns", What: "processor time of a request or notice", Unit: "ns", Source: Calibrated,
			dist: Rounds(q.Measured.Control),
		},
		Input{
			Name: "processor-use", What: "share of the processors that may be used", Unit: "share", Source: Given,
			dist: Triangle(p.Processor[0], p.Processor[1], p.Processor[2]),
		},
		Input{
			Name: "nic-use", What: "share of the NIC that may be used", Unit: "share", Source: Given,
			dist: Triangle(p.NIC[0], p.NIC[1], p.NIC[2]),
		},
		Input{
			Name: "sigma", What: "contention of cores", Unit: "", Source: Given,
			dist: Triangle(p.Sigma[0], p.Sigma[1], p.Sigma[2]),
		},
	)
	for i := range list {
		list[i].look()
	}
	return list, nil
}

// look takes over the quantiles of the distribution.
func (in *Input) look() { in.P10, in.P50, in.P90 = in.dist.At(0.1), in.dist.At(0.5), in.dist.At(0.9) }

// settled returns the inputs for the number of nodes that they lead to, if each is in its middle: the least number for
// which that is so, since what depends on the nodes asks for more of them the more there are.
func (q *Question) settled() ([]Input, error) {
	list, err := q.inputs()
	if err != nil {
		return nil, err
	}
	v, nodes := medians(list), 1.0
	for range 100 {
		need, _ := q.nodes(v)
		next := max(1, slices.Max(need[:]))
		if math.Abs(next-nodes) < 0.001*nodes {
			break
		}
		nodes = next
		for i := range figures {
			f := &figures[i]
			v[i] = f.middle(list[i].fit, q.Demand.Receivers, nodes)
		}
	}
	for i := range figures {
		list[i].dist = figures[i].at(list[i].fit, q.Demand.Receivers, nodes)
		list[i].look()
	}
	return list, nil
}

func medians(list []Input) draw {
	v := make(draw, len(list))
	for i := range list {
		v[i] = list[i].P50
	}
	return v
}

// A sample is a draw and what came of it.
type sample struct {
	v     draw
	needs [numResources]float64 // nodes
	need  float64               // the most of these
	binds int                   // the resource that asks for it
	load  load
}

// draw draws all inputs, each from a stream of its own, so that an input has the same values whatever is asked. One
// that is frozen is always in its middle; none is if it is negative.
func (q *Question) draw(list []Input, frozen int) []sample {
	out := make([]sample, cmp.Or(q.Draws, DefaultDraws))
	values := make(draw, len(list)*len(out))
	for i := range out {
		v := values[i*len(list):][:len(list)]
		for k := range list {
			if v[k] = list[k].P50; k != frozen {
				v[k] = list[k].dist.At(prng.Unit(prng.Hash3(q.Seed, uint64(i), uint64(k), 0)))
			}
		}
		need, l := q.nodes(v)
		s := sample{v: v, needs: need, load: l}
		for k, n := range need {
			if n > s.need {
				s.need, s.binds = n, k
			}
		}
		out[i] = s
	}
	return out
}

// spread are the quantiles of the nodes to have.
func (q *Question) spread(samples []sample) Nodes {
	n := make([]float64, len(samples))
	for i := range samples {
		n[i] = q.Policy.withSpare(samples[i].need)
	}
	slices.Sort(n)
	at := func(p float64) float64 { return n[int(math.Ceil(p*float64(len(n)-1)))] }
	return Nodes{P10: at(0.1), P50: at(0.5), P90: at(0.9), P99: at(0.99)}
}
