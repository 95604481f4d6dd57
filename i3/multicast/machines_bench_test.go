package multicast_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

// A tapped machine is one whose calls are noted while its rig records.
type tapped struct {
	machine.Machine
	rig *rig
	at  int // index in rig.machines
}

// A call is one call of a machine.
type call struct {
	kind    kind
	machine int
	now     machine.Time
	from    machine.Datagram
}

// A kind of call: what the machine is, and what it is told.
type kind uint8

const (
	nodeData kind = iota
	nodeControl
	nodeTimer
	hostData
	hostHeartbeat
	hostRefreshAck
	hostAck
	hostSearch
	hostOther
	hostTimer
	command
	kinds
)

var kindNames = [kinds]string{"node-data", "node-control", "node-timer", "data", "heartbeat", "refresh-ack", "ack",
	"search", "other", "timer", "command"}

func (m *tapped) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	if m.rig.recording {
		d := batch[0]
		d.Bytes = slices.Clone(d.Bytes)
		m.rig.calls = append(m.rig.calls, call{m.rig.kindOf(m, d.Bytes), m.at, now, d})
	}
	m.Machine.Receive(now, batch, out)
}

func (m *tapped) Expire(now machine.Time, out *machine.Outbox) {
	if m.rig.recording {
		k := hostTimer
		if m.at < m.rig.nodes {
			k = nodeTimer
		}
		m.rig.calls = append(m.rig.calls, call{kind: k, machine: m.at, now: now})
	}
	m.Machine.Expire(now, out)
}

// A rig is a deployment whose machines' calls can be recorded in one world and
// run again, without a driver, on the machines of another that had the same past.
// So it measures the machines alone, in the order in which a driver calls them.
type rig struct {
	world     *sim.World
	bed       *testbed.Bed
	nodes     int
	machines  []*tapped
	rs        []*testbed.Receiver
	recording bool
	calls     []call
}

// A tap is an endpoint whose machine is tapped.
type tap struct {
	testbed.Endpoint
	rig *rig
}

func (t tap) Start(m machine.Machine) {
	w := &tapped{Machine: m, rig: t.rig, at: len(t.rig.machines)}
	t.rig.machines = append(t.rig.machines, w)
	t.Endpoint.Start(w)
}

// newRig deploys a source and so many nodes.
func newRig(tb testing.TB, nodes, degree int) *rig {
	tb.Helper()
	r := &rig{nodes: nodes}
	net := testbed.NewNetwork(newPlane(1, nodes, 40*time.Millisecond), millisecond, testbed.Loss{})
	r.world = sim.New(sim.Config{Seed: 1, Network: net})
	bed, err := testbed.New(testbed.Config{
		Open: func() (testbed.Endpoint, error) {
			e, err := r.world.Open()
			return tap{e, r}, err
		},
		Network: net, Seed: 1, Nodes: nodes, Degree: degree, Group: multicast.Config{Cache: 16},
	})
	if err != nil {
		tb.Fatal(err)
	}
	r.bed = bed
	r.world.Sleep(second)
	return r
}

// join adds receivers and makes them join, one every few milliseconds.
func (r *rig) join(tb testing.TB, n int, gap machine.Duration) {
	tb.Helper()
	for range n {
		rec, err := r.bed.AddReceiver(len(r.rs)*7, multicast.Events{})
		if err != nil {
			tb.Fatal(err)
		}
		r.rs = append(r.rs, rec)
		r.command(rec.Machine, func(now machine.Time, out *machine.Outbox) { rec.Join() })
		r.world.Sleep(gap)
	}
}

// command runs a command of a machine, and notes it.
func (r *rig) command(m machine.Machine, f func(machine.Time, *machine.Outbox)) {
	if r.recording {
		at := slices.IndexFunc(r.machines, func(t *tapped) bool { return t.Machine == m })
		r.calls = append(r.calls, call{kind: command, machine: at, now: r.world.Now()})
	}
	f(r.world.Now(), nil)
}

// settle lets the tree come to rest, with packets so that all caches are full.
func (r *rig) settle() {
	r.world.Sleep(20 * second)
	for range 20 {
		r.send()
		r.world.Sleep(second / 2)
	}
	r.world.Sleep(10 * second)
}

var payload16 = []byte("sixteen bytes...")

func (r *rig) send() {
	r.command(r.bed.Source().Machine, func(machine.Time, *machine.Outbox) { r.bed.Source().Send(payload16) })
}

// record notes the machines' calls while f runs.
func (r *rig) record(f func()) []call {
	r.calls, r.recording = nil, true
	f()
	r.recording = false
	return r.calls
}

// kindOf returns what kind of call a datagram makes.
func (r *rig) kindOf(m *tapped, b []byte) kind {
	for p, payload := range packets(b) {
		if m.at < r.nodes {
			if p.Kind == i3.KindData {
				return nodeData
			}
			return nodeControl
		}
		if p.Kind == i3.KindAck || p.Kind == i3.KindChallenge {
			return hostAck
		}
		msg, _, _ := multicast.ParseMessage(payload)
		switch msg.Type {
		case multicast.TypeData:
			return hostData
		case multicast.TypeHeartbeat:
			return hostHeartbeat
		case multicast.TypeRefreshAck:
			return hostRefreshAck
		case multicast.TypeQuery, multicast.TypeReply:
			return hostSearch
		}
	}
	return hostOther
}

// replay runs recorded calls on this rig's machines.
func (r *rig) replay(calls []call, out *machine.Outbox) {
	var batch [1]machine.Datagram
	for i := range calls {
		r.replayOne(&calls[i], &batch, out)
	}
}

// replayTimed is replay with a look at the clock after every call; it returns the
// time of a call of every kind and the number of calls. What the clock costs is taken off,
// and of each kind the slowest hundredth, in which others had the processor.
func (r *rig) replayTimed(calls []call, out *machine.Outbox) (mean [kinds]float64, n [kinds]int) {
	var batch [1]machine.Datagram
	const looks = 100_000
	from := time.Now()
	for range looks {
		_ = time.Since(from)
	}
	look := time.Since(from) / looks
	var took [kinds][]time.Duration
	last := time.Now()
	for i := range calls {
		c := &calls[i]
		r.replayOne(c, &batch, out)
		now := time.Now()
		took[c.kind] = append(took[c.kind], now.Sub(last)-look)
		last = time.Now()
	}
	for k := range took {
		slices.Sort(took[k])
		n[k] = len(took[k])
		keep := took[k][:n[k]-n[k]/100]
		for _, d := range keep {
			mean[k] += float64(d) / float64(len(keep))
		}
	}
	return mean, n
}

func (r *rig) replayOne(c *call, batch *[1]machine.Datagram, out *machine.Outbox) {
	m := r.machines[c.machine].Machine
	switch {
	case c.kind == command:
		switch m := m.(type) {
		case *multicast.Source:
			m.Send(c.now, payload16, out)
		case *multicast.Receiver:
			m.Join(c.now, out)
		}
	case c.from.Bytes == nil:
		m.Expire(c.now, out)
	default:
		batch[0] = c.from
		m.Receive(c.now, batch[:], out)
	}
	sinkTime += m.Deadline()
	out.Reset()
}

var sinkTime machine.Time

// steady is a while in which packets are sent, heartbeats and refreshes come.
func (r *rig) steady() {
	for range 10 {
		r.send()
		r.world.Sleep(second / 2)
	}
	r.world.Sleep(10 * second)
}

// depth returns the mean level of the receivers and how many are attached.
func (r *rig) depth() (mean float64, attached int) {
	for _, rec := range r.rs {
		if l := rec.Machine.Level(); l > 0 {
			mean += float64(l)
			attached++
		}
	}
	return mean / float64(attached), attached
}

// BenchmarkMachines runs the machines of a group without a driver: in steady
// state, and while many join.
func BenchmarkMachines(b *testing.B) {
	const nodes, receivers, joiners = 128, 2000, 300
	for _, what := range []string{"steady", "joins"} {
		b.Run(fmt.Sprintf("load=%s/receivers=%d", what, receivers), func(b *testing.B) {
			phase := func(r *rig) {
				if what == "steady" {
					r.steady()
				} else {
					r.join(b, joiners, 2*millisecond)
					r.world.Sleep(2 * second)
				}
			}
			var rigs [3]*rig
			for i := range rigs {
				rigs[i] = newRig(b, nodes, 8)
				rigs[i].join(b, receivers, 5*millisecond)
				rigs[i].settle()
			}
			calls := rigs[0].record(func() { phase(rigs[0]) })
			if what == "joins" {
				for _, r := range rigs[1:] { // idle receivers to run the calls on
					for range joiners {
						rec, err := r.bed.AddReceiver(len(r.rs)*7, multicast.Events{})
						if err != nil {
							b.Fatal(err)
						}
						r.rs = append(r.rs, rec)
					}
				}
			}
			runtime.GC()
			out := machine.NewOutbox(0, 0, 0)
			done := false
			for b.Loop() {
				if done {
					b.Fatal("run with -benchtime=1x: the machines have one past")
				}
				done = true
				rigs[1].replay(calls, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(len(calls)), "ns/event")
			b.ReportMetric(float64(len(calls)), "events")
			mean, n := rigs[2].replayTimed(calls, out)
			for k := range kinds {
				if n[k] > 0 {
					b.ReportMetric(mean[k], "ns/"+kindNames[k])
					b.ReportMetric(100*float64(n[k])/float64(len(calls)), "%-"+kindNames[k])
				}
			}
		})
	}
}

// heap returns the bytes that live.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// footprint returns the bytes of a receiver and of a trigger of a node, and the
// mean level of the receivers. The rig is of no use afterwards.
func (r *rig) footprint() (perReceiver, perTrigger, level float64) {
	level, _ = r.depth()
	n := float64(len(r.rs))
	triggers := 0
	for _, nd := range r.bed.Nodes() {
		triggers += nd.Machine.Triggers()
	}
	before := heap()
	r.rs = nil
	for _, m := range r.machines[r.nodes+1:] {
		m.Machine = nil
	}
	mid := heap()
	for i := range r.bed.Nodes() {
		r.bed.Nodes()[i].Machine = nil
		r.machines[i].Machine = nil
	}
	after := heap()
	runtime.KeepAlive(r)
	return (before - mid) / n, (mid - after) / float64(triggers), level
}

// BenchmarkFootprint measures what a receiver and its triggers cost, with caches
// of 16 packets of 16 bytes.
func BenchmarkFootprint(b *testing.B) {
	for _, degree := range []int{2, 8} {
		b.Run(fmt.Sprintf("degree=%d/receivers=2000", degree), func(b *testing.B) {
			for b.Loop() {
				r := newRig(b, 128, degree)
				r.join(b, 2000, 10*millisecond)
				r.settle()
				receiver, trigger, level := r.footprint()
				b.ReportMetric(receiver, "B/receiver")
				b.ReportMetric(trigger, "B/trigger")
				b.ReportMetric(level, "level")
			}
		})
	}
}
