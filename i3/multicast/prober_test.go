package multicast_test

import (
	"bytes"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/sim"
)

// A prober is a host that asks nodes about triggers and is no member of any
// group.
type prober struct {
	b    *bed
	ep   *sim.Endpoint
	acks []i3.Ack
	told [][]byte // messages of other hosts
}

func newProber(b *bed) *prober {
	b.tb.Helper()
	ep, err := b.world.Open()
	if err != nil {
		b.tb.Fatal(err)
	}
	p := &prober{b: b, ep: ep}
	ep.Start(p)
	return p
}

// Receive keeps the acknowledgements and what other hosts say.
func (p *prober) Receive(_ machine.Time, batch []machine.Datagram, _ *machine.Outbox) {
	for _, d := range batch {
		for pkt, payload := range packets(d.Bytes) {
			if pkt.Kind == i3.KindDirect {
				p.told = append(p.told, bytes.Clone(payload))
			}
			if pkt.Kind != i3.KindAck {
				continue
			}
			for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
				if a, err := i3.ParseAck(payload); err == nil {
					p.acks = append(p.acks, a)
				}
			}
		}
	}
}

// Deadline is never: a prober has no timers.
func (p *prober) Deadline() machine.Time { return machine.Never }

// Expire does nothing.
func (p *prober) Expire(machine.Time, *machine.Outbox) {}

// ask sends one entry to the node that owns its identifier and returns the
// answer.
func (p *prober) ask(kind i3.Kind, in i3.Insert) i3.Ack {
	p.b.tb.Helper()
	id := in.Trigger.ID
	pkt := i3.Packet{Kind: kind, HopLimit: 1, Length: i3.EntrySize, Flow: 1, ID: id}
	p.acks = nil
	for range 50 { // the network may be losing datagrams
		p.ep.Do(func(_ machine.Time, out *machine.Outbox) {
			out.Send(p.b.Nodes()[p.b.nodeOf(id)].Endpoint.Addr(), in.AppendTo(pkt.AppendTo(nil)))
		})
		p.b.world.Sleep(10 * machine.Millisecond)
		if len(p.acks) > 0 {
			return p.acks[0]
		}
	}
	p.b.tb.Fatalf("no answer about %v", id)
	return i3.Ack{}
}

// count returns how many triggers an identifier has.
func (p *prober) count(id i3.ID) (n, limit int) {
	p.b.tb.Helper()
	a := p.ask(i3.KindInsert, i3.Insert{
		Trigger: i3.Trigger{ID: id, Target: i3.ToHost(p.ep.Addr(), i3.RightKey(id))}, Probe: true,
	})
	return int(a.Count), int(a.Limit)
}

// has reports whether a link is in its node's table. It tries to remove it with
// a wrong secret: what is there refuses.
func (p *prober) has(from, to i3.ID) bool {
	p.b.tb.Helper()
	a := p.ask(i3.KindRemove, i3.Insert{
		Trigger: i3.Trigger{ID: from, Target: i3.ToID(to)}, Nonce: i3.Nonce{0xbd},
	})
	return a.Status == i3.StatusRefused
}

// sendTo sends a data packet to an identifier, as any host may.
func (p *prober) sendTo(id i3.ID, payload []byte) {
	p.ep.Do(func(_ machine.Time, out *machine.Outbox) {
		h := i3.Packet{Kind: i3.KindData, HopLimit: i3.DefaultHopLimit, Length: uint16(len(payload)), ID: id}
		out.Send(p.b.Nodes()[p.b.nodeOf(id)].Endpoint.Addr(), append(h.AppendTo(nil), payload...))
	})
}

// sendRaw sends a datagram to a host.
func (p *prober) sendRaw(r *receiver, datagram []byte) {
	p.ep.Do(func(_ machine.Time, out *machine.Outbox) { out.Send(r.Endpoint.Addr(), datagram) })
}

// sendSource sends a packet straight to the source.
func (p *prober) sendSource(id i3.ID, payload []byte) {
	p.ep.Do(func(_ machine.Time, out *machine.Outbox) {
		h := i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: uint16(len(payload)), ID: id}
		out.Send(p.b.Source().Endpoint.Addr(), append(h.AppendTo(nil), payload...))
	})
}

// sendDirect sends a packet straight to a host.
func (p *prober) sendDirect(r *receiver, id i3.ID, payload []byte) {
	p.ep.Do(func(_ machine.Time, out *machine.Outbox) {
		h := i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: uint16(len(payload)), ID: id}
		out.Send(r.Endpoint.Addr(), append(h.AppendTo(nil), payload...))
	})
}
