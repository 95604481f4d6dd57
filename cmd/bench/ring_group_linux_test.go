package main

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"time"

	"i3bench/cluster"
	"i3bench/daemon"
	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/verify"
)

// A ringGroup is a source and receivers whose nodes are processes. Each host finds owners by a guest of its own.
type ringGroup struct {
	*processRing
	world   *cluster.World
	source  *multicast.Source
	end     *cluster.Endpoint
	members []*ringMember
	last    uint64    // sequence number sent last; of the sender alone until it has stopped
	marked  time.Time // when the nodes were killed
	quit    chan struct{}
	sender  sync.WaitGroup
}

// A ringMember is a receiver and what it got.
type ringMember struct {
	own      *ringDaemon // whose range its identifiers are in
	end      *cluster.Endpoint
	guest    *chord.Guest
	receiver *multicast.Receiver
	owed     verify.Delivery
	arrived  []time.Time // of packets that came down the tree
	failed   bool
}

// packetEvery is the source's pace.
const packetEvery = 100 * time.Millisecond

// startGroup starts a group with so many receivers in a world, and returns when all are in the tree.
func (r *processRing) startGroup(world *cluster.World, receivers int) *ringGroup {
	g := &ringGroup{processRing: r, world: world, quit: make(chan struct{})}
	living := r.living()
	near := rangeOf(r.T.Fatal, living[0].reported)
	var key i3.Key
	binary.BigEndian.PutUint64(key[:], r.rng.Uint64())
	group := i3.NewID(near.At(r.rng.Uint64()), key, 0).Private()
	end, guest, cfg := g.host(group, near)
	var err error
	if g.source, err = multicast.NewSource(cfg); err != nil {
		r.Fatal(err)
	}
	g.end = end
	end.Start(guest.Beside(g.source))
	end.Do(func(now machine.Time, out *machine.Outbox) { g.source.Start(now, out) })
	g.sender.Go(g.send)
	r.Cleanup(func() {
		g.stop()
		end.Close()
	})
	for i := range receivers {
		g.join(group, living[i%len(living)])
	}
	g.until("all receivers are in the tree", func(m *ringMember) bool { return len(m.arrived) > 0 })
	return g
}

// rangeOf returns what a daemon owns.
func rangeOf(fatal func(...any), r daemon.Ring) chord.Range {
	lo, err := daemon.ParsePrefix(r.OwnsFrom)
	hi, err2 := daemon.ParsePrefix(r.OwnsTo)
	if err != nil || err2 != nil {
		fatal(r, err, err2)
	}
	return chord.Range{Lo: lo, Hi: hi}
}

// host opens an endpoint with a guest, for a machine of the group.
func (g *ringGroup) host(group i3.ID, near chord.Range) (*cluster.Endpoint, *chord.Guest, multicast.Config) {
	end, err := g.world.Open()
	if err != nil {
		g.Fatal(err)
	}
	living := g.living()
	seeds := []netip.AddrPort{}
	for range 3 {
		seeds = append(seeds, netip.MustParseAddrPort(living[g.rng.IntN(len(living))].addr()))
	}
	ring := chord.Config{Self: chord.Place{Addr: end.Addr()}, Join: seeds, Seed: g.rng.Uint64()}
	guest, err := chord.NewGuest(ring, g.world.Now())
	if err != nil {
		g.Fatal(err)
	}
	return end, guest, multicast.Config{
		Group: group, Near: near, Host: host.Config{Self: end.Addr(), Ring: guest, Seed: g.rng.Uint64(), Hurry: 3},
	}
}

// join adds a receiver.
func (g *ringGroup) join(group i3.ID, own *ringDaemon) {
	m := &ringMember{own: own}
	end, guest, cfg := g.host(group, rangeOf(g.Fatal, own.reported))
	m.end, m.guest = end, guest
	cfg.Events = multicast.Events{
		Joined: func(_ machine.Time, seq uint64) { m.owed.Joined(seq) },
		Deliver: func(_ machine.Time, seq uint64, sent int64, payload []byte) {
			m.owed.Delivered(seq, payload)
			if sent != 0 {
				m.arrived = append(m.arrived, time.Now())
			}
		},
		Lost:   func(_ machine.Time, seq uint64) { m.owed.Lost(seq) },
		Failed: func(machine.Time) { m.failed = true },
	}
	var err error
	if m.receiver, err = multicast.NewReceiver(cfg); err != nil {
		g.Fatal(err)
	}
	end.Start(guest.Beside(m.receiver))
	g.Cleanup(func() { end.Close() })
	end.Do(func(now machine.Time, out *machine.Outbox) { m.receiver.Join(now, out) })
	g.members = append(g.members, m)
}

// send sends packets until it is stopped.
func (g *ringGroup) send() {
	t := time.NewTicker(packetEvery)
	defer t.Stop()
	for {
		select {
		case <-g.quit:
			return
		case <-t.C:
			g.end.Do(func(now machine.Time, out *machine.Outbox) {
				g.last = g.source.Send(now, verify.AppendPayload(nil, g.last+1, 64), out)
			})
		}
	}
}

func (g *ringGroup) stop() {
	select {
	case <-g.quit:
	default:
		close(g.quit)
	}
	g.sender.Wait()
}

// until waits until something holds for every receiver. One whose search has failed begins anew.
func (g *ringGroup) until(what string, holds func(m *ringMember) bool) {
	g.Helper()
	for end := time.Now().Add(2 * patience); ; time.Sleep(50 * time.Millisecond) {
		waiting := 0
		for _, m := range g.members {
			m.end.Do(func(now machine.Time, out *machine.Outbox) {
				if m.failed {
					m.failed = false
					m.receiver.Join(now, out)
				}
				if holds(m) {
					return
				}
				if waiting++; time.Now().After(end) {
					g.Logf("receiver at %v, own node %s alive %v, level %d, missing %d, idle %v\n%+v\n%+v", m.end.Addr(),
						m.own.host, m.own.killed.IsZero(), m.receiver.Level(), m.receiver.Missing(), m.receiver.Idle(),
						m.receiver.Counters(), m.guest.Counters())
				}
			})
		}
		if waiting == 0 {
			return
		}
		if time.Now().After(end) {
			g.Fatalf("%s: %d of %d not within %v", what, waiting, len(g.members), 2*patience)
		}
	}
}

// mark notes when nodes are killed.
func (g *ringGroup) mark() { g.marked = time.Now() }

// judgeOutage waits, and then judges for how long receivers whose own nodes live got nothing since the mark.
func (g *ringGroup) judgeOutage(wait time.Duration) {
	g.Helper()
	time.Sleep(time.Until(g.marked.Add(wait)))
	var all, hit []time.Duration
	for _, m := range g.members {
		if !m.own.killed.IsZero() {
			continue
		}
		longest := time.Duration(0)
		m.end.Do(func(machine.Time, *machine.Outbox) {
			last := g.marked
			for _, at := range m.arrived {
				if at.After(g.marked) {
					longest, last = max(longest, at.Sub(last)), at
				}
			}
			longest = max(longest, time.Since(last))
		})
		all = append(all, longest)
		if longest > 5*packetEvery {
			hit = append(hit, longest)
		}
	}
	g.Logf("of %d receivers whose own nodes live %d got nothing for a while: median %v, longest %v",
		len(all), len(hit), median(hit), slices.Max(append(all, 0)))
	if m := median(hit); m > 5*time.Second {
		g.Errorf("delivery resumes after %v (median), want 5 s at most", m)
	}
}

func median(ds []time.Duration) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// judgeDelivery stops the source and judges what every receiver got: each packet since it joined, once.
func (g *ringGroup) judgeDelivery() {
	g.Helper()
	g.until("all get packets again", func(m *ringMember) bool {
		return len(m.arrived) > 0 && time.Since(m.arrived[len(m.arrived)-1]) < 10*packetEvery
	})
	g.stop()
	g.until("all are repaired", func(m *ringMember) bool { v := m.owed.Judge(g.last); return v.Missing <= v.Lost })
	owed, once := 0, 0
	for _, m := range g.members {
		m.end.Do(func(machine.Time, *machine.Outbox) {
			v := m.owed.Judge(g.last)
			owed, once = owed+v.Owed, once+v.Once
			if !v.OK() {
				g.Errorf("a receiver got %+v", v)
			}
		})
	}
	g.Logf("%d receivers: %d of %d packets delivered exactly once, %d sent", len(g.members), once, owed, g.last)
}
