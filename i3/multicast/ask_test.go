package multicast

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

func TestAskRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Ask{
			Key:     [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")),
			ReplyTo: rapid.SampledFrom([]netip.AddrPort{wireHost, wireHost6}).Draw(t, "to"),
			Token:   rapid.SliceOfN(rapid.Byte(), 0, MaxToken).Draw(t, "token"),
		}
		b := a.AppendTo(nil)
		got, err := ParseAsk(b)
		if err != nil || got.Key != a.Key || got.ReplyTo != a.ReplyTo || !bytes.Equal(got.Token, a.Token) {
			t.Fatalf("ParseAsk = %+v, %v, want %+v", got, err, a)
		}
		for _, bad := range [][]byte{nil, b[:len(b)-1], append(b, 0)} {
			if _, err := ParseAsk(bad); !errors.Is(err, ErrLength) {
				t.Fatalf("ParseAsk of %d bytes: %v, want %v", len(bad), err, ErrLength)
			}
		}
		for _, at := range []int{51, 52 + len(a.Token), len(b) - 1} {
			bad := bytes.Clone(b)
			bad[at] = 1
			if _, err := ParseAsk(bad); !errors.Is(err, ErrReserved) {
				t.Fatalf("ParseAsk with byte %d set: %v, want %v", at, err, ErrReserved)
			}
		}
		b[50] = MaxToken + 1
		if _, err := ParseAsk(b); !errors.Is(err, ErrReserved) {
			t.Fatalf("ParseAsk with a token too long: %v, want %v", err, ErrReserved)
		}
	})
}

func TestAskNeedsAnAddress(t *testing.T) {
	b := Ask{ReplyTo: netip.MustParseAddrPort("224.0.0.1:1")}.AppendTo(nil)
	if _, err := ParseAsk(b); !errors.Is(err, i3.ErrTarget) {
		t.Errorf("ParseAsk = %v, want %v", err, i3.ErrTarget)
	}
}

func TestAdmitRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), askSize, askSize).Draw(t, "body")
		clear(b[124:])
		a, err := ParseAdmit(b)
		if err != nil || !bytes.Equal(a.AppendTo(nil), b) {
			t.Fatalf("read %x, %v, wrote %x", b, err, a.AppendTo(nil))
		}
		b[124+rapid.IntRange(0, 3).Draw(t, "at")] = 1
		if _, err := ParseAdmit(b); !errors.Is(err, ErrReserved) {
			t.Fatalf("ParseAdmit with padding set: %v, want %v", err, ErrReserved)
		}
		if _, err := ParseAdmit(b[1:]); !errors.Is(err, ErrLength) {
			t.Fatalf("ParseAdmit of 127 bytes: %v, want %v", err, ErrLength)
		}
	})
}

func FuzzAsk(f *testing.F) {
	f.Add(Ask{Key: wireKey, ReplyTo: wireHost6, Token: wireKey[:]}.AppendTo(nil))
	f.Add(Ask{ReplyTo: wireHost}.AppendTo(nil))
	f.Add(make([]byte, askSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ParseAsk(b); err == nil && !bytes.Equal(a.AppendTo(nil), b) {
			t.Errorf("read  %x\nwrote %x", b, a.AppendTo(nil))
		}
		if a, err := ParseAdmit(b); err == nil && !bytes.Equal(a.AppendTo(nil), b) {
			t.Errorf("read  %x\nwrote %x", b, a.AppendTo(nil))
		}
	})
}

// A name commits to the source's key by all its bits but those of the key, which the left constraint needs, and the
// public one. Doors with other secrets have other names.
func TestPublicName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		name, d := PublicName(secret), newDoor(&Door{Secret: secret})
		if d.name != name || !name.IsPublic() || nameOf(d.public, name.Key()) != name {
			t.Fatalf("name %v, the door's %v", name, d.name)
		}
		trigger := i3.Trigger{ID: name, Target: i3.ToHost(wireHost, triggerKey(&secret))}
		if err := i3.CheckConstraint(trigger); err != nil {
			t.Fatal(err)
		}
		public := d.public
		public[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if other := nameOf(public, name.Key()); other.Prefix() == name.Prefix() || other.Suffix() == name.Suffix() {
			t.Errorf("another key has half of the name: %v and %v", other, name)
		}
	})
}
