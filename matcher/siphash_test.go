package matcher

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"
	"unsafe"

	"i3bench/i3"
)

// sipReference is SipHash-c-d as its paper describes it, byte string in, with
// nothing unrolled.
func sipReference(c, d int, key [16]byte, msg []byte) uint64 {
	k0, k1 := binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])
	v := [4]uint64{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	half := func(a, b, s, t int) {
		v[a] += v[b]
		v[b] = bits.RotateLeft64(v[b], s) ^ v[a]
		if t != 0 {
			v[a] = bits.RotateLeft64(v[a], t)
		}
	}
	rounds := func(n int) {
		for range n {
			half(0, 1, 13, 32)
			half(2, 3, 16, 0)
			half(2, 1, 17, 32)
			half(0, 3, 21, 0)
		}
	}
	padded := append([]byte{}, msg...)
	for len(padded)%8 != 7 {
		padded = append(padded, 0)
	}
	padded = append(padded, byte(len(msg)))
	for ; len(padded) > 0; padded = padded[8:] {
		m := binary.LittleEndian.Uint64(padded)
		v[3] ^= m
		rounds(c)
		v[0] ^= m
	}
	v[2] ^= 0xff
	rounds(d)
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

func counting(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// TestSipReference holds the reference against published values: the SipHash
// paper (appendix A, 15 bytes), the vectors of its authors' implementation for
// SipHash-2-4 (0 and 24 bytes), and those of others for SipHash-1-3.
func TestSipReference(t *testing.T) {
	key := [16]byte(counting(16))
	for _, c := range []struct {
		c, d int
		key  [16]byte
		n    int
		want uint64
	}{
		{2, 4, key, 15, 0xa129ca6149be45e5},
		{2, 4, key, 0, 0x726fdb47dd0e0e31},
		{2, 4, key, 24, 0xb8ad50c6f649af94},
		{1, 3, key, 0, 0xabac0158050fc4dc},
		{1, 3, [16]byte{}, 0, 0xd1fba762150c532c},
		{1, 3, [16]byte{}, 1, 0x68a914128e01e473},
	} {
		if got := sipReference(c.c, c.d, c.key, counting(c.n)); got != c.want {
			t.Errorf("SipHash-%d-%d of %d bytes under %x: %#x, want %#x", c.c, c.d, c.n, c.key, got, c.want)
		}
	}
}

func TestSipSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for i := range 1000 {
		var b [i3.IDSize]byte
		var seed [16]byte
		if i == 0 {
			copy(b[:], counting(24))
			copy(seed[:], counting(16))
		} else {
			for j := range b {
				b[j] = byte(rng.Uint32())
			}
			for j := range seed {
				seed[j] = byte(rng.Uint32())
			}
		}
		key := newSipKey(seed)
		want := sipReference(1, 3, seed, b[:24])
		w := i3.IDFrom(b)
		e := w.Exact()
		if got := key.sum(e[0], e[1], e[2]); got != want {
			t.Fatalf("hash of %x under %x: %#x, want %#x", b[:24], seed, got, want)
		}
	}
}

// TestSizes holds the layouts against the cache lines that they are made for.
func TestSizes(t *testing.T) {
	if s := unsafe.Sizeof(cell{}); s != 64 {
		t.Errorf("a cell has %d bytes, want 64", s)
	}
	if s := unsafe.Sizeof(trigger{}); s != triggerBytes || s*lineLen != 64 {
		t.Errorf("a trigger has %d bytes, want %d, and %d of them 64", s, triggerBytes, lineLen)
	}
}

func TestClass(t *testing.T) {
	for n, want := range map[uint32]int{0: 0, 1: 0, 3: 0, 4: 1, 8: 1, 9: 2, 16: 2, 17: 3, 32: 3, 33: 4, 1 << 16: 14} {
		if got := class(n); got != want {
			t.Errorf("class of %d triggers: %d, want %d", n, got, want)
		}
	}
	for n := uint32(inline + 1); n < 5000; n++ {
		if room := uint32(lineLen) << (class(n) - 1); room < n || room > 2*max(n, lineLen/2) {
			t.Fatalf("run for %d triggers has room for %d", n, room)
		}
	}
}
