package plan

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// certain are figures without spread: a packet costs 2 µs to receive and a copy 1 µs, 1,000 ns a request; nothing
// stays in a node, and all nodes are alike.
func certain() *Measured {
	m := &Measured{Control: []float64{1000}}
	for _, payload := range []int{100, 1200} {
		for _, fan := range []int{1, 10} {
			m.Copies = append(m.Copies, CopyCost{fan, payload, []float64{1000 + 2000/float64(fan)}})
		}
	}
	for name, value := range map[string]float64{
		Depth: 8, Local: 0, Hottest: 1, Triggers: 4, RestRequests: 0.3, RestCopies: 0.5, JoinPackets: 100, Duplicates: 1,
		Requests: 2,
	} {
		for _, n := range []float64{1000, 4000} {
			m.Observed = append(m.Observed, Observed{name, "x", 8, n, 10, value})
		}
	}
	return m
}

// asked is a question with nothing uncertain in it.
func asked() Question {
	return Question{
		Demand: Demand{Receivers: 1e6, Packets: 500, Bytes: 1000, Variant: "x", Degree: 8},
		Node:   NodeType{Cores: 16, Bits: 25e9, Packets: 1e9, Memory: 64e9},
		Policy: Policy{
			Processor: [3]float64{0.5, 0.5, 0.5}, NIC: [3]float64{0.5, 0.5, 0.5}, Memory: 0.5, Speed: 1, Uneven: 1,
		},
		Measured: certain(), Draws: 200,
	}
}

func answer(tb rapid.TB, q Question) Answer {
	tb.Helper()
	a, err := q.Solve()
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// busiest returns the nodes to have where so many would do if all were alike: of n nodes the busiest has more than the
// mean by the root of 2 ln(n) n/1e6, as by chance, and there is one to spare.
func busiest(alike float64) float64 {
	n := alike
	for range 50 {
		n = alike * (1 + math.Sqrt(2*math.Log(n)*n/1e6))
	}
	return math.Ceil(n) + 1
}

// By hand, as the forms of section "Model" of docs/plan.md say it. A million receivers at 500/s: 1e9 copies a second,
// half of them between nodes.
func TestSolveByHand(t *testing.T) {
	a := answer(t, asked())
	control := 1e6 * 0.8
	bits := 8 * (1e9*(1000+48+24+66) + control*(96+56+66)) / (25e9 * 0.5)
	if want := busiest(bits); a.Nodes.P50 != want || a.Nodes.P10 != want || a.Nodes.P99 != want {
		t.Errorf("%+v nodes, want %v", a.Nodes, want)
	}
	if a.Binding[0].Resource != "NIC bits" || a.Binding[0].Decides != 1 {
		t.Errorf("%+v decides, want the bits of the NIC", a.Binding[0])
	}
	q := asked()
	q.Demand.Bytes, q.Node.Bits = 100, 1e12
	a = answer(t, q)
	cpu := (500e6+500)*2000 + 1e9*1000 + control*1000
	if want := busiest(cpu / (16e9 * 0.5)); a.Nodes.P50 != want || a.Binding[0].Resource != "processor" {
		t.Errorf("%+v nodes, %s decides; want %v, and the processor", a.Nodes, a.Binding[0].Resource, want)
	}
}

// Losses: of what is sent on nine hops 1 % each does not arrive, and each of these costs a repair, two requests and a
// duplicate. Churn: a tenth of the receivers an hour, 100 packets each.
func TestLoadByHand(t *testing.T) {
	d := Demand{Receivers: 1000, Packets: 10, Loss: 0.01, Churn: 0.1}
	v := draw{inDepth: 8, inDuplicates: 1, inRequests: 2, inJoinPackets: 100, inSigma: 0}
	l := d.loadOf(v)
	if want := 10_000 * (1 - math.Pow(0.99, 9)) * 4; !near(l.repair, want, 1e-6) {
		t.Errorf("repairs %v, want %v", l.repair, want)
	}
	if want := 1000 * 0.1 / 3600 * 100; !near(l.churn, want, 1e-9) {
		t.Errorf("churn %v, want %v", l.churn, want)
	}
}

// Cores that are in each other's way do less: 16 with sigma 0.1 as much as 6.4.
func TestCapacityByHand(t *testing.T) {
	c := NodeType{Cores: 16}.capacity(Policy{Speed: 2}, 0.5, draw{inSigma: 0.1})
	if want := 16 / 2.5 * 2 * 1e9 * 0.5; !near(c[Processor], want, 1) {
		t.Errorf("%v ns a second, want %v", c[Processor], want)
	}
}

// The limit leaves less of the processors the nearer it is to what a packet takes.
func TestLimit(t *testing.T) {
	q := asked()
	q.Demand.Limit = 0.001
	a := answer(t, q)
	if want := 1 - math.Log(100)*(2000+9*1000)*1e-9/16*8/0.001; !near(a.Allowed, want, 1e-9) {
		t.Errorf("%v of the processors allowed, want %v", a.Allowed, want)
	}
}

// uncertain are figures with spread, as they come.
func uncertain() *Measured {
	m := certain()
	m.Control = []float64{900, 1100, 1500}
	for i := range m.Copies {
		m.Copies[i].NS = []float64{m.Copies[i].NS[0], m.Copies[i].NS[0] * 1.3}
	}
	m.Observed = nil
	for k, n := range []float64{256, 1024, 4096, 256, 1024, 4096} {
		for _, per := range []float64{16, 128} {
			wobble := 1 + 0.1*float64(k%4-1)
			add := func(name string, v float64) {
				m.Observed = append(m.Observed, Observed{name, "x", 8, n, n / per, v})
			}
			add(Depth, wobble*math.Log2(n)/1.5)
			add(Local, 1-wobble/per)
			add(Hottest, 1+wobble*math.Sqrt(2*math.Log(n/per)/per))
			add(Triggers, 4)
			add(RestRequests, 0.3*wobble)
			add(RestCopies, 0.1*wobble*math.Log(n))
			add(JoinPackets, 20*wobble*math.Log(n))
			add(Duplicates, wobble)
			add(Requests, 2*wobble)
		}
	}
	return m
}

func open() Question {
	q := asked()
	q.Measured, q.Policy, q.Seed, q.Draws = uncertain(), DefaultPolicy(), 1, 1000
	q.Demand.Loss, q.Demand.Churn = 0.001, 0.2
	return q
}

// The same question has the same answer, and another seed nearly the same.
func TestSolveIsDeterministic(t *testing.T) {
	a, b := answer(t, open()), answer(t, open())
	if !reflect.DeepEqual(a, b) {
		t.Error("two answers to one question")
	}
	q := open()
	q.Seed = 2
	c := answer(t, q)
	if reflect.DeepEqual(a.Sensitivities, c.Sensitivities) || math.Abs(c.Nodes.P50/a.Nodes.P50-1) > 0.03 {
		t.Errorf("%v and %v nodes with two seeds; want nearly the same of other draws", a.Nodes.P50, c.Nodes.P50)
	}
}

// Quantiles are in order, shares are shares, and what is in the answer refers to its inputs.
func TestAnswerIsWhole(t *testing.T) {
	a := answer(t, open())
	if n := a.Nodes; !(n.P10 <= n.P50 && n.P50 <= n.P90 && n.P90 <= n.P99 && n.P10 < n.P99) {
		t.Errorf("%+v", n)
	}
	sum := 0.0
	for _, b := range a.Binding {
		sum += b.Decides
	}
	if !near(sum, 1, 1e-9) {
		t.Errorf("resources decide in %v of the draws", sum)
	}
	if len(a.Inputs) != numInputs || len(a.Sensitivities) == 0 || len(a.Alternatives) < 4 || len(a.Doubled) != 3 ||
		len(a.Narrow) == 0 {
		t.Errorf("%d inputs, %d sensitivities, %d alternatives, %d doublings, %d narrowings", len(a.Inputs),
			len(a.Sensitivities), len(a.Alternatives), len(a.Doubled), len(a.Narrow))
	}
	for _, n := range a.Narrow {
		if n.Nodes.P90-n.Nodes.P10 >= a.Nodes.P90-a.Nodes.P10 {
			t.Errorf("%s leaves %+v of %+v", n.Command, n.Nodes, a.Nodes)
		}
	}
	for i, name := range []string{inDepth: Depth, inLocal: Local, inHottest: Hottest, inTriggers: Triggers,
		inRestRequests: RestRequests, inRestCopies: RestCopies, inJoinPackets: JoinPackets, inDuplicates: Duplicates,
		inRequests: Requests, inPacket: "packet-ns", inCopy: "copy-ns", inControl: "control-ns", inProcessor: "processor-use",
		inNIC: "nic-use", inSigma: "sigma"} {
		if a.Inputs[i].Name != name {
			t.Errorf("input %d is %s, want %s", i, a.Inputs[i].Name, name)
		}
	}
	if !strings.Contains(strings.Join(a.Validity, " "), "extrapolated 244x beyond the largest simulated group (4096") {
		t.Errorf("%q, want how far a million is beyond 4,096", a.Validity)
	}
}

// More to do never needs fewer nodes, and nodes that can do more are never needed in larger numbers.
func TestSolveIsMonotone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		q := open()
		q.Draws = 100
		q.Demand.Receivers = math.Round(math.Pow(10, rapid.Float64Range(3, 8).Draw(rt, "receivers")))
		q.Demand.Packets = math.Pow(10, rapid.Float64Range(0, 4).Draw(rt, "packets"))
		q.Demand.Bytes = rapid.Float64Range(10, 1200).Draw(rt, "bytes")
		before := median50(rt, q)
		factor := rapid.Float64Range(1, 10).Draw(rt, "factor")
		for name, change := range map[string]func(*Question){
			"receivers": func(q *Question) { q.Demand.Receivers *= factor },
			"packets":   func(q *Question) { q.Demand.Packets *= factor },
			"loss":      func(q *Question) { q.Demand.Loss *= factor },
			"churn":     func(q *Question) { q.Demand.Churn *= factor },
		} {
			more := q
			change(&more)
			if after := median50(rt, more); after < before {
				rt.Errorf("%v nodes, %v with %v times the %s", before, after, factor, name)
			}
		}
		for name, change := range map[string]func(*Question){
			"cores": func(q *Question) { q.Node.Cores *= factor },
			"bits":  func(q *Question) { q.Node.Bits *= factor },
			"speed": func(q *Question) { q.Policy.Speed *= factor },
		} {
			more := q
			change(&more)
			if after := median50(rt, more); after > before {
				rt.Errorf("%v nodes, %v with %v times the %s", before, after, factor, name)
			}
		}
	})
}

// median50 is the P50 of the nodes alone.
func median50(tb rapid.TB, q Question) float64 {
	tb.Helper()
	_, samples, err := q.solve()
	if err != nil {
		tb.Fatal(err)
	}
	return q.spread(samples).P50
}

func TestBadQuestions(t *testing.T) {
	for want, change := range map[string]func(*Question){
		"receivers":           func(q *Question) { q.Demand.Receivers = 0 },
		"packets per second":  func(q *Question) { q.Demand.Packets = math.NaN() },
		"bytes 1500":          func(q *Question) { q.Demand.Bytes = 1500 },
		"loss 0.9":            func(q *Question) { q.Demand.Loss = 0.9 },
		"node: want":          func(q *Question) { q.Node.Cores = 0 },
		`variant "y"`:         func(q *Question) { q.Demand.Variant = "y" },
		"D = 3":               func(q *Question) { q.Demand.Degree = 3 },
		"two payloads":        func(q *Question) { q.Measured.Copies = q.Measured.Copies[:1] },
		"numbers of receiver": func(q *Question) { q.Measured.Copies = q.Measured.Copies[1:3] },
		"cost of a request":   func(q *Question) { q.Measured.Control = nil },
	} {
		q := asked()
		change(&q)
		if _, err := q.Solve(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want something about %q", err, want)
		}
	}
}
