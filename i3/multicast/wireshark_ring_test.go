package multicast_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/sim"
)

// Lengths of ring messages and of what is in them, as docs/wire.md has them.
const (
	ringHead  = 48
	ringPlace = 32
	ringFull  = ringHead + 20*ringPlace
)

// ringFieldNames are the fields of ring messages.
var ringFieldNames = []string{
	"i3.ring.kind", "i3.ring.nears", "i3.ring.succs", "i3.ring.member", "i3.ring.prefix", "i3.ring.self", "i3.ring.pred",
	"i3.ring.near", "i3.ring.succ", "i3.ring.room", "i3.ring.place.prefix", "i3.ring.place.ipv4", "i3.ring.place.ipv6",
	"i3.ring.place.port",
}

// judgeRing returns an error if a member of a ring refuses a message. Members keep their decoder to themselves.
func judgeRing(b []byte) error {
	self := chord.Place{Prefix: 1, Addr: netip.MustParseAddrPort("10.0.0.9:3000")}
	from := netip.MustParseAddrPort("10.0.0.8:3000")
	m, err := chord.NewMember(chord.Config{Self: self, Join: []netip.AddrPort{from}}, 0)
	if err != nil {
		return err
	}
	if len(b) >= ringHead {
		if a, err := i3.ParseAddr(b[24:]); err == nil {
			from = a
		}
	}
	m.Packet(1, from, i3.Packet{Kind: i3.KindRing}, b, machine.NewOutbox(1, 1, 1))
	switch {
	case m.Counters().DropMalformed > 0:
		return errors.New("members refuse it")
	case b[0] >= 3 && len(b) < ringFull: // of nobody, which members count as a stranger's
		return i3.ErrShort
	}
	return nil
}

// ring lists the fields of a ring message.
func (f wireFields) ring(b []byte) error {
	if err := judgeRing(b); err != nil {
		return err
	}
	f.add("i3.ring.kind", "%d", b[0])
	f.add("i3.ring.nears", "%d", b[1])
	f.add("i3.ring.succs", "%d", b[2])
	f.add("i3.ring.member", "%d", b[3])
	f.add("i3.ring.prefix", "0x%016x", binary.BigEndian.Uint64(b[8:]))
	f.place("i3.ring.self", b[16:])
	rest := b[ringHead:]
	if b[0] == 2 && len(rest) >= ringPlace {
		for i := range 1 + int(b[1]) + int(b[2]) {
			switch {
			case i == 0:
				f.place("i3.ring.pred", rest)
			case i <= int(b[1]):
				f.place("i3.ring.near", rest)
			default:
				f.place("i3.ring.succ", rest)
			}
			rest = rest[ringPlace:]
		}
	}
	if len(rest) > 0 {
		f.add("i3.ring.room", "%x", rest)
	}
	return nil
}

func (f wireFields) place(name string, b []byte) {
	addr, err := i3.ParseAddr(b[8:])
	if err != nil { // a member has accepted it, so all is zero
		f.add(name, "nobody")
		return
	}
	f.add(name, "%016x at %v", binary.BigEndian.Uint64(b), addr)
	f.add("i3.ring.place.prefix", "0x%016x", binary.BigEndian.Uint64(b))
	f.host("i3.ring.place", addr)
}

// ringDatagram makes a datagram of a ring message.
func ringDatagram(payload []byte) []byte {
	h := i3.Packet{Kind: i3.KindRing, HopLimit: 1, Length: uint16(len(payload)), Flow: 5}
	return append(h.AppendTo(nil), payload...)
}

// goldenRings returns the messages of the golden file of package chord.
func goldenRings(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, v := range readBlocks(t, "../chord/testdata/golden.txt") {
		all = append(all, v.wire)
	}
	return all
}

// unusualRings returns ring messages that must be refused, or just not: what counts and reserved bytes may be, places
// that nobody can have, and every length at which something ends.
func unusualRings(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, m := range goldenRings(t) {
		for _, c := range []struct {
			at     int
			values []byte
		}{
			{0, []byte{0, 1, 2, 3, 4, 5, 6, 255}},
			{1, []byte{0, 1, 3, 4, 255}},
			{2, []byte{0, 1, 2, 16, 17, 255}},
			{3, []byte{0, 1, 2, 255}},
			{4, []byte{1}}, {7, []byte{1}},
			{16, []byte{0}}, {33, []byte{1}}, {34, []byte{1}}, {41, []byte{0}}, {42, []byte{1}}, {47, []byte{1}}, // self
			{48, []byte{0, 1}}, {74, []byte{1}}, {79, []byte{1}}, // pred
			{80, []byte{0, 1}}, {111, []byte{1}}, {len(m) - 1, []byte{1}},
		} {
			for _, v := range c.values {
				if c.at < len(m) {
					changed := bytes.Clone(m)
					changed[c.at] = v
					all = append(all, ringDatagram(changed))
				}
			}
		}
		for at := 16; at+ringPlace <= len(m); at += ringPlace {
			nobody := bytes.Clone(m)
			clear(nobody[at : at+ringPlace])
			all = append(all, ringDatagram(nobody))
		}
		for _, length := range []int{0, 1, 47, 48, 79, 80, 111, 112, 143, 144, 687, len(m) - 1} {
			if length < len(m) {
				all = append(all, ringDatagram(m[:length]))
			}
		}
		all = append(all, ringDatagram(append(bytes.Clone(m), 0)), ringDatagram(append(bytes.Clone(m), make([]byte, 32)...)))
	}
	return all
}

// eavesdropRing lets four members form a ring in virtual time, and the last one leave it, and returns every datagram
// that was delivered.
func eavesdropRing(t *testing.T) (frames []sniffed) {
	t.Helper()
	world := sim.New(sim.Config{Seed: 7})
	var first []netip.AddrPort
	for i := range 4 {
		e, err := world.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		self := chord.Place{Prefix: uint64(i)<<62 + 5, Addr: e.Addr()}
		m, err := chord.NewMember(chord.Config{Self: self, Join: first, Seed: uint64(i)}, world.Now())
		if err != nil {
			t.Fatal(err)
		}
		e.SetFilter(func(d machine.Datagram) bool {
			frames = append(frames, sniffed{world.Now(), d.From, e.Addr(), bytes.Clone(d.Bytes)})
			return true
		})
		e.Start(m)
		first = append(first, e.Addr())[:1]
		world.Sleep(3 * machine.Second)
		if i == 3 {
			e.Do(m.Leave)
			world.Sleep(3 * machine.Second)
		}
	}
	return frames
}
