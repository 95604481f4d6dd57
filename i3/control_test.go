package i3_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// A node answers an insertion by a challenge of the same size; the host answers the challenge by asking again with the
// nonce in it.
func ExampleChallenge() {
	id := i3.NewID(0xfeed, i3.Key{}, 0)
	ask := i3.Insert{Trigger: i3.Trigger{ID: id, Target: i3.ToHost(host4, i3.RightKey(id))}}

	cookies := i3.NewCookies([32]byte{1})
	in, _ := i3.ParseInsert(ask.AppendTo(nil)) // at the node
	fmt.Println("first try:", cookies.Check(5, in.Trigger, in.Nonce))
	reply := i3.Challenge{Trigger: in.Trigger, Nonce: cookies.Nonce(5, in.Trigger)}.AppendTo(nil)

	c, _ := i3.ParseChallenge(reply) // at the host
	ask.Nonce = c.Nonce

	in, _ = i3.ParseInsert(ask.AppendTo(nil)) // at the node again, an epoch later
	fmt.Println("second try:", cookies.Check(6, in.Trigger, in.Nonce))
	// Output:
	// first try: false
	// second try: true
}

func TestInsertRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInsert.Draw(t, "insert")
		b := in.AppendTo([]byte("head"))[4:]
		if len(b) != i3.EntrySize {
			t.Fatalf("%+v has %d bytes, want %d", in, len(b), i3.EntrySize)
		}
		back, err := i3.ParseInsert(append(b, "next entry"...))
		if err != nil || back != in {
			t.Fatalf("ParseInsert = %+v, %v, want %+v", back, err, in)
		}
	})
}

// TestChallengeIsAnInsert: the host answers by echo, so a challenge must read as the insertion that carries its nonce.
func TestChallengeIsAnInsert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := i3.Challenge{Trigger: anyTrigger.Draw(t, "trigger"), Nonce: anyNonce.Draw(t, "nonce")}
		b := c.AppendTo(nil)
		back, err := i3.ParseChallenge(b)
		if err != nil || back != c || len(b) != i3.EntrySize {
			t.Fatalf("ParseChallenge = %+v, %v, want %+v", back, err, c)
		}
		in, err := i3.ParseInsert(b)
		if want := (i3.Insert{Trigger: c.Trigger, Nonce: c.Nonce}); err != nil || in != want {
			t.Fatalf("as an insertion it is %+v, %v, want %+v", in, err, want)
		}
	})
}

func TestAckRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAck.Draw(t, "ack")
		b := a.AppendTo([]byte("head"))[4:]
		back, err := i3.ParseAck(append(b, "next entry"...))
		if err != nil || back != a || len(b) != i3.EntrySize {
			t.Fatalf("ParseAck = %+v, %v after %d bytes, want %+v", back, err, len(b), a)
		}
	})
}

func TestEntryErrors(t *testing.T) {
	tr := i3.Trigger{ID: idA, Target: i3.ToHost(host4, i3.RightKey(idA))}
	insert := i3.Insert{Trigger: tr}.AppendTo(nil)
	ack := i3.Ack{Trigger: tr, Status: i3.StatusInserted}.AppendTo(nil)
	put := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	parseInsert := func(b []byte) error { _, err := i3.ParseInsert(b); return err }
	parseChallenge := func(b []byte) error { _, err := i3.ParseChallenge(b); return err }
	parseAck := func(b []byte) error { _, err := i3.ParseAck(b); return err }
	for _, c := range []struct {
		name  string
		parse func([]byte) error
		in    []byte
		want  error
	}{
		{"insert one byte short", parseInsert, insert[:i3.EntrySize-1], i3.ErrShort},
		{"insert with an unknown flag", parseInsert, put(insert, 65, 2), i3.ErrReserved},
		{"insert with every flag", parseInsert, put(insert, 65, 0xff), i3.ErrReserved},
		{"insert with a reserved byte", parseInsert, put(insert, 71, 1), i3.ErrReserved},
		{"insert of a bad target", parseInsert, put(insert, 64, 0), i3.ErrTarget},
		{"challenge one byte short", parseChallenge, insert[:i3.EntrySize-1], i3.ErrShort},
		{"challenge that is a probe", parseChallenge, put(insert, 65, 1), i3.ErrReserved},
		{"challenge with an owner", parseChallenge, put(insert, 103, 1), i3.ErrReserved},
		{"challenge of a bad target", parseChallenge, put(insert, 64, 9), i3.ErrTarget},
		{"ack one byte short", parseAck, ack[:i3.EntrySize-1], i3.ErrShort},
		{"ack with status 0", parseAck, put(ack, 72, 0), i3.ErrStatus},
		{"ack with status 10", parseAck, put(ack, 72, 10), i3.ErrStatus},
		{"ack with status 255", parseAck, put(ack, 72, 255), i3.ErrStatus},
		{"ack that is a probe", parseAck, put(ack, 65, 1), i3.ErrReserved},
		{"ack with reserved byte 73", parseAck, put(ack, 73, 1), i3.ErrReserved},
		{"ack with reserved byte 78", parseAck, put(ack, 78, 1), i3.ErrReserved},
		{"ack with reserved byte 79", parseAck, put(ack, 79, 1), i3.ErrReserved},
		{"ack of a bad target", parseAck, put(ack, 64, 3), i3.ErrTarget},
	} {
		if err := c.parse(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestCheckEntries(t *testing.T) {
	for n, want := range map[int]error{
		0:                                  i3.ErrLength,
		1:                                  i3.ErrLength,
		i3.EntrySize - 1:                   i3.ErrLength,
		i3.EntrySize:                       nil,
		i3.EntrySize + 1:                   i3.ErrLength,
		2 * i3.EntrySize:                   nil,
		i3.MaxEntries * i3.EntrySize:       nil,
		i3.MaxEntries*i3.EntrySize + 1:     i3.ErrLength,
		(i3.MaxEntries + 1) * i3.EntrySize: i3.ErrLength,
		630 * i3.EntrySize:                 i3.ErrLength, // the most that a length field could say
	} {
		if err := i3.CheckEntries(make([]byte, n)); !errors.Is(err, want) {
			t.Errorf("CheckEntries of %d bytes: %v, want %v", n, err, want)
		}
	}
	if i3.HeaderSize+i3.MaxEntries*i3.EntrySize > i3.MaxDatagram ||
		i3.HeaderSize+(i3.MaxEntries+1)*i3.EntrySize <= i3.MaxDatagram {
		t.Errorf("MaxEntries = %d is not what fits %d bytes", i3.MaxEntries, i3.MaxDatagram)
	}
}

// TestStatuses goes through all numbers, so that a new status cannot be forgotten by String or by the decoder.
func TestStatuses(t *testing.T) {
	names := []string{"none", "inserted", "refreshed", "probed", "removed", "missing", "full", "refused", "not owner",
		"no room"}
	tr := i3.Trigger{ID: idA, Target: i3.ToID(idB)}
	for n := range 256 {
		s, want := i3.Status(n), "unknown"
		if n < len(names) {
			want = names[n]
		}
		if got := s.String(); got != want {
			t.Errorf("Status(%d) is %q, want %q", n, got, want)
		}
		_, err := i3.ParseAck(i3.Ack{Trigger: tr, Status: s}.AppendTo(nil))
		if known := n > 0 && n < len(names); known != (err == nil) {
			t.Errorf("ParseAck of status %d: %v", n, err)
		}
		if alive := s == i3.StatusInserted || s == i3.StatusRefreshed; s.Alive() != alive {
			t.Errorf("Status %v is alive: %v", s, s.Alive())
		}
	}
}

// seedEntries adds entries of every shape, whole and not.
func seedEntries(f *testing.F) {
	host := i3.Trigger{ID: idA, Target: i3.ToHost(host6, i3.RightKey(idA))}
	chain := i3.Trigger{ID: idA, Target: i3.ToID(idB)}
	f.Add(i3.Insert{Trigger: host, Nonce: i3.Nonce{1}}.AppendTo(nil))
	f.Add(i3.Insert{Trigger: chain, Owner: i3.OwnerOf(i3.Nonce{2})}.AppendTo(nil))
	f.Add(i3.Insert{Trigger: host, Probe: true}.AppendTo(nil))
	f.Add(i3.Challenge{Trigger: host, Nonce: i3.Nonce{3}}.AppendTo(nil))
	f.Add(i3.Ack{Trigger: chain, Status: i3.StatusFull, Count: 9, Limit: 9, LifetimeMS: 30_000, Hi: 4}.AppendTo(nil))
	f.Add(i3.Ack{Trigger: host, Status: i3.StatusNoRoom, Epoch: 1 << 31}.AppendTo(nil))
	f.Add(make([]byte, i3.EntrySize-1))
}

func FuzzInsert(f *testing.F) {
	seedEntries(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := i3.ParseInsert(b)
		if err != nil {
			return
		}
		if got := in.AppendTo(nil); !bytes.Equal(got, b[:i3.EntrySize]) {
			t.Errorf("read  %x\nwrote %x", b[:i3.EntrySize], got)
		}
	})
}

func FuzzChallenge(f *testing.F) {
	seedEntries(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := i3.ParseChallenge(b)
		if err != nil {
			return
		}
		if got := c.AppendTo(nil); !bytes.Equal(got, b[:i3.EntrySize]) {
			t.Errorf("read  %x\nwrote %x", b[:i3.EntrySize], got)
		}
		if in, err := i3.ParseInsert(b); err != nil || in.Trigger != c.Trigger || in.Nonce != c.Nonce || in.Probe {
			t.Errorf("challenge %+v echoed is %+v, %v", c, in, err)
		}
	})
}

func FuzzAck(f *testing.F) {
	seedEntries(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := i3.ParseAck(b)
		if err != nil {
			return
		}
		if got := a.AppendTo(nil); !bytes.Equal(got, b[:i3.EntrySize]) {
			t.Errorf("read  %x\nwrote %x", b[:i3.EntrySize], got)
		}
		if a.Status.String() == "unknown" || a.Status.String() == "none" {
			t.Errorf("accepted status %d", a.Status)
		}
	})
}
