package i3_test

import (
	"bytes"
	"fmt"
	"math/big"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// Anycast: among the triggers that share the exact part with a packet's identifier, those win whose suffix is nearest.
// The nearest is the one with the longest common prefix, and no two identifiers are equally near, so that a packet for
// nobody's suffix still has exactly one group of receivers.
func ExampleID_Distance() {
	group := i3.NewID(0xfeed, i3.Key{}, 0)
	lossy, fair, good := group.WithSuffix(0x80), group.WithSuffix(0x17), group.WithSuffix(0x10)

	packet := group.WithSuffix(0x15) // what the sender asks for goes into the suffix
	best := lossy
	for _, t := range []i3.ID{lossy, fair, good} {
		fmt.Printf("suffix %#02x: matches %v, common prefix %d bits, distance %#x\n",
			t.Suffix(), packet.Matches(t), packet.CommonPrefixLen(t), packet.Distance(t))
		if packet.Distance(t) < packet.Distance(best) {
			best = t
		}
	}
	fmt.Printf("winner: %#x\n", best.Suffix())
	// Output:
	// suffix 0x80: matches true, common prefix 248 bits, distance 0x95
	// suffix 0x17: matches true, common prefix 254 bits, distance 0x2
	// suffix 0x10: matches true, common prefix 253 bits, distance 0x5
	// winner: 0x17
}

func TestIDRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix, key, suffix := rapid.Uint64().Draw(t, "prefix"), anyKey.Draw(t, "key"), rapid.Uint64().Draw(t, "suffix")
		id := i3.NewID(prefix, key, suffix)
		if id.Prefix() != prefix || id.Key() != key || id.Suffix() != suffix {
			t.Fatalf("NewID(%x, %x, %x) has parts %x, %x, %x", prefix, key, suffix, id.Prefix(), id.Key(), id.Suffix())
		}
		if back := i3.IDFrom(id.Bytes()); back != id {
			t.Fatalf("IDFrom(Bytes) = %v, want %v", back, id)
		}
		back, err := i3.ParseID(id.String())
		if err != nil || back != id {
			t.Fatalf("ParseID(%q) = %v, %v", id.String(), back, err)
		}
		b := id.Bytes()
		if got := id.AppendTo([]byte("head")); !bytes.Equal(got, append([]byte("head"), b[:]...)) {
			t.Fatalf("AppendTo = %x, want %x after its argument", got, b)
		}
	})
}

// TestIDOnTheWire pins the byte order, which round trips alone do not see.
func TestIDOnTheWire(t *testing.T) {
	var b [i3.IDSize]byte
	for i := range b {
		b[i] = byte(i)
	}
	id := i3.IDFrom(b)
	if id.Prefix() != 0x0001020304050607 || id.Suffix() != 0x18191a1b1c1d1e1f {
		t.Errorf("prefix %016x, suffix %016x", id.Prefix(), id.Suffix())
	}
	if k := id.Key(); !bytes.Equal(k[:], b[8:24]) {
		t.Errorf("key %x, want %x", k, b[8:24])
	}
	if want := (i3.Exact{0x0001020304050607, 0x08090a0b0c0d0e0f, 0x1011121314151617}); id.Exact() != want {
		t.Errorf("exact part %x, want %x", id.Exact(), want)
	}
	if id.Bytes() != b {
		t.Errorf("Bytes = %x, want %x", id.Bytes(), b)
	}
}

func TestParseIDErrors(t *testing.T) {
	good := idA.String()
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "want 64 hex digits, have 0"},
		{"one digit short", good[1:], "want 64 hex digits, have 63"},
		{"one digit long", good + "0", "want 64 hex digits, have 65"},
		{"very long", strings.Repeat("ab", 1<<20), "want 64 hex digits, have 2097152"},
		{"not a digit", good[:63] + "g", "invalid byte"},
		{"leading space", " " + good[1:], "invalid byte"},
		{"prefix 0x", "0x" + good[2:], "invalid byte"},
		{"two-byte rune", good[:62] + "é", "invalid byte"},
		{"newline at the end", good + "\n", "have 65"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := i3.ParseID(c.in)
			if err == nil || !id.IsZero() {
				t.Fatalf("ParseID = %v, %v, want an error and the zero ID", id, err)
			}
			if msg := err.Error(); !strings.HasPrefix(msg, "i3: parse ID \"") || !strings.Contains(msg, c.want) {
				t.Errorf("error is %q, want it to name the operation and say %q", msg, c.want)
			} else if len(msg) > 200 {
				t.Errorf("error has %d bytes, want the input cut short", len(msg))
			}
		})
	}
}

// TestParseIDIgnoresCase: people paste hex in either case; there is one written form all the same.
func TestParseIDIgnoresCase(t *testing.T) {
	upper, err := i3.ParseID(strings.ToUpper(idB.String()))
	if err != nil || upper != idB {
		t.Errorf("ParseID of upper case = %v, %v, want %v", upper, err, idB)
	}
}

func TestMustParseID(t *testing.T) {
	if got := i3.MustParseID(idA.String()); got != idA {
		t.Errorf("MustParseID = %v, want %v", got, idA)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustParseID of rubbish did not panic")
		}
	}()
	i3.MustParseID("rubbish")
}

func TestIDVariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anyID.Draw(t, "id")
		suffix := rapid.Uint64().Draw(t, "suffix")
		s := id.WithSuffix(suffix)
		if s.Suffix() != suffix || s.Exact() != id.Exact() || !id.Matches(s) || !s.Matches(id) {
			t.Fatalf("%v with suffix %x is %v", id, suffix, s)
		}
		pub, priv := id.Public(), id.Private()
		if !pub.IsPublic() || priv.IsPublic() || pub != id && priv != id {
			t.Fatalf("%v: public %v, private %v", id, pub, priv)
		}
		if pub.CommonPrefixLen(priv) != 63 || pub.Matches(priv) {
			t.Fatalf("%v and %v must differ in bit 63 alone and not match", pub, priv)
		}
		if pub.Key() != priv.Key() || pub.Suffix() != priv.Suffix() {
			t.Fatalf("%v: kind changed key or suffix: %v, %v", id, pub, priv)
		}
		if id.IsZero() != (id.Compare(i3.ID{}) == 0) {
			t.Fatalf("%v: IsZero is %v", id, id.IsZero())
		}
	})
}

// TestNearestIsLongestPrefix: the rule of the matcher (smallest distance) is the paper's (longest common prefix) plus
// a tie-break that never ties.
func TestNearestIsLongestPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyID.Draw(t, "packet")
		// Suffixes near the packet's, so that common prefixes of every length occur.
		near := func(label string) i3.ID {
			flip := rapid.Uint64().Draw(t, label) >> rapid.UintRange(0, 63).Draw(t, label+" bits")
			return p.WithSuffix(p.Suffix() ^ flip)
		}
		a, b := near("a"), near("b")
		if (a == b) != (p.Distance(a) == p.Distance(b)) {
			t.Fatalf("%v and %v are equally near to %v", a, b, p)
		}
		if p.CommonPrefixLen(a) > p.CommonPrefixLen(b) && p.Distance(a) >= p.Distance(b) {
			t.Fatalf("%v has a longer prefix in common with %v than %v, yet is not nearer", a, p, b)
		}
	})
}

// FuzzID compares the arithmetic on words with that of math/big on the bytes.
func FuzzID(f *testing.F) {
	low := i3.ID{}.WithSuffix(1).Bytes()
	high := i3.NewID(1<<63, i3.Key{}, 0).Bytes()
	a, b := idA.Bytes(), idB.Bytes()
	f.Add(a[:], b[:])
	f.Add(a[:], a[:])                                              // equal
	f.Add(low[:], high[:])                                         // first and last bit
	f.Add(bytes.Repeat([]byte{0xff}, 32), make([]byte, 32))        // largest and smallest
	f.Add(append(a[:31:31], a[31]^1), a[:])                        // differ in the last bit
	f.Add(append([]byte{a[0]}, make([]byte, 31)...), high[:])      // differ in a word's first bit
	f.Add(append(a[:24:24], b[24:]...), append(a[:8:8], b[8:]...)) // differ within the key
	f.Fuzz(func(t *testing.T, x, y []byte) {
		if len(x) != i3.IDSize || len(y) != i3.IDSize {
			return
		}
		checkAgainstBig(t, x, y)
	})
}

func checkAgainstBig(t *testing.T, x, y []byte) {
	a, b := i3.IDFrom([i3.IDSize]byte(x)), i3.IDFrom([i3.IDSize]byte(y))
	p, q := new(big.Int).SetBytes(x), new(big.Int).SetBytes(y)
	if got, want := a.Compare(b), p.Cmp(q); got != want {
		t.Errorf("Compare(%v, %v) = %d, want %d", a, b, got, want)
	}
	diff := new(big.Int).Xor(p, q)
	if got, want := a.CommonPrefixLen(b), i3.IDBits-diff.BitLen(); got != want {
		t.Errorf("CommonPrefixLen(%v, %v) = %d, want %d", a, b, got, want)
	}
	low := new(big.Int).And(diff, new(big.Int).SetUint64(^uint64(0)))
	if got := a.Distance(b); !low.IsUint64() || got != low.Uint64() {
		t.Errorf("Distance(%v, %v) = %x, want %x", a, b, got, low)
	}
	if got, want := a.Matches(b), diff.BitLen() <= i3.IDBits-i3.ExactBits; got != want {
		t.Errorf("Matches(%v, %v) = %v, want %v", a, b, got, want)
	}
	if got, want := a.String(), fmt.Sprintf("%064x", p); got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
	if (a == b) != (p.Cmp(q) == 0) {
		t.Errorf("%v == %v is %v", a, b, a == b)
	}
}

// TestHotMethodsInline asks the compiler whether what runs for every packet and every trigger costs no call.
func TestHotMethodsInline(t *testing.T) {
	if testing.Short() {
		t.Skip("i3: asking the compiler about inlining takes seconds; not in a short run")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("i3: the go command is not installed, so the compiler cannot be asked about inlining")
	}
	out, err := exec.Command("go", "build", "-gcflags=i3bench/i3=-m", "i3bench/i3").CombinedOutput()
	if err != nil {
		t.Fatalf("go build -gcflags=-m: %v\n%s", err, out)
	}
	for _, f := range []string{
		"ID.Prefix", "ID.Suffix", "ID.Exact", "ID.WithSuffix", "ID.IsPublic", "ID.Matches", "ID.Distance", "ID.IsZero",
		"ID.put", "loadID", "Payload", "SetHopLimit", "Target.ID", "Target.Host", "ToID",
	} {
		if !strings.Contains(string(out), "can inline "+f+"\n") {
			t.Errorf("the compiler does not inline %s", f)
		}
	}
}
