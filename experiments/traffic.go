package experiments

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
	"i3bench/testbed"
)

// Traffic counts, in virtual time, what the packets of a group at rest are for: nobody
// joins or leaves and nothing is lost, so that what is not data keeps the tree alive.
// Every packet counts as often as a node or host receives it.
type Traffic struct {
	Nodes, Degree, Receivers int
	Rates                    []int // packets that the source sends per second, one run each
	Size                     int   // bytes of a packet
	For                      time.Duration
	Seed                     uint64
}

// trafficRest is how long a group is left alone before its packets are counted, more than
// a lifetime: by then nothing of the joins is left.
const trafficRest = 40 * time.Second

// Run runs the experiment.
func (e Traffic) Run(ctx context.Context, sink Sink, progress Progress) error {
	for i, rate := range e.Rates {
		progress(i, len(e.Rates), fmt.Sprintf("%d packets a second", rate))
		if err := e.run(ctx, rate, sink); err != nil {
			return fmt.Errorf("traffic, %d packets a second: %w", rate, err)
		}
	}
	return nil
}

func (e Traffic) run(ctx context.Context, rate int, sink Sink) error {
	w, err := NewWorld(Sim, e.Seed, nil, QueryTime)
	if err != nil {
		return err
	}
	var sums classSums
	open := func() (testbed.Endpoint, error) {
		end, err := w.Open()
		if err == nil {
			end.SetFilter(sums.count)
		}
		return end, err
	}
	bed, err := testbed.New(testbed.Config{Open: open, Seed: e.Seed, Nodes: e.Nodes, Degree: e.Degree})
	if err != nil {
		return err
	}
	defer bed.Close()
	w.Sleep(50 * time.Millisecond) // the source's triggers
	var members []*member
	defer func() { closeAll(members) }()
	for n := range e.Receivers {
		m, err := Cluster{Nodes: e.Nodes}.join(ctx, w, bed, n)
		if err != nil {
			return err
		}
		members = append(members, m)
	}
	s := newStream(w, bed.Source(), e.Size, float64(rate))
	for end := w.Now().Add(machine.Duration(trafficRest)); w.Now() < end && ctx.Err() == nil; {
		s.send()
	}
	sums.reset()
	for end := w.Now().Add(machine.Duration(e.For)); w.Now() < end && ctx.Err() == nil; {
		s.send()
	}
	sums.sample(sink, reports.Sample{
		Stage: reports.StageTraffic, Seed: e.Seed, Level: rate, N: int64(e.Receivers), StartNS: int64(e.For),
	})
	return ctx.Err()
}

// classSums are packets and their bytes by what they are for.
type classSums struct {
	mu    sync.Mutex // places of a simulated world may run at the same time
	sums  map[string]*classSum
	began bool
}

type classSum struct{ packets, bytes int }

// reset forgets what was counted, and counts from now on.
func (c *classSums) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sums, c.began = make(map[string]*classSum), true
}

// count counts the packets of a datagram, and keeps it.
func (c *classSums) count(d machine.Datagram) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for rest := d.Bytes; c.began && len(rest) > 0; {
		p, wire, more, err := i3.Next(rest)
		if err != nil || wire == nil {
			break
		}
		class := classOf(p.Kind, i3.Payload(wire))
		if c.sums[class] == nil {
			c.sums[class] = new(classSum)
		}
		c.sums[class].packets++
		c.sums[class].bytes += len(wire)
		rest = more
	}
	return true
}

// classOf says what a packet of a group at rest is for. What a host asks of a node is
// a refresh there.
func classOf(kind i3.Kind, payload []byte) string {
	switch kind {
	case i3.KindInsert, i3.KindAck, i3.KindChallenge, i3.KindRemove:
		return reports.TrafficRefresh
	case i3.KindData, i3.KindDirect:
	default:
		return reports.TrafficOther
	}
	m, _, err := multicast.ParseMessage(payload)
	switch {
	case err != nil:
		return reports.TrafficOther
	case m.Type == multicast.TypeData:
		return reports.TrafficData
	case m.Type == multicast.TypeRefreshAck:
		return reports.TrafficRefresh
	case m.Type == multicast.TypeHeartbeat:
		return reports.TrafficHeartbeat
	case m.Type == multicast.TypeRequest || m.Type == multicast.TypeRepair || m.Type == multicast.TypeGone:
		return reports.TrafficRepair
	}
	return reports.TrafficOther
}

// sample hands the sums on, each in two samples like the given one.
func (c *classSums) sample(sink Sink, s reports.Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, class := range slices.Sorted(maps.Keys(c.sums)) {
		s.Group = class
		s.Kind, s.Value = reports.KindPackets, float64(c.sums[class].packets)
		sink.Sample(s)
		s.Kind, s.Value = reports.KindBytes, float64(c.sums[class].bytes)
		sink.Sample(s)
	}
}
