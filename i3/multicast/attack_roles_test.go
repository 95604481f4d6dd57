package multicast_test

import (
	"bytes"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// gets makes a stand-by receive a datagram.
func (s *standby) gets(from machine.Datagram) {
	s.ep.Do(func(now machine.Time, out *machine.Outbox) { s.m.Receive(now, []machine.Datagram{from}, out) })
}

// TestAttackForgedHandOver: nobody but the source makes a stand-by take its role, be it by a message of one's own, or
// by a true one that the stand-by never got because the handover came to nothing.
func TestAttackForgedHandOver(t *testing.T) {
	for _, key := range [][32]byte{{}, groupKey} {
		for _, replay := range []bool{false, true} {
			s := successionSetup(14, false)
			s.group.Key = key
			g := newCast(newBed(t, s), s, 4)
			heir, old := g.standby(5, 1), g.Source()
			g.first(10, 20*millisecond)
			m := multicast.Message{Type: multicast.TypeEnd, Epoch: 1, Seq: 10, Time: int64(g.world.Now())}.AppendTo(nil)
			p := i3.Packet{Kind: i3.KindDirect, HopLimit: 1, ID: g.Group(), Length: uint16(len(m))}
			d := machine.Datagram{From: old.Endpoint.Addr(), Bytes: append(p.AppendTo(nil), m...)}
			if replay {
				d.Bytes = nil
				heir.ep.SetFilter(func(got machine.Datagram) bool {
					for p, payload := range packets(got.Bytes) {
						if p.Kind == i3.KindDirect && payload[0] == byte(multicast.TypeEnd) {
							d.Bytes = append(p.AppendTo(nil), payload...)
							return false
						}
					}
					return true
				})
				old.Endpoint.Do(func(now machine.Time, out *machine.Outbox) { old.Machine.HandOver(now, heir.ep.Addr(), out) })
				g.world.Sleep(20 * second)
			}
			heir.gets(d)
			if safe := key != [32]byte{}; safe == heir.m.Leads() || d.Bytes == nil {
				t.Errorf("with key %v, sent again %v: the stand-by leads: %v", safe, replay, heir.m.Leads())
			}
		}
	}
}

// TestAttackDeadSource: an attacker sends a stand-by what a source said before it crashed, so that it seems alive. With
// a key the stand-by takes its role all the same.
func TestAttackDeadSource(t *testing.T) {
	for _, key := range [][32]byte{{}, groupKey} {
		s := successionSetup(14, false)
		s.group.Key = key
		g := newCast(newBed(t, s), s, 4)
		heir := g.standby(5, 0)
		var said []byte
		heir.ep.SetFilter(func(got machine.Datagram) bool {
			for p, payload := range packets(got.Bytes) {
				if p.Kind == i3.KindData && payload[0] == byte(multicast.TypeHeartbeat) {
					said = bytes.Clone(append(p.AppendTo(nil), payload...))
				}
			}
			return true
		})
		g.world.Sleep(5 * second)
		g.Source().Endpoint.Start(dead{})
		heir.ep.SetFilter(nil)
		for range 20 {
			g.world.Sleep(second)
			heir.gets(machine.Datagram{From: g.Source().Endpoint.Addr(), Bytes: said})
		}
		if safe := key != [32]byte{}; safe != heir.m.Leads() || said == nil {
			t.Errorf("with key %v: the stand-by leads: %v", safe, heir.m.Leads())
		}
	}
}
