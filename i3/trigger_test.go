package i3_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// TestTargetIsCanonical: one host has one Target, however its address was written. Two would be two triggers, two
// slots of the identifier and two copies of every packet.
func TestTargetIsCanonical(t *testing.T) {
	key := i3.RightKey(idA)
	for _, c := range []struct{ name, a, b string }{
		{"IPv4-mapped", "10.0.0.7:3001", "[::ffff:10.0.0.7]:3001"},
		{"IPv4-mapped in hex", "10.0.0.7:3001", "[::ffff:a00:7]:3001"},
		{"zone", "[fe80::7]:3001", "[fe80::7%eth0]:3001"},
		{"zone of a mapped address", "10.0.0.7:3001", "[::ffff:10.0.0.7%eth0]:3001"},
		{"long form", "[2001:db8::7]:3001", "[2001:0db8:0:0:0:0:0:7]:3001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := netip.MustParseAddrPort(c.a), netip.MustParseAddrPort(c.b)
			x, y := i3.Trigger{ID: idA, Target: i3.ToHost(a, key)}, i3.Trigger{ID: idA, Target: i3.ToHost(b, key)}
			if x != y || len(map[i3.Trigger]bool{x: true, y: true}) != 1 {
				t.Errorf("%v and %v are two triggers", x, y)
			}
			if !bytes.Equal(x.AppendTo(nil), y.AppendTo(nil)) {
				t.Errorf("%v and %v differ on the wire", x, y)
			}
			if !bytes.Equal(i3.AppendAddr(nil, a), i3.AppendAddr(nil, b)) {
				t.Errorf("addresses %v and %v differ on the wire", a, b)
			}
			host, ok := y.Target.Host()
			if !ok || host != netip.MustParseAddrPort(c.a) {
				t.Errorf("Host of %v = %v, %v, want %s", b, host, ok, c.a)
			}
		})
	}
}

// TestTargetsDiffer: whatever distinguishes two targets distinguishes the values and the bytes.
func TestTargetsDiffer(t *testing.T) {
	key := i3.RightKey(idA)
	targets := []i3.Target{
		i3.ToID(idA), i3.ToID(idB), i3.ToID(i3.ID{}),
		i3.ToHost(host4, key), i3.ToHost(host6, key), i3.ToHost(host4, i3.Key{}),
		i3.ToHost(netip.AddrPortFrom(host4.Addr(), 3002), key),
		i3.ToHost(netip.MustParseAddrPort("[::10.0.0.7]:3001"), key), // IPv4-compatible is not IPv4-mapped
		{},
	}
	for i, a := range targets {
		for j, b := range targets {
			x, y := i3.Trigger{ID: idA, Target: a}, i3.Trigger{ID: idA, Target: b}
			if same := bytes.Equal(x.AppendTo(nil), y.AppendTo(nil)); same != (i == j) || (x == y) != (i == j) {
				t.Errorf("targets %d %v and %d %v: equal values %v, equal bytes %v", i, a, j, b, x == y, same)
			}
		}
	}
}

func TestTargetAccessors(t *testing.T) {
	key := i3.RightKey(idA)
	for _, c := range []struct {
		name   string
		target i3.Target
		id     bool
		host   bool
		text   string
	}{
		{"identifier", i3.ToID(idB), true, false, idB.String()},
		{"zero identifier", i3.ToID(i3.ID{}), true, false, i3.ID{}.String()},
		{"IPv4 host", i3.ToHost(host4, key), false, true, "10.0.0.7:3001"},
		{"IPv6 host", i3.ToHost(host6, key), false, true, "[2001:db8::7]:3001"},
		{"nowhere", i3.Target{}, false, false, "invalid AddrPort"},
		{"host without address", i3.ToHost(netip.AddrPort{}, key), false, false, "invalid AddrPort"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, ok := c.target.ID(); ok != c.id {
				t.Errorf("ID reports %v, want %v", ok, c.id)
			}
			if _, ok := c.target.Host(); ok != c.host {
				t.Errorf("Host reports %v, want %v", ok, c.host)
			}
			if c.id && c.target.Key() != (i3.Key{}) || c.host && c.target.Key() != key {
				t.Errorf("Key is %x", c.target.Key())
			}
			if got := c.target.String(); got != c.text {
				t.Errorf("String is %q, want %q", got, c.text)
			}
		})
	}
	want := "(" + idA.String() + ", 10.0.0.7:3001)"
	if got := (i3.Trigger{ID: idA, Target: i3.ToHost(host4, key)}).String(); got != want {
		t.Errorf("trigger is %q, want %q", got, want)
	}
}

func TestTriggerRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := anyTrigger.Draw(t, "trigger")
		b := tr.AppendTo(nil)
		if len(b) != i3.TriggerSize {
			t.Fatalf("%v has %d bytes, want %d", tr, len(b), i3.TriggerSize)
		}
		back, err := i3.ParseTrigger(append(b, "what follows is not looked at"...))
		if err != nil || back != tr {
			t.Fatalf("ParseTrigger = %v, %v, want %v", back, err, tr)
		}
	})
}

func TestParseTriggerErrors(t *testing.T) {
	host := i3.Trigger{ID: idA, Target: i3.ToHost(host4, i3.RightKey(idA))}.AppendTo(nil)
	chain := i3.Trigger{ID: idA, Target: i3.ToID(idB)}.AppendTo(nil)
	put := func(b []byte, at int, v ...byte) []byte {
		b = bytes.Clone(b)
		copy(b[at:], v)
		return b
	}
	type row struct {
		name string
		in   []byte
		want error
	}
	rows := []row{
		{"empty", nil, i3.ErrShort},
		{"one byte short", host[:i3.TriggerSize-1], i3.ErrShort},
		{"no target kind", put(host, 64, 0), i3.ErrTarget},
		{"target kind 3", put(host, 64, 3), i3.ErrTarget},
		{"identifier with a port", put(chain, 66, 1), i3.ErrReserved},
		{"identifier with half a port", put(chain, 67, 1), i3.ErrReserved},
		{"port zero", put(host, 66, 0, 0), i3.ErrTarget},
		{"target nowhere", i3.Trigger{ID: idA}.AppendTo(nil), i3.ErrTarget},
	}
	for _, at := range []int{65, 68, 69, 70, 71} {
		rows = append(rows, row{"reserved byte of a host", put(host, at, 1), i3.ErrReserved},
			row{"reserved byte of an identifier", put(chain, at, 0x80), i3.ErrReserved})
	}
	for _, c := range rows {
		if tr, err := i3.ParseTrigger(c.in); !errors.Is(err, c.want) || tr != (i3.Trigger{}) {
			t.Errorf("%s: ParseTrigger = %v, %v, want %v", c.name, tr, err, c.want)
		}
	}
}

// unsendable are the addresses that no decoder lets through: a node would send its challenge there.
var unsendable = []string{
	"[::]:3001", "0.0.0.0:3001", // nobody
	"224.0.0.1:3001", "239.255.255.255:3001", "[ff02::1]:3001", "[ffff::1]:3001", // many
	"255.255.255.255:3001",                    // everybody on the link
	"10.0.0.7:0", "[2001:db8::7]:0", "[::]:0", // no port
}

func TestUnsendableAddresses(t *testing.T) {
	for _, s := range unsendable {
		a := netip.MustParseAddrPort(s)
		b := i3.AppendAddr(nil, a)
		if got, err := i3.ParseAddr(b); !errors.Is(err, i3.ErrTarget) || got.IsValid() {
			t.Errorf("ParseAddr of %s = %v, %v, want %v", s, got, err, i3.ErrTarget)
		}
		tr := i3.Trigger{ID: idA, Target: i3.ToHost(a, i3.RightKey(idA))}
		if got, err := i3.ParseTrigger(tr.AppendTo(nil)); !errors.Is(err, i3.ErrTarget) {
			t.Errorf("ParseTrigger with host %s = %v, %v, want %v", s, got, err, i3.ErrTarget)
		}
	}
	if _, err := i3.ParseAddr(make([]byte, i3.AddrSize-1)); !errors.Is(err, i3.ErrShort) {
		t.Errorf("ParseAddr of a short slice: %v, want %v", err, i3.ErrShort)
	}
	if _, err := i3.ParseAddr(i3.AppendAddr(nil, netip.AddrPort{})); !errors.Is(err, i3.ErrTarget) {
		t.Errorf("ParseAddr of no address: %v, want %v", err, i3.ErrTarget)
	}
}

func TestAddrRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAddr.Draw(t, "address")
		b := i3.AppendAddr(nil, a)
		back, err := i3.ParseAddr(b)
		if err != nil || back != a || len(b) != i3.AddrSize {
			t.Fatalf("%v: ParseAddr = %v, %v after %d bytes", a, back, err, len(b))
		}
	})
}

// FuzzTrigger: what is accepted has one written form, and that form is what was read.
func FuzzTrigger(f *testing.F) {
	f.Add(i3.Trigger{ID: idA, Target: i3.ToID(idB)}.AppendTo(nil))
	f.Add(i3.Trigger{ID: idA, Target: i3.ToHost(host4, i3.RightKey(idA))}.AppendTo(nil))
	f.Add(i3.Trigger{ID: idB, Target: i3.ToHost(host6, i3.Key{})}.AppendTo(nil))
	f.Add(i3.Trigger{ID: idA}.AppendTo(nil)) // goes nowhere
	f.Add(make([]byte, i3.TriggerSize-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := i3.ParseTrigger(b)
		if err != nil {
			return
		}
		if got := tr.AppendTo(nil); !bytes.Equal(got, b[:i3.TriggerSize]) {
			t.Errorf("read %x\nwrote %x", b[:i3.TriggerSize], got)
		}
		_, id := tr.Target.ID()
		if host, ok := tr.Target.Host(); ok == id || ok && tr.Target != i3.ToHost(host, tr.Target.Key()) {
			t.Errorf("target %v is identifier %v, host %v, or not canonical", tr.Target, id, ok)
		}
	})
}

func FuzzAddr(f *testing.F) {
	f.Add(i3.AppendAddr(nil, host4))
	f.Add(i3.AppendAddr(nil, host6))
	for _, s := range unsendable {
		f.Add(i3.AppendAddr(nil, netip.MustParseAddrPort(s)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := i3.ParseAddr(b)
		if err != nil {
			return
		}
		if got := i3.AppendAddr(nil, a); !bytes.Equal(got, b[:i3.AddrSize]) {
			t.Errorf("read %x\nwrote %x", b[:i3.AddrSize], got)
		}
		if a.Addr().Is4In6() || a.Addr().Zone() != "" || !a.IsValid() || a.Port() == 0 {
			t.Errorf("%v is not canonical", a)
		}
	})
}
