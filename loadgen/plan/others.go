package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// alternatives answers questions beside the one that was asked.
func (q *Question) alternatives() (out []Alternative) {
	try := func(what string, change func(*Question)) {
		other := *q
		change(&other)
		_, samples, err := other.solve()
		if err != nil {
			return // it cannot be: packets would be too long, for one
		}
		nodes := other.spread(samples)
		out = append(out, Alternative{what, nodes, other.bounds(samples, nodes.P50)[0].Resource})
	}
	for _, v := range q.Measured.variants() {
		if v != (variant{q.Demand.Variant, q.Demand.Degree}) {
			try(fmt.Sprintf("tree and refreshes of %s, D = %d", v.name, v.degree), func(o *Question) {
				o.Demand.Variant, o.Demand.Degree = v.name, v.degree
			})
		}
	}
	for _, bytes := range []float64{q.Demand.Bytes / 2, 2 * q.Demand.Bytes, 1200} {
		if bytes != q.Demand.Bytes && bytes <= 1200 {
			try(fmt.Sprintf("the same bytes per second in packets of %.4g bytes", bytes), func(o *Question) {
				o.Demand.Packets *= o.Demand.Bytes / bytes
				o.Demand.Bytes = bytes
			})
		}
	}
	try("nodes with two such NICs", func(o *Question) { o.Node.Bits *= 2; o.Node.Packets *= 2 })
	try("nodes with twice the cores", func(o *Question) { o.Node.Cores *= 2 })
	return out
}

// doubled says what happens to so many nodes if the demand doubles.
func (q *Question) doubled(nodes float64) (out []Doubling) {
	for _, x := range []struct {
		what   string
		change func(*Demand)
	}{
		{"receivers", func(d *Demand) { d.Receivers *= 2 }},
		{"packets per second", func(d *Demand) { d.Packets *= 2 }},
		{"churn", func(d *Demand) { d.Churn *= 2 }},
	} {
		other := *q
		x.change(&other.Demand)
		_, samples, err := other.solve()
		if err != nil {
			continue
		}
		d := Doubling{What: x.what, Nodes: other.spread(samples)}
		bounds := other.bounds(samples, nodes)
		first := slices.MaxFunc(bounds, func(a, b Bound) int { return cmp.Compare(a.Used, b.Used) })
		if d.Used = first.Used; d.Used > 1 {
			d.Breaks = first.Resource
		}
		out = append(out, d)
	}
	return out
}

// An experiment makes inputs known better.
type experiment struct {
	command string
	seconds float64
	inputs  []string
}

// experiments are those that could be made. Times are about those of two cores.
func (q *Question) experiments() []experiment {
	n := math.Pow(2, math.Round(math.Log2(min(q.Demand.Receivers, 1<<17))))
	sizes := fmt.Sprintf("--sizes %.0f --degree %d", n, q.Demand.Degree)
	return []experiment{
		{"bench sim --rows nodes " + sizes, 60 + n*0.03, []string{
			Depth, Local, Hottest, Triggers, RestRequests, RestCopies, JoinPackets,
		}},
		{"bench sim --rows recovery " + sizes, 60 + n*0.05, []string{Duplicates, Requests}},
		{"bench micro --parts copies --rounds 20, on a node", 600, []string{"packet-ns", "copy-ns"}},
		{"bench plan --self --rounds 20, on a node", 60, []string{"control-ns"}},
		{"bench find on a node, with the objective that counts", 120, []string{"processor-use"}},
		{"bench micro --parts copies with 1 and with all cores of a node", 300, []string{"sigma"}},
		{"a load test of the NIC between two nodes", 300, []string{"nic-use"}},
	}
}

// narrow returns the experiments by how much of the interval each could take away for its time, those first that take
// most. An experiment is credited with the input of its that is worth most.
func (q *Question) narrow(list []Input, nodes Nodes) (out []Narrowing) {
	whole := nodes.P90 - nodes.P10
	if whole <= 0 {
		return nil
	}
	for _, e := range q.experiments() {
		var best Narrowing
		for k, in := range list {
			if !slices.Contains(e.inputs, in.Name) || len(in.dist) < 2 {
				continue
			}
			n := q.spread(q.draw(list, k))
			if gain := 1 - (n.P90-n.P10)/whole; best.Input == "" || gain > best.Gain {
				best = Narrowing{Input: in.Name, Command: e.command, Seconds: e.seconds, Nodes: n, Gain: gain}
			}
		}
		if best.Gain > 0 {
			out = append(out, best)
		}
	}
	slices.SortStableFunc(out, func(a, b Narrowing) int { return cmp.Compare(b.Gain/b.Seconds, a.Gain/a.Seconds) })
	return out
}
