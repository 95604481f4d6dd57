package multicast

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// newTestGuard returns the guard of a group's member.
func newTestGuard(key [32]byte, group i3.ID) *guard {
	c := core{cfg: &Config{Key: key, Group: group}}
	c.cfg.derive()
	c.cfg.keyed = true // of any key, zero or not
	c.useKey()
	return c.guard()
}

// packetOf returns the header of a packet for an identifier.
func packetOf(id i3.ID, direct bool) i3.Packet {
	if direct {
		return i3.Packet{Kind: i3.KindDirect, ID: id}
	}
	return i3.Packet{Kind: i3.KindData, ID: id}
}

// A tag is right for the message it was made for: not with a bit changed, not from host to host if it was made for the
// tree or the other way round, not at another identifier where nodes leave that alone, and not in another group.
func TestTagIsForOneMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		g := newTestGuard(key, wireID)
		m := Message{Type: Type(rapid.IntRange(1, int(typeEnd)-1).Draw(t, "type")), Seq: rapid.Uint64().Draw(t, "seq")}
		body := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "body")
		direct := rapid.Bool().Draw(t, "direct")
		at, other := drawWireID.Draw(t, "at"), drawWireID.Draw(t, "other")
		b := g.seal(append(m.AppendTo(nil), body...), at, direct)
		if len(b) != HeaderSize+len(body)+TagSize || b[1] != FlagTagged {
			t.Fatalf("%d bytes, flags %d", len(b), b[1])
		}
		if !g.genuine(packetOf(at, direct), m.Type, b) {
			t.Fatal("a message does not have the tag it was given")
		}
		fixed := direct || m.Type == TypeQuery || m.Type == TypeRequest
		if other != at && g.genuine(packetOf(other, direct), m.Type, b) == fixed {
			t.Errorf("at another identifier it is good, or is not, though its own is fixed: %v", fixed)
		}
		if !bound(m.Type) && !at.IsZero() && g.genuine(packetOf(at, !direct), m.Type, b) {
			t.Error("good in the other kind of packet")
		}
		if newTestGuard(key, wireTarget).genuine(packetOf(at, direct), m.Type, b) {
			t.Error("good in another group")
		}
		bit := rapid.IntRange(0, 8*len(b)-1).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if g.genuine(packetOf(at, direct), m.Type, b) {
			t.Errorf("good with bit %d changed", bit)
		}
	})
}

// What is covered beside the message cannot be taken for its end: a repair for one host, whose packet has an
// identifier, is none for a subtree with these 32 bytes behind the payload.
func TestTagTellsPlaceFromBody(t *testing.T) {
	g := newTestGuard([32]byte{1}, wireID)
	b := append(Message{Type: TypeRepair, Seq: 1}.AppendTo(nil), "payload"...)
	b = g.seal(b, wireTarget, true)
	longer := bytes.Clone(b[:len(b)-TagSize])
	longer = append(wireTarget.AppendTo(longer), b[len(b)-TagSize:]...)
	if g.genuine(packetOf(wireTarget, false), TypeRepair, longer) {
		t.Error("a repair can be made longer by the identifier of its packet")
	}
}

func TestTagsDoNotAllocate(t *testing.T) {
	g := newTestGuard([32]byte{1}, wireID)
	buf := make([]byte, 0, 2000)
	var ok bool
	for _, n := range []int{0, 7, 1000} {
		body := make([]byte, n)
		if a := testing.AllocsPerRun(100, func() {
			b := g.seal(append(Message{Type: TypeData}.AppendTo(buf[:0]), body...), wireTarget, false)
			ok = g.genuine(packetOf(wireID, false), TypeData, b)
		}); a != 0 || !ok {
			t.Errorf("%d bytes: %v allocations, right tag %v", n, a, ok)
		}
	}
}

// An old notice puts off what it is about from when it was said, not from when it comes.
func TestNoticeAge(t *testing.T) {
	g := &guard{}
	notice := func(epoch uint32, at int64) Message { return Message{Type: TypeAdopt, Epoch: epoch, Time: at} }
	check := func(what string, m Message, want machine.Duration, current bool) {
		t.Helper()
		if old, ok := g.age(m); old != want || ok != current {
			t.Errorf("%s: age %d, current %v, want %d, %v", what, old, ok, want, current)
		}
	}
	check("nothing heard yet", notice(0, -5), 0, true)
	g.last.hear(Message{Type: TypeData, Epoch: 2, Time: 100})
	g.last.hear(Message{Type: TypeData, Epoch: 2, Time: 90})
	check("behind", notice(2, 60), 40, true)
	check("ahead", notice(2, 160), 0, true)
	check("of a later source", notice(3, 1), 0, true)
	check("of an earlier source", notice(1, 200), 0, false)
	check("of a source that is not at the root", notice(1<<numberShift|3, 200), 0, false)
	g.last.hear(Message{Type: TypeData, Epoch: 3, Time: 7})
	check("of what is now an earlier source", notice(2, 160), 0, false)
}

// BenchmarkTag is the cost of a tag, to make and to check, by the bytes of a message's body.
func BenchmarkTag(b *testing.B) {
	g := newTestGuard([32]byte{1}, wireID)
	for _, size := range []struct {
		name string
		n    int
	}{{"heartbeat", 0}, {"refresh-ack", 32}, {"data=1200", 1200}} {
		message := append(Message{Type: TypeData}.AppendTo(nil), make([]byte, size.n)...)
		sealed := g.seal(bytes.Clone(message), wireID, false)
		buf := make([]byte, 0, 2000)
		b.Run("make/"+size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.seal(append(buf, message...), wireID, false)
			}
		})
		b.Run("check/"+size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.genuine(packetOf(wireID, false), TypeData, sealed)
			}
		})
	}
}
