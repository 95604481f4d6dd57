package multicast

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/machine"
)

// TestCacheIsARing: a cache that grows as it is used has at every moment what one of full size has.
func TestCacheIsARing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := 1 << rapid.IntRange(0, 6).Draw(t, "log limit")
		type entry struct {
			seq     uint64
			payload []byte
		}
		ring := make([]entry, limit)
		var c cache
		base := rapid.Uint64Range(1, 1<<40).Draw(t, "base")
		for range rapid.IntRange(1, 200).Draw(t, "puts") {
			seq := base + rapid.Uint64Range(0, uint64(3*limit)).Draw(t, "seq")
			if rapid.IntRange(0, 40).Draw(t, "clear") == 27 {
				c.clear()
				clear(ring)
			}
			payload := bytes.Repeat([]byte{byte(seq)}, rapid.IntRange(0, 70).Draw(t, "size"))
			c.put(seq, payload, limit)
			ring[seq%uint64(limit)] = entry{seq, payload}
			for q := base; q <= base+uint64(3*limit); q++ {
				e := ring[q%uint64(limit)]
				got := c.get(q)
				if has := e.seq == q; (got != nil) != has || has && !bytes.Equal(got, e.payload) {
					t.Fatalf("packet %d is %v, a full ring of %d has %v of %d", q, got, limit, e.payload, e.seq)
				}
			}
		}
		if len(c.slots) > limit {
			t.Fatalf("%d slots, limit %d", len(c.slots), limit)
		}
	})
}

// TestCacheGrowsToItsLimit: it has one slot for one packet, and never more than the limit.
func TestCacheGrowsToItsLimit(t *testing.T) {
	var c cache
	if c.get(1) != nil {
		t.Error("an empty cache has a packet")
	}
	for seq := uint64(1000); seq < 1100; seq++ {
		c.put(seq, make([]byte, 16), 16)
		want := 1
		for want < int(min(seq-999, 16)) {
			want *= 2
		}
		if len(c.slots) != want || len(c.bytes) > 16*16 {
			t.Fatalf("%d slots and %d bytes after %d packets, want %d slots", len(c.slots), len(c.bytes), seq-999, want)
		}
	}
	for size := range MaxPayload + 1 { // one slot, whose place grows by doubling
		c.put(1104, make([]byte, size), 16)
	}
	if len(c.bytes) > 16*16+2<<16 {
		t.Errorf("one packet of growing size takes %d bytes", len(c.bytes))
	}
	if got := c.get(1104); len(got) != MaxPayload {
		t.Errorf("a packet of %d bytes has %d", MaxPayload, len(got))
	}
}

// TestWindowIsTheSmallest: it says what a look at the last sixteen says, and keeps no more than those.
func TestWindowIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		var all []int64
		for _, d := range rapid.SliceOfN(rapid.Int64Range(0, 30), 30, 200).Draw(t, "distances") {
			if rapid.IntRange(0, 50).Draw(t, "reset") == 41 {
				w.reset()
				all = nil
			}
			all = append(all, d)
			want := slices.Min(all[max(0, len(all)-windowSize):])
			if got := w.add(d); got != want || len(w.kept) > windowSize {
				t.Fatalf("smallest of %v: %d, want %d; %d kept", all, got, want, len(w.kept))
			}
		}
	})
}

// TestHoldDownIsARing: it remembers what a ring of 64 entries does, and nothing that is over once there is more to
// remember.
func TestHoldDownIsARing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h holdDown
		var ring []heldRepair
		now := machine.Time(machine.Second)
		for range rapid.IntRange(1, 400).Draw(t, "repairs") {
			now += machine.Time(rapid.Int64Range(0, int64(4*machine.Millisecond)).Draw(t, "gap"))
			seq := rapid.Uint64Range(1, 100).Draw(t, "seq")
			q := Request{Requester: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), 1)}
			d := holdHost
			if rapid.Bool().Draw(t, "subtree") {
				q = Request{Target: RootOf(q.Group)}
				d = holdSubtree
			}
			want := slices.ContainsFunc(ring, func(r heldRepair) bool { return r.seq == seq && r.to == q && r.until > now })
			if !want {
				ring = append(ring, heldRepair{seq, q, now.Add(d)})
				ring = ring[max(0, len(ring)-maxHeld):]
			}
			if got := h.active(now, seq, q); got != want || len(h.recent) > maxHeld {
				t.Fatalf("repair of %d held down: %v, want %v; %d remembered", seq, got, want, len(h.recent))
			}
		}
		h.active(now.Add(machine.Second), 0, Request{})
		if len(h.recent) != 1 {
			t.Fatalf("%d repairs remembered a second after the last", len(h.recent))
		}
	})
}

// TestLossesAreReleased: a burst of losses leaves no memory behind.
func TestLossesAreReleased(t *testing.T) {
	for _, n := range []int{1, keepLosses, 100} {
		var s stream
		for seq := range uint64(n) {
			s.losses = append(s.losses, loss{seq: seq + 1})
		}
		for len(s.losses) > 0 {
			s.fill(0)
		}
		if cap(s.losses) > keepLosses {
			t.Errorf("%d places for losses after %d", cap(s.losses), n)
		}
	}
}

// TestOrphans: what is known of an identifier as an orphan outlives its adoption, for its link is still there.
func TestOrphans(t *testing.T) {
	var r Receiver
	r.orphaned(3, [16]byte{3})
	r.orphaned(2, [16]byte{2})
	r.orphaned(3, [16]byte{4})
	r.owned(3)
	r.owned(7)
	want := "[{1 [] false} {2 [2] true} {3 [4] false}]"
	var got []string
	for level := 1; level <= 3; level++ {
		o := r.orphan(level)
		secret := bytes.TrimRight(o.secret[:], "\x00")
		got = append(got, fmt.Sprintf("{%d %v %v}", level, secret, o.now))
	}
	if fmt.Sprint(got) != want {
		t.Errorf("orphans %v, want %s", got, want)
	}
}
