package multicast_test

import (
	"fmt"
	"strings"

	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// A backing is a scenario's stand-bys B1, B2, ...
type backing struct {
	cast *cast
	by   []*standby
}

// standbys deploys stand-bys, each at the site of a receiver, of rising ranks: standby R1 R3.
func (g *stage) standbys(names []string) {
	if g.back.cast == nil {
		cfg := multicast.Config{Host: host.Config{Lifetime: lifetime}}
		g.back.cast = &cast{bed: g.bed, setup: setup{group: cfg}, sent: map[uint32]uint64{}}
	}
	for _, r := range g.named(names) {
		g.back.by = append(g.back.by, g.back.cast.standby(r.Site, uint8(len(g.back.by))))
		g.say("B%d at level %d", len(g.back.by), g.back.by[len(g.back.by)-1].m.Member().Level())
	}
}

// backed returns a stand-by by its name.
func (g *stage) backed(name string) *standby {
	i := g.number(strings.TrimPrefix(name, "B"))
	if i < 1 || i > len(g.back.by) {
		g.fatalf("no stand-by %s", name)
	}
	return g.back.by[i-1]
}

// handover makes the source hand its role to a stand-by: handover B1.
func (g *stage) handover(name string) {
	to := g.backed(name).ep.Addr()
	g.Source().Endpoint.Do(func(now machine.Time, out *machine.Outbox) { g.Source().Machine.HandOver(now, to, out) })
	g.world.Sleep(second)
	g.leads()
}

// leads tells who is the source.
func (g *stage) leads() {
	if !g.Source().Machine.Yielded() {
		g.say("S is the source, epoch %d", multicast.EpochOf(g.Source().Machine))
	}
	for i, s := range g.back.by {
		if s.m.Leads() {
			g.say("B%d is the source, epoch %d", i+1, multicast.EpochOf(s.m.Source()))
		}
	}
}

// lead makes the stand-by that is the source send: lead 5 10ms.
func (g *stage) lead(args []string) {
	s := leader(g.back.by)
	if s == nil {
		g.fatalf("no stand-by is the source")
	}
	first := s.m.Source().Highest() + 1
	for range g.number(args[0]) {
		seq := s.m.Source().Highest() + 1
		s.ep.Do(func(now machine.Time, out *machine.Outbox) { s.m.Send(now, fmt.Append(nil, "packet ", seq), out) })
		g.world.Sleep(g.duration(args[1]))
	}
	g.world.Sleep(second)
	g.say("packets %d to %d of epoch %d", first, s.m.Source().Highest(), multicast.EpochOf(s.m.Source()))
}

// fall crashes a stand-by.
func (g *stage) fall(name string) {
	s := g.backed(name)
	s.ep.Start(dead{})
	for i := range g.back.by {
		if g.back.by[i] == s {
			g.back.by[i] = &standby{ep: s.ep, m: new(multicast.Standby)} // which never leads
		}
	}
}
