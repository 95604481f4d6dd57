package multicast_test

import (
	"slices"
	"strings"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// sends makes the source send: send 5 10ms.
func (g *stage) sends(args []string) {
	first := g.Source().Machine.Highest() + 1
	g.send(g.number(args[0]), g.duration(args[1]))
	g.say("packets %d to %d", first, g.Source().Machine.Highest())
}

// lose makes receivers lose one packet, once: lose 7 R4 R6.
func (g *stage) lose(args []string) {
	seq := uint64(g.number(args[0]))
	for _, r := range g.named(args[1:]) {
		r.drop = once(messageIs(multicast.TypeData, seq))
	}
}

// lossy makes receivers lose every n-th packet: lossy 20 R1 R3. None with zero.
func (g *stage) lossy(args []string) {
	n := g.number(args[0])
	for k, r := range g.named(args[1:]) {
		count := 3 * k
		r.drop = func(p i3.Packet, payload []byte) bool {
			m, _, err := multicast.ParseMessage(payload)
			if n == 0 || err != nil || p.Kind != i3.KindData || m.Type != multicast.TypeData {
				return false
			}
			count++
			return count%n == 0
		}
	}
}

// traces says what is told from now on: trace repair, or trace refresh=id1 for
// the refreshes of one link.
func (g *stage) traces(kinds []string, options map[string]string) {
	g.trace.repair = slices.Contains(kinds, "repair")
	g.trace.refresh = i3.ID{}
	if name, ok := options["refresh"]; ok {
		g.trace.refresh = g.ident(name)
	}
	for _, n := range g.Nodes() {
		n.Endpoint.SetFilter(func(d machine.Datagram) bool {
			g.watchRefreshes(d)
			return true
		})
	}
}

// watchRepairs tells of requests and repairs.
func (g *stage) watchRepairs(at string, p i3.Packet, m multicast.Message, body []byte) {
	if !g.trace.repair {
		return
	}
	switch m.Type {
	case multicast.TypeRequest:
		q, err := multicast.ParseRequest(body)
		if err != nil {
			return
		}
		from := g.hostAt(q.Requester.String())
		if q.Target.IsZero() {
			g.say("%s, of the children of %s, is asked for %d by %s", at, g.name(q.Group), m.Seq, from)
		} else {
			g.say("%s, of the children of %s, is asked to send %d to %s by %s",
				at, g.name(q.Group), m.Seq, g.name(q.Target), from)
		}
	case multicast.TypeRepair:
		if p.Kind == i3.KindDirect {
			g.say("%s gets %d by unicast", at, m.Seq)
		} else {
			g.say("%s gets %d by multicast", at, m.Seq)
		}
	}
}

// watchRefreshes tells of the refreshes that arrive at nodes.
func (g *stage) watchRefreshes(d machine.Datagram) {
	for p, payload := range packets(d.Bytes) {
		if p.Kind != i3.KindInsert {
			continue
		}
		in, err := i3.ParseInsert(payload)
		if to, link := in.Trigger.Target.ID(); err == nil && link && to == g.trace.refresh {
			g.say("%s refreshes (%s, %s)", g.hostAt(d.From.String()), g.name(in.Trigger.ID), g.name(to))
		}
	}
}

// watchAcks tells of acknowledgements of refreshes.
func (g *stage) watchAcks(at string, _ i3.Packet, m multicast.Message, body []byte) {
	if m.Type != multicast.TypeRefreshAck || at == "S" {
		return
	}
	if id := i3.IDFrom([i3.IDSize]byte(body)); id == g.trace.refresh && !id.IsZero() {
		g.say("%s hears that (%s, %s) was refreshed", at, g.parentOf(id), g.name(id))
	}
}

// refresh sets the timers of the link to an identifier: refresh id1 R1 1s R2 2s.
func (g *stage) refresh(name string, pairs []string) {
	id := g.ident(name)
	now := g.world.Now()
	for ; len(pairs) >= 2; pairs = pairs[2:] {
		r := g.named(pairs[:1])[0]
		at := now.Add(g.duration(pairs[1]))
		r.Endpoint.Do(func(machine.Time, *machine.Outbox) {
			multicast.SetLinkDue(r.Machine, slices.Index(r.Machine.Chain(), id), at)
		})
	}
}

// timers tells when everybody below an identifier will refresh the link to it.
func (g *stage) timers(name string) {
	id := g.ident(name)
	now := g.world.Now()
	for _, r := range g.live() {
		i := slices.Index(r.Machine.Chain(), id)
		if i < 1 {
			continue
		}
		in := multicast.LinkDue(r.Machine, i).Sub(now)
		switch {
		case in < 0:
			g.say("%s: overdue", r.name)
		case in < lifetime/2-500*millisecond:
			g.say("%s: before T/2", r.name)
		case in < lifetime:
			g.say("%s: between T/2 and T", r.name)
		default:
			g.say("%s: after T", r.name)
		}
	}
}

// counters tells the sums of some counters of all receivers.
func (g *stage) counters(which []string) {
	known := map[string]func(multicast.Counters) uint64{
		"repaired":  func(c multicast.Counters) uint64 { return c.Repaired },
		"adoptions": func(c multicast.Counters) uint64 { return c.Adoptions },
		"searches":  func(c multicast.Counters) uint64 { return c.Searches },
		"escalated": func(c multicast.Counters) uint64 { return c.Escalated },
	}
	for _, w := range which {
		f, ok := known[w]
		if !ok {
			g.fatalf("no counter %s", w)
		}
		g.say("%s: %d", w, g.sum(f))
	}
}

// gots tells who has a packet, and how often: got 7.
func (g *stage) gots(args []string) {
	seq := uint64(g.number(args[0]))
	var names []string
	for _, r := range g.live() {
		switch n := r.got[seq]; {
		case n == 1:
			names = append(names, r.name)
		case n > 1:
			names = append(names, r.name+" more than once")
		}
	}
	g.say("%s", strings.Join(names, " "))
}
