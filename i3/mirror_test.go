package i3_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// anyMirror draws a question or an answer.
var anyMirror = rapid.Custom(func(t *rapid.T) i3.Mirror {
	m := i3.Mirror{
		Bring: rapid.Bool().Draw(t, "bring"), Pass: rapid.Bool().Draw(t, "pass"), Serial: rapid.Uint64().Draw(t, "serial"),
		Cursor: rapid.Uint64().Draw(t, "cursor"), Epoch: rapid.Uint32().Draw(t, "epoch"),
	}
	n := rapid.IntRange(0, i3.MaxHanded).Draw(t, "entries")
	if !m.Bring {
		m.Room = n
		return m
	}
	m.More, m.Lost = rapid.Bool().Draw(t, "more"), rapid.Bool().Draw(t, "lost")
	for range n {
		m.Handed = append(m.Handed, i3.Handed{
			Trigger: anyTrigger.Draw(t, "trigger"), Owner: anyKey.Draw(t, "owner"), LifetimeMS: rapid.Uint32().Draw(t, "left"),
		})
	}
	return m
})

// TestMirrorRoundTrip: what is written is read, within a datagram, and is no handover.
func TestMirrorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMirror.Draw(t, "mirror")
		b := m.AppendTo(nil)
		want := i3.MirrorHead + (m.Room+len(m.Handed))*i3.EntrySize
		if len(b) != want || i3.HeaderSize+len(b) > i3.MaxDatagram {
			t.Fatalf("%d bytes, want %d", len(b), want)
		}
		var got i3.Mirror
		if err := i3.ParseMirror(b, &got); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("read %+v, %v, want %+v", got, err, m)
		}
		var h i3.Handover
		if !i3.IsMirror(b) || i3.ParseHandover(b, &h) == nil {
			t.Fatal("it is a handover, too")
		}
	})
}

func TestMirrorErrors(t *testing.T) {
	bring := (&i3.Mirror{Bring: true, Handed: []i3.Handed{{Trigger: goldenChain}}}).AppendTo(nil)
	ask := (&i3.Mirror{Room: i3.MaxHanded}).AppendTo(nil)
	put := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, i3.ErrLength},
		{"less than a head", ask[:i3.MirrorHead-1], i3.ErrLength},
		{"a byte less", bring[:len(bring)-1], i3.ErrLength},
		{"too much room", append(bytes.Clone(ask), make([]byte, i3.EntrySize)...), i3.ErrLength},
		{"a handover", put(ask, 0, 1), i3.ErrReserved},
		{"another kind", put(ask, 0, 4), i3.ErrReserved},
		{"a question that has more", put(ask, 1, 2), i3.ErrReserved},
		{"an unknown flag", put(bring, 1, 8), i3.ErrReserved},
		{"a question that brings", put(ask, 2, 1), i3.ErrReserved},
		{"reserved byte 3", put(ask, 3, 1), i3.ErrReserved},
		{"reserved byte 31", put(bring, 31, 1), i3.ErrReserved},
		{"something in the room", put(ask, len(ask)-1, 1), i3.ErrPadding},
		{"an entry that does not count", put(bring, 2, 0), i3.ErrLength},
		{"no target", put(bring, i3.MirrorHead+64, 0), i3.ErrTarget},
		{"reserved byte of an entry", put(bring, len(bring)-1, 1), i3.ErrReserved},
	} {
		var m i3.Mirror
		if err := i3.ParseMirror(c.in, &m); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// FuzzMirror: no payload makes the decoder panic, and what it accepts it writes again as it was.
func FuzzMirror(f *testing.F) {
	handed := []i3.Handed{{Trigger: goldenChain, LifetimeMS: 5}, {Trigger: goldenHost4}}
	for _, m := range []i3.Mirror{
		{}, // the shortest question
		{Pass: true, Serial: 1, Cursor: 2, Epoch: 3, Room: i3.MaxHanded},
		{Bring: true, Pass: true, More: true, Lost: true, Serial: 1 << 63, Handed: handed},
		{Bring: true}, // nothing has changed
	} {
		f.Add(m.AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m i3.Mirror
		if i3.ParseMirror(b, &m) != nil {
			return
		}
		if again := m.AppendTo(nil); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}
