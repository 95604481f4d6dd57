package multicast_test

import (
	"fmt"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

// A cast is a bed whose receivers tell streams apart, and whoever sends in it.
type cast struct {
	*bed
	setup     setup
	followers []*follower
	sent      map[uint32]uint64 // the highest number of every stream
	hosts     uint64
}

// A follower is a receiver and what it got of every stream.
type follower struct {
	*testbed.Receiver
	name    string
	streams map[uint32]*told
	drop    func(p i3.Packet, payload []byte) bool
	gone    bool
	failed  int
}

// told is what a receiver got of one stream.
type told struct {
	from      uint64
	got, lost map[uint64]int
}

// newCast deploys nodes, source and n receivers, one after the other.
func newCast(b *bed, s setup, n int) *cast {
	c := &cast{bed: b, setup: s, sent: map[uint32]uint64{}}
	for i := range n {
		c.follow(i % len(b.Nodes()))
	}
	return c
}

// follow adds a receiver and waits until it is in the tree.
func (c *cast) follow(site int) *follower {
	c.tb.Helper()
	f := &follower{name: fmt.Sprint("F", len(c.followers)+1), streams: map[uint32]*told{}}
	under, err := c.AddReceiver(site, multicast.Events{
		Follow: func(_ machine.Time, epoch uint32) *multicast.Events { return f.begin(c, epoch) },
		Failed: func(machine.Time) { f.failed++ },
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	f.Receiver = under
	under.Endpoint.SetFilter(func(d machine.Datagram) bool {
		for p, payload := range packets(d.Bytes) {
			if f.drop != nil && f.drop(p, payload) {
				return false
			}
		}
		return true
	})
	c.followers = append(c.followers, f)
	f.Join()
	c.until(f.name+" joins", 60*second, func() bool { return f.Machine.Settled() && len(f.streams) > 0 })
	return f
}

func (f *follower) begin(c *cast, epoch uint32) *multicast.Events {
	s := &told{got: map[uint64]int{}, lost: map[uint64]int{}}
	if f.streams[epoch] != nil {
		c.tb.Errorf("%s: stream %d begins a second time", f.name, epoch)
	}
	f.streams[epoch] = s
	return &multicast.Events{
		Joined: func(_ machine.Time, seq uint64) { s.from = seq },
		Deliver: func(_ machine.Time, seq uint64, _ int64, payload []byte) {
			s.got[seq]++
			if want := fmt.Sprint(epoch, "/", seq); string(payload) != want {
				c.tb.Errorf("%s: packet %d of %d is %q", f.name, seq, epoch, payload)
			}
		},
		Lost: func(_ machine.Time, seq uint64) { s.lost[seq]++ },
	}
}

// config returns the configuration of one more host at a site.
func (c *cast) config(self *sim.Endpoint, site int) multicast.Config {
	c.hosts++
	cfg := c.setup.group
	cfg.Host = host.Config{
		Self: self.Addr(), Ring: c.ring(), Seed: 1000*c.setup.seed + c.hosts,
		Lifetime: c.setup.group.Host.Lifetime, Hurry: c.setup.group.Host.Hurry,
	}
	cfg.Group, cfg.Near = c.Group(), c.Nodes()[site].Range
	return cfg
}

// A standby is a deployed stand-by.
type standby struct {
	ep    *sim.Endpoint
	m     *multicast.Standby
	leads []bool
	deaf  bool
}

// standby adds a stand-by and waits until it is in the tree.
func (c *cast) standby(site int, rank uint8) *standby {
	c.tb.Helper()
	s := &standby{ep: c.open(site)}
	cfg := c.config(s.ep, site)
	cfg.Rank = rank
	cfg.Events = multicast.Events{
		Follow: func(machine.Time, uint32) *multicast.Events { return nil },
		Leads:  func(_ machine.Time, leads bool) { s.leads = append(s.leads, leads) },
	}
	var err error
	if s.m, err = multicast.NewStandby(cfg); err != nil {
		c.tb.Fatal(err)
	}
	s.ep.SetFilter(func(machine.Datagram) bool { return !s.deaf })
	s.ep.Start(s.m)
	s.ep.Do(s.m.Join)
	c.until("the stand-by joins", 60*second, func() bool { return s.m.Member().Settled() })
	c.world.Sleep(2 * second) // it hears the source
	return s
}

func (c *cast) open(site int) *sim.Endpoint {
	c.tb.Helper()
	ep, err := c.world.Open()
	if err != nil {
		c.tb.Fatal(err)
	}
	c.net.PlaceHost(ep.Addr(), site, false)
	return ep
}

// sends makes a source send n packets, one every gap.
func (c *cast) sends(ep testEndpoint, s *multicast.Source, n int, gap machine.Duration) {
	c.tb.Helper()
	epoch := multicast.EpochOf(s)
	for range n {
		seq := s.Highest() + 1
		ep.Do(func(now machine.Time, out *machine.Outbox) {
			if got := s.Send(now, fmt.Append(nil, epoch, "/", seq), out); got != seq {
				c.tb.Errorf("packet %d of %d is sent as %d", seq, epoch, got)
			}
		})
		c.sent[epoch] = seq
		c.world.Sleep(gap)
	}
}

// first makes the bed's own source send.
func (c *cast) first(n int, gap machine.Duration) {
	c.sends(c.Source().Endpoint, c.Source().Machine, n, gap)
}

// settle runs until nobody misses anything.
func (c *cast) settle(limit machine.Duration) {
	c.world.RunWhile(func() bool {
		for _, f := range c.followers {
			if !f.gone && (f.Machine.Missing() > 0 || f.behind(c)) {
				return true
			}
		}
		return false
	}, c.world.Now().Add(limit))
	c.world.Sleep(2 * second)
}

// behind reports whether a follower has not got all packets of the streams it follows.
func (f *follower) behind(c *cast) bool {
	for epoch, s := range f.streams {
		if n := uint64(len(s.got)+len(s.lost)) + s.from; n < c.sent[epoch] {
			return true
		}
	}
	return false
}

// judgeStreams fails the test unless every follower has all packets of the given
// streams once that it is owed, and is told of none that is lost.
func (c *cast) judgeStreams(epochs ...uint32) {
	c.tb.Helper()
	for _, f := range c.followers {
		for _, epoch := range epochs {
			s := f.streams[epoch]
			if s == nil {
				c.tb.Errorf("%s: has nothing of stream %d", f.name, epoch)
				continue
			}
			for seq := s.from + 1; seq <= c.sent[epoch]; seq++ {
				if s.got[seq] != 1 || s.lost[seq] != 0 {
					c.tb.Errorf("%s at level %d: packet %d of %d came %d times, lost %d", f.name, f.Machine.Level(), seq, epoch,
						s.got[seq], s.lost[seq])
				}
			}
			if n := uint64(len(s.got)); n != c.sent[epoch]-s.from {
				c.tb.Errorf("%s: %d packets of %d, owed %d above %d", f.name, n, epoch, c.sent[epoch]-s.from, s.from)
			}
		}
	}
}

// searches counts the searches of all followers.
func (c *cast) searches() (n uint64) {
	for _, f := range c.followers {
		n += f.Machine.Counters().Searches
	}
	return n
}
