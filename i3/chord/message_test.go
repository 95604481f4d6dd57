package chord

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

func anyPlace(t *rapid.T) Place {
	addr := netip.AddrFrom4([4]byte{10, rapid.Byte().Draw(t, "a"), 0, 1})
	return Place{rapid.Uint64().Draw(t, "prefix"), netip.AddrPortFrom(addr, rapid.Uint16Min(1).Draw(t, "port"))}
}

// TestMessageRoundTrip: what is written is read, as far as it finds room, and in exactly so many bytes.
func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		places := rapid.IntRange(0, 20).Draw(t, "room")
		m := message{kind: kindAnswer, member: rapid.Bool().Draw(t, "member"), prefix: 7, self: anyPlace(t)}
		if rapid.Bool().Draw(t, "pred") {
			m.pred = anyPlace(t)
		}
		for range rapid.IntRange(0, maxNear).Draw(t, "near") {
			m.near = append(m.near, anyPlace(t))
		}
		for range rapid.IntRange(0, DefaultSuccessors).Draw(t, "succ") {
			m.succ = append(m.succ, anyPlace(t))
		}
		b := m.appendTo(nil, roomFor(places))
		if len(b) != roomFor(places) {
			t.Fatalf("%d bytes, want %d", len(b), roomFor(places))
		}
		got, err := parseMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		near := min(len(m.near), max(0, places-1))
		succ := min(len(m.succ), max(0, places-1-near))
		if places == 0 {
			m.pred = Place{}
		}
		if got.self != m.self || got.pred != m.pred || got.member != m.member ||
			!slices.Equal(got.near, m.near[:near]) || !slices.Equal(got.succ, m.succ[:succ]) {
			t.Fatalf("read %+v of %+v in %d places", got, m, places)
		}
	})
}

func TestMessageErrors(t *testing.T) {
	place := Place{5, netip.MustParseAddrPort("10.0.0.1:7")}
	good := (&message{kind: kindAnswer, self: place, succ: []Place{place}}).appendTo(nil, roomFor(2))
	put := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, i3.ErrShort},
		{"no place of its own", good[:messageHead-1], i3.ErrShort},
		{"fewer places than it says", good[:len(good)-1], i3.ErrShort},
		{"kind 0", put(0, 0), i3.ErrReserved},
		{"kind 7", put(0, 7), i3.ErrReserved},
		{"too many near", put(1, maxNear+1), i3.ErrShort},
		{"too many successors", put(2, DefaultSuccessors+1), i3.ErrShort},
		{"member 2", put(3, 2), i3.ErrReserved},
		{"reserved byte 7", put(7, 1), i3.ErrReserved},
		{"reserved byte of a place", put(16+31, 1), i3.ErrReserved},
		{"port 0", put(16+25, 0), i3.ErrTarget},
		{"a successor that is nobody", append(good[:len(good)-placeSize:len(good)-placeSize], make([]byte, placeSize)...),
			i3.ErrTarget},
	} {
		if _, err := parseMessage(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// FuzzMessage: no payload makes the decoder panic, and what it accepts it writes again as it was, but for what
// questions do not use.
func FuzzMessage(f *testing.F) {
	place := Place{5, netip.MustParseAddrPort("10.0.0.1:7")}
	for k := kindAsk; k <= kindMoved; k++ {
		m := message{kind: k, self: place, pred: place, near: []Place{place}, succ: []Place{place, place}}
		f.Add(m.appendTo(nil, fullSize))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err != nil || m.kind != kindAnswer {
			return
		}
		again, err := parseMessage(m.appendTo(nil, len(b)))
		if err != nil || again.self != m.self || again.pred != m.pred ||
			!slices.Equal(again.near, m.near) || !slices.Equal(again.succ, m.succ) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}
