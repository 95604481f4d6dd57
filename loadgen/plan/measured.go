package plan

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Measured is what a plan is made from: what was calibrated on a machine and what was simulated.
type Measured struct {
	Calibrated Origin     `json:"calibrated"`
	Simulated  Origin     `json:"simulated"`
	Copies     []CopyCost `json:"copies"`
	Control    []float64  `json:"control_ns"` // processor time of a request or notice in a node and its driver, by round
	Observed   []Observed `json:"observed"`
}

// Empty reports whether there is nothing to make a plan from.
func (m *Measured) Empty() bool { return len(m.Copies)+len(m.Control)+len(m.Observed) == 0 }

// An Origin says where figures come from.
type Origin struct {
	Date    string `json:"date"`
	Machine string `json:"machine"`
	Commit  string `json:"commit"`
	Command string `json:"command"`
	Default bool   `json:"default"` // they are those that came with the program
}

// A CopyCost is what a copy costs the processor of a node that sends each packet to so many receivers, by round.
type CopyCost struct {
	Fan     int       `json:"fan"`
	Payload int       `json:"payload"` // bytes
	NS      []float64 `json:"ns"`      // a copy
}

// An Observed is a figure of a simulated group.
type Observed struct {
	Figure    string  `json:"figure"`
	Variant   string  `json:"variant"`
	Degree    int     `json:"degree"`
	Receivers float64 `json:"receivers"`
	Nodes     float64 `json:"nodes,omitempty"`
	Value     float64 `json:"value"`
}

// A figure is an input that is observed in simulated groups, and how it goes on beyond them: a straight line through
// what a form makes of it.
type figure struct {
	name, what, unit string
	x                func(receivers, nodes float64) float64
	form             form
	slope            int // sign of the slope, in the form
	low, high        float64
	floor            func(receivers, nodes float64) float64 // a higher bound than low, or nil
}

// A form makes of a figure what a line goes through, and undoes it.
type form struct{ do, undo func(float64) float64 }

// unseen is what a share or an excess is taken for that was too small to be seen.
const unseen = 1e-4

var (
	asItIs = form{func(v float64) float64 { return v }, func(v float64) float64 { return v }}
	// The share that leaves a node falls as a power of the receivers for each node.
	leaving = form{
		func(v float64) float64 { return math.Log(max(unseen, 1-v)) }, func(v float64) float64 { return 1 - math.Exp(v) },
	}
	// What the busiest node does more than the mean grows as a power of the unevenness.
	excess = form{
		func(v float64) float64 { return math.Log(max(unseen, v-1)) }, func(v float64) float64 { return 1 + math.Exp(v) },
	}
)

// What figures are drawn against. Of receivers that are spread at random the busiest of many nodes has more than the
// mean by about the root of 2 log(nodes) nodes/receivers.
func logReceivers(n, _ float64) float64 { return math.Log(n) }
func logPerNode(n, m float64) float64   { return math.Log(max(1, n/m)) }
func logUneven(n, m float64) float64    { return math.Log(uneven(n, m)) }
func nothing(_, _ float64) float64      { return 0 }

// uneven is by what share the busiest node has more of things that are spread at random.
func uneven(n, m float64) float64 { return math.Sqrt(2 * math.Log(max(2, m)) * m / n) }

// atRandom is the least that the busiest node can be expected to have: nothing makes receivers more even than chance.
func atRandom(n, m float64) float64 {
	if m <= 1 {
		return 1
	}
	return 1 + uneven(n, m)
}

// Names of the figures in [Observed].
const (
	Depth        = "depth-mean"
	Local        = "local"
	Hottest      = "hottest"
	Triggers     = "triggers"
	RestRequests = "rest-requests"
	RestCopies   = "rest-copies"
	JoinPackets  = "join-packets"
	Duplicates   = "dup-per-loss"
	Requests     = "req-per-loss"
)

// figures are the inputs that are observed.
var figures = []figure{
	{Depth, "level of a receiver, mean", "levels", logReceivers, asItIs, 1, 1, 64, nil},
	{Local, "ways between identifiers that stay in a node", "share", logPerNode, leaving, -1, 0, 1, nil},
	{Hottest, "copies of the busiest node over the mean", "ratio", logUneven, excess, 1, 1, 64, atRandom},
	{Triggers, "triggers for each receiver", "triggers", nothing, asItIs, 1, 1, 64, nil},
	{RestRequests, "requests at rest, for each receiver", "/s", logReceivers, asItIs, 1, 0, 1e3, nil},
	{RestCopies, "copies of notices at rest, for each receiver", "/s", logReceivers, asItIs, 1, 0, 1e3, nil},
	{JoinPackets, "packets and copies of a join and its leave", "packets", logReceivers, asItIs, 1, 0, 1e5, nil},
	{Duplicates, "duplicates for a loss", "packets", logReceivers, asItIs, 1, 0, 64, nil},
	{Requests, "requests for a loss", "packets", logReceivers, asItIs, 1, 0, 64, nil},
}

// least is the lower bound in a group of so many receivers on so many nodes.
func (f *figure) least(receivers, nodes float64) float64 {
	if f.floor != nil {
		return max(f.low, f.floor(receivers, nodes))
	}
	return f.low
}

// middle is the median of what at returns.
func (f *figure) middle(fit Fit, receivers, nodes float64) float64 {
	return min(max(f.form.undo(fit.A+fit.B*f.x(receivers, nodes)), f.least(receivers, nodes)), f.high)
}

// at is the distribution of a figure in a group of so many receivers on so many nodes.
func (f *figure) at(fit Fit, receivers, nodes float64) Dist {
	d := fit.At(f.x(receivers, nodes), math.Inf(-1), math.Inf(1))
	for i, v := range d {
		d[i] = min(max(f.form.undo(v), f.least(receivers, nodes)), f.high)
	}
	slices.Sort(d)
	return d
}

// of returns the observations of a figure of a variant with a degree.
func (m *Measured) of(name, variant string, degree int) (out []Observed) {
	for _, o := range m.Observed {
		if o.Figure == name && o.Variant == variant && o.Degree == degree {
			out = append(out, o)
		}
	}
	return out
}

// fit is the line of a figure.
func (m *Measured) fit(f figure, variant string, degree int) (fit Fit, largest float64, err error) {
	list := m.of(f.name, variant, degree)
	if len(list) == 0 {
		return fit, 0, fmt.Errorf("plan: no simulated %q of variant %q with D = %d: "+
			"want some of bench sim --rows nodes,recovery", f.name, variant, degree)
	}
	var x, y []float64
	for _, o := range list {
		x, y = append(x, f.x(o.Receivers, o.Nodes)), append(y, f.form.do(o.Value))
		largest = max(largest, o.Receivers)
	}
	return NewFit(x, y, f.slope), largest, nil
}

// variants returns the variants and degrees of which everything was observed, in order.
func (m *Measured) variants() (out []variant) {
	for _, o := range m.Observed {
		v := variant{o.Variant, o.Degree}
		whole := func(f figure) bool { return len(m.of(f.name, v.name, v.degree)) > 0 }
		if !slices.Contains(out, v) && !slices.ContainsFunc(figures, func(f figure) bool { return !whole(f) }) {
			out = append(out, v)
		}
	}
	return out
}

// A variant is a way to build and keep a tree, and its degree.
type variant struct {
	name   string
	degree int
}

// costs returns what a packet that a node receives costs it, and a copy that it sends, at a number of bytes: by round
// the line through the costs against the number of receivers, and between payloads, and beyond, straight lines.
func (m *Measured) costs(bytes float64) (packet, copied Dist, err error) {
	var payloads []int
	rounds := math.MaxInt
	for _, c := range m.Copies {
		payloads = append(payloads, c.Payload)
		rounds = min(rounds, len(c.NS))
	}
	slices.Sort(payloads)
	payloads = slices.Compact(payloads)
	if len(payloads) < 2 || rounds < 1 {
		return nil, nil, errors.New("plan: want the costs of copies for two payloads or more, of bench micro --parts copies")
	}
	for round := range rounds {
		var x, in, out []float64
		for _, p := range payloads {
			a, b, err := m.line(p, round)
			if err != nil {
				return nil, nil, err
			}
			x, in, out = append(x, float64(p)), append(in, a), append(out, b)
		}
		packet = append(packet, max(0, through(x, in, bytes)))
		copied = append(copied, max(0, through(x, out, bytes)))
	}
	return Rounds(packet), Rounds(copied), nil
}

// line returns what a packet costs of a payload in a round, and a copy.
func (m *Measured) line(payload, round int) (packet, copied float64, err error) {
	var fans, each []float64
	for _, c := range m.Copies {
		if c.Payload == payload {
			fans, each = append(fans, float64(c.Fan)), append(each, c.NS[round]*float64(c.Fan))
		}
	}
	if len(fans) < 2 {
		return 0, 0, fmt.Errorf("plan: want the costs of copies of %d bytes for two numbers of receivers or more", payload)
	}
	f := NewFit(fans, each, 1)
	return max(0, f.A), f.B, nil
}

// through returns the value at a place of the straight lines through points with ascending x.
func through(x, y []float64, at float64) float64 {
	i := 1
	for i < len(x)-1 && x[i] < at {
		i++
	}
	return y[i-1] + (y[i]-y[i-1])*(at-x[i-1])/(x[i]-x[i-1])
}
