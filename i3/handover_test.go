package i3_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// anyHandover draws a question, an offer, or an answer.
var anyHandover = rapid.Custom(func(t *rapid.T) i3.Handover {
	h := i3.Handover{
		Bring: rapid.Bool().Draw(t, "bring"), More: rapid.Bool().Draw(t, "more"),
		Cursor: rapid.Uint64().Draw(t, "cursor"), Lo: rapid.Uint64().Draw(t, "lo"), Hi: rapid.Uint64().Draw(t, "hi"),
	}
	for range rapid.IntRange(0, i3.MaxHanded).Draw(t, "count") {
		if h.Bring {
			h.Handed = append(h.Handed, i3.Handed{
				Trigger: anyTrigger.Draw(t, "trigger"), Owner: anyKey.Draw(t, "owner"), LifetimeMS: rapid.Uint32().Draw(t, "left"),
			})
		}
	}
	return h
})

// TestHandoverRoundTrip: what is written is read, and all are of one length, within a datagram.
func TestHandoverRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := anyHandover.Draw(t, "handover")
		b := h.AppendTo(nil)
		if len(b) != i3.HandoverHead+i3.MaxHanded*i3.EntrySize || i3.HeaderSize+len(b) > i3.MaxDatagram {
			t.Fatalf("%d bytes", len(b))
		}
		var got i3.Handover
		if err := i3.ParseHandover(b, &got); err != nil || !reflect.DeepEqual(got, h) {
			t.Fatalf("read %+v, %v, want %+v", got, err, h)
		}
	})
}

func TestHandoverErrors(t *testing.T) {
	bring := (&i3.Handover{Bring: true, Handed: []i3.Handed{{Trigger: goldenChain}}}).AppendTo(nil)
	offer := (&i3.Handover{More: true}).AppendTo(nil)
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
		{"a byte less", bring[:len(bring)-1], i3.ErrLength},
		{"a byte more", append(bytes.Clone(bring), 0), i3.ErrLength},
		{"bring 2", put(bring, 0, 2), i3.ErrReserved},
		{"more 2", put(bring, 1, 2), i3.ErrReserved},
		{"too many", put(bring, 2, i3.MaxHanded+1), i3.ErrReserved},
		{"a question that brings", put(bring, 0, 0), i3.ErrReserved},
		{"an offer that brings", put(offer, 2, 1), i3.ErrReserved},
		{"reserved byte 3", put(offer, 3, 1), i3.ErrReserved},
		{"reserved byte 7", put(bring, 7, 1), i3.ErrReserved},
		{"no target", put(bring, i3.HandoverHead+64, 0), i3.ErrTarget},
		{"reserved byte of an entry", put(bring, i3.HandoverHead+i3.EntrySize-1, 1), i3.ErrReserved},
		{"an entry that does not count", put(bring, 2, 0), i3.ErrPadding},
		{"something behind an offer", put(offer, len(offer)-1, 1), i3.ErrPadding},
	} {
		var h i3.Handover
		if err := i3.ParseHandover(c.in, &h); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// FuzzHandover: no payload makes the decoder panic, and what it accepts it writes again as it was.
func FuzzHandover(f *testing.F) {
	handed := []i3.Handed{{Trigger: goldenChain, LifetimeMS: 5}, {Trigger: goldenHost4}}
	for _, h := range []i3.Handover{
		{Lo: 1, Hi: 2},             // a question
		{More: true, Lo: 1, Hi: 2}, // an offer
		{Bring: true, More: true, Cursor: 6, Handed: handed},
		{Bring: true, Cursor: 1<<64 - 1}, // the end
	} {
		f.Add(h.AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h i3.Handover
		if i3.ParseHandover(b, &h) != nil {
			return
		}
		if again := h.AppendTo(nil); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}
