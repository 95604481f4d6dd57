package multicast_test

import (
	"encoding/binary"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// A forger is fuzzed bytes read as a list of packets.
type forger struct {
	b   *bed
	r   *receiver
	raw []byte
}

func (s *forger) byte() byte {
	if len(s.raw) == 0 {
		return 0
	}
	c := s.raw[0]
	s.raw = s.raw[1:]
	return c
}

func (s *forger) take(n int) []byte {
	b := make([]byte, n)
	s.raw = s.raw[copy(b, s.raw):]
	return b
}

// id draws one of the identifiers that mean something to the receiver.
func (s *forger) id() i3.ID {
	c := s.r.Machine.Chain()
	known := append([]i3.ID{s.b.Group(), multicast.RootOf(s.b.Group())}, c...)
	id := known[int(s.byte())%len(known)]
	switch s.byte() % 6 {
	case 0:
		return multicast.JoinSet(id)
	case 1:
		return multicast.FullSet(id)
	case 2:
		return multicast.RepairGroup(id, uint64(s.byte()))
	case 3:
		return i3.NewID(uint64(s.byte()), i3.RightKey(id), uint64(s.byte()))
	}
	return id
}

// seq draws a sequence number: small, or with a single bit far up.
func (s *forger) seq() uint64 {
	n := uint64(s.byte())
	if c := s.byte(); c < 64 {
		return n
	} else if c < 128 {
		return n + 1<<(c%64)
	}
	return s.r.Machine.Highest() + n
}

// epochs are of incarnations of the source at the root, and of others.
var epochs = [6]uint32{0, 1, 2, 1 << 24, 2<<24 | 1, 3 << 24}

// message draws a message that decodes, most of the time.
func (s *forger) message() []byte {
	m := multicast.Message{
		Type: multicast.Type(s.byte() % 19), Flags: s.byte() % 17, Level: uint16(s.byte()), Epoch: epochs[s.byte()%6],
		Seq: s.seq(), Time: int64(binary.BigEndian.Uint64(s.take(8))),
	}
	b := m.AppendTo(nil)
	switch m.Type {
	case multicast.TypeReply:
		return multicast.Reply{
			ID: s.id(), SourceDistance: int64(binary.BigEndian.Uint64(s.take(8))),
			SourceClock: int64(binary.BigEndian.Uint64(s.take(8))),
		}.AppendTo(b)
	case multicast.TypeQuery:
		n := len(multicast.Reply{}.AppendTo(nil))
		return append(b, append(i3.AppendAddr(nil, s.r.Endpoint.Addr()), make([]byte, n-i3.AddrSize)...)...)
	case multicast.TypeReport:
		return multicast.Report{
			ID: s.id(), SourceDistance: int64(binary.BigEndian.Uint64(s.take(8))),
			Metric: multicast.Metric(s.byte() % 4), Value: binary.BigEndian.Uint32(s.take(4)),
		}.AppendTo(b)
	case multicast.TypeRequest:
		return multicast.Request{Group: s.id(), Target: s.id(), Requester: s.r.Endpoint.Addr()}.AppendTo(b)
	case multicast.TypeRefreshAck, multicast.TypeAdopt, multicast.TypeHint:
		return s.id().AppendTo(b)
	case multicast.TypeRekey:
		return s.rekey(b)
	case multicast.TypeLeaving:
		return append(s.id().AppendTo(b), s.take(16)...)
	}
	return append(b, s.take(int(s.byte()%8))...)
}

// rekey draws a chain under which the receiver or one above it may hang from now on: half of the time one that the
// constraints allow.
func (s *forger) rekey(b []byte) []byte {
	c := s.r.Machine.Chain()
	old := s.id()
	chain := []i3.ID{s.b.Group()}
	if len(c) > 1 && s.byte()%2 == 0 {
		old = c[1+int(s.byte())%(len(c)-1)]
	}
	for range s.byte() % 4 {
		chain = append(chain, i3.NewID(uint64(s.byte()), i3.RightKey(chain[len(chain)-1]), uint64(s.byte())).Private())
	}
	chain = append(chain, i3.NewID(old.Prefix(), i3.RightKey(chain[len(chain)-1]), old.Suffix()))
	b = old.AppendTo(b)
	for _, id := range chain {
		b = id.AppendTo(b)
	}
	return b
}

// entry draws an acknowledgement of one of the receiver's triggers.
func (s *forger) entry() []byte {
	id := s.id()
	t := i3.Trigger{ID: id, Target: i3.ToID(s.id())}
	if s.byte()%2 == 0 {
		t.Target = i3.ToHost(s.r.Endpoint.Addr(), i3.RightKey(id))
	}
	return i3.Ack{
		Trigger: t, Status: i3.Status(s.byte()%10 + 1), Count: uint16(s.byte()), Limit: uint16(s.byte()),
	}.AppendTo(nil)
}

// packet draws a packet for the receiver.
func (s *forger) packet() []byte {
	p := i3.Packet{HopLimit: 1, Flow: uint32(s.byte() % 32)}
	var payload []byte
	switch s.byte() % 5 {
	case 0:
		p.Kind, payload = i3.KindData, s.message()
	case 1:
		p.Kind, payload = i3.KindDirect, s.message()
	case 2:
		p.Kind, payload = i3.KindAck, s.entry()
	case 3:
		p.Kind, payload = i3.KindChallenge, s.take(i3.EntrySize)
	case 4:
		p.Kind, payload = i3.Kind(s.byte()%7), s.take(int(s.byte()))
	}
	p.ID, p.Length = s.id(), uint16(len(payload))
	return append(p.AppendTo(nil), payload...)
}

// reach brings a receiver into the k-th of its states.
func reach(b *bed, r *receiver, k byte) {
	r.Join()
	for _, c := range []func() bool{
		func() bool { return true },
		func() bool { return len(r.Machine.Chain()) > 0 },
		func() bool { return r.attached > 0 },
		func() bool { return r.joined > 0 },
	}[:min(k%6, 4)] {
		b.until("a state", 30*second, c)
	}
	if k%6 == 5 {
		r.Leave()
	}
}

// FuzzReceiver gives a receiver in any state any packets, as anybody can send
// it who knows the group or the receiver's address. It must not panic or hang,
// nothing in it may grow without bound, and it must still be able to leave.
func FuzzReceiver(f *testing.F) {
	for state := range byte(12) {
		f.Add(state, []byte{0, 0, 1, 0, 0, 0, 5, 130, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) // data
		f.Add(state, []byte{0, 0, 1, 0, 0, 0, 0, 0})                                    // data, number 0
		f.Add(state, []byte{0, 0, 1, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})   // data of a successor
		f.Add(state, []byte{0, 0, 1, 0, 0, 4, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})   // data of another source
		f.Add(state, []byte{0, 0, 17, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})  // end
		f.Add(state, []byte{0, 0, 2, 0, 0, 0, 0, 127})                                  // a heartbeat from far ahead
		f.Add(state, []byte{0, 1, 4, 0, 0, 0, 0, 1, 0})                                 // reply
		f.Add(state, []byte{0, 1, 4, 8, 0, 0, 0, 72})                                   // reply, and more to come
		f.Add(state, []byte{3, 2, 2, 4, 3, 4, 0, 6, 9, 9})                              // ack: full
		f.Add(state, []byte("an arbitrary payload that is longer than one packet is, and makes several of them"))
	}
	f.Fuzz(func(t *testing.T, state byte, raw []byte) {
		hangs := time.AfterFunc(20*time.Second, func() { panic("the receiver hangs") })
		defer hangs.Stop()
		b := newBed(t, setup{
			seed: 61, nodes: 2, degree: 2,
			group: multicast.Config{
				Cache: 64, Host: host.Config{Lifetime: 2 * second}, HeartbeatMax: second / 2, MaxSources: 3,
			},
		})
		b.apart = state >= 6
		r := b.add(0)[0]
		r.Endpoint.SetFilter(nil)
		b.Source().Endpoint.SetFilter(nil)
		reach(b, r, state)
		r.bed = &bed{tb: &quiet{TB: t}} // what is forged is not what was sent
		p := newProber(b)
		s := &forger{b: b, r: r, raw: raw[:min(len(raw), 4096)]}
		for n := 0; len(s.raw) > 0; n++ {
			p.sendRaw(r, s.packet())
			if n%8 == 7 {
				b.world.Sleep(100 * millisecond)
			}
		}
		before := b.world.Counters().Events
		b.world.Sleep(10 * second)
		if n := b.world.Counters().Events - before; n > 200_000 {
			t.Errorf("%d events in 10 s: the receiver does not come to rest", n)
		}
		for what, n := range multicast.Size(r.Machine) {
			if n[0] > n[1] {
				t.Errorf("%d %s, at most %d wanted", n[0], what, n[1])
			}
		}
		r.Leave()
		b.until("the receiver leaves", 300*second, func() bool { return r.Machine.Idle() })
	})
}

// A forged sequence number from far ahead costs no more than any other packet.
func TestForgedSequenceNumbers(t *testing.T) {
	for name, m := range map[string]multicast.Message{
		"data":      {Type: multicast.TypeData, Seq: 1 << 55},
		"zero":      {Type: multicast.TypeData},
		"too large": {Type: multicast.TypeData, Seq: 1<<64 - 1},
		"heartbeat": {Type: multicast.TypeHeartbeat, Seq: 1<<56 - 1},
		"repair":    {Type: multicast.TypeRepair, Seq: 1 << 40},
		"gone":      {Type: multicast.TypeGone, Seq: 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, setup{seed: 62})
			r := b.grow(1)[0]
			b.send(5, 10*millisecond)
			r.drop = messageIs(multicast.TypeData, 6)
			b.send(1, 10*millisecond)
			payload := []byte{}
			if m.Type == multicast.TypeData || m.Type == multicast.TypeRepair {
				payload = append(payload, "packet "...)
			}
			r.bed = &bed{tb: &quiet{TB: t}} // what is forged is not what was sent
			newProber(b).sendTo(r.own(), append(m.AppendTo(nil), payload...))
			b.world.Sleep(10 * second)
			if lost := len(r.lost); lost > 1 {
				t.Errorf("%d packets given up for one forged message", lost)
			}
			if n := r.Machine.Missing(); n > 1<<12 {
				t.Errorf("%d packets missing", n)
			}
		})
	}
}

// Taking a packet, and answering a query, allocate nothing.
func TestHotPathsAllocateNothing(t *testing.T) {
	b := newBed(t, setup{seed: 63, group: multicast.Config{Cache: 16}})
	r, err := b.AddReceiver(1, multicast.Events{})
	if err != nil {
		t.Fatal(err)
	}
	r.Join()
	b.world.Sleep(5 * second)
	b.send(40, millisecond)
	chain := r.Machine.Chain()
	source := b.Source().Endpoint.Addr()
	wire := func(id i3.ID, m multicast.Message, body []byte) []byte {
		payload := append(m.AppendTo(nil), body...)
		p := i3.Packet{Kind: i3.KindData, HopLimit: 1, Length: uint16(len(payload)), ID: id}
		return append(p.AppendTo(nil), payload...)
	}
	query := make([]byte, len(multicast.Reply{}.AppendTo(nil)))
	copy(query, i3.AppendAddr(nil, source))
	now, out, batch := b.world.Now(), machine.NewOutbox(0, 0, 0), make([]machine.Datagram, 1)
	for _, c := range []struct {
		name  string
		wire  []byte
		count func(multicast.Counters) uint64
	}{
		{"data", wire(chain[1], multicast.Message{Type: multicast.TypeData}, make([]byte, 1000)),
			func(c multicast.Counters) uint64 { return c.Delivered }},
		{"query", wire(multicast.JoinSet(chain[0]), multicast.Message{Type: multicast.TypeQuery}, query),
			func(c multicast.Counters) uint64 { return c.Queries }},
	} {
		before := c.count(r.Machine.Counters())
		seq := r.Machine.Highest()
		n := testing.AllocsPerRun(500, func() {
			seq++
			binary.BigEndian.PutUint64(c.wire[i3.HeaderSize+8:], seq)
			batch[0] = machine.Datagram{From: source, Bytes: c.wire}
			r.Machine.Receive(now, batch, out)
			out.Reset()
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a packet, want none", c.name, n)
		}
		if n := c.count(r.Machine.Counters()) - before; n < 500 {
			t.Errorf("%s: %d packets handled of 501: nothing was tested", c.name, n)
		}
	}
}
