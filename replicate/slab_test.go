package replicate_test

import (
	"strings"
	"testing"
	"unsafe"

	"i3bench/replicate"
)

func newSlab(t testing.TB, slots, size int) *replicate.Slab {
	t.Helper()
	s, err := replicate.NewSlab(replicate.SlabConfig{Slots: slots, Size: size})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// take takes a slot that must be free, and returns a frame of text in it.
func take(t testing.TB, s *replicate.Slab, text string) replicate.Frame {
	t.Helper()
	f, ok := s.Take()
	b, _ := s.Bytes(f)
	if !ok || len(b) < len(text) {
		t.Fatalf("no slot for %q: %+v", text, s.Stats())
	}
	f.Len = uint16(copy(b, text))
	return f
}

func TestSlabConfig(t *testing.T) {
	for _, c := range []struct {
		config replicate.SlabConfig
		bytes  int    // of a frame
		err    string // part of it
	}{
		{replicate.SlabConfig{}, 2048, ""},
		{replicate.SlabConfig{Slots: 3, Size: 64}, 64, ""},
		{replicate.SlabConfig{Slots: 2, Size: replicate.TrainSize}, 65535, ""},
		{replicate.SlabConfig{Slots: -1}, 0, "-1 slots"},
		{replicate.SlabConfig{Slots: 1<<24 + 1}, 0, "slots, want 1 to"},
		{replicate.SlabConfig{Size: 32}, 0, "slots of 32 bytes"},
		{replicate.SlabConfig{Size: 1500}, 0, "a power of two"},
		{replicate.SlabConfig{Size: 128 << 10}, 0, "a power of two"},
		{replicate.SlabConfig{Slots: 1 << 20, Size: 64 << 10}, 0, "bytes, want at most"},
	} {
		s, err := replicate.NewSlab(c.config)
		if c.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), "replicate: slab: ") || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v: %v, want an error with %q", c.config, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", c.config, err)
			continue
		}
		f, ok := s.Take()
		if b, got := s.Bytes(f); !ok || !got || len(b) != c.bytes {
			t.Errorf("%+v: a frame of %d bytes, want %d", c.config, len(b), c.bytes)
		}
		s.Put(f)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFrameIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(replicate.Frame{}); n != 12 {
		t.Errorf("a frame has %d bytes, want 12", n)
	}
	f := replicate.Frame{Slot: 0xfedcba98, Off: 0xf123, Len: 0x8765, Gen: 0x89abcdef}
	if got := f.Words().Frame(); got != f {
		t.Errorf("%+v, want %+v", got, f)
	}
}

// TestStaleFrames: nothing can be done with a frame of a slot that was put back, taken again by another, or never was.
func TestStaleFrames(t *testing.T) {
	s := newSlab(t, 2, 0)
	old := take(t, s, "old")
	s.Retain(old, 1)
	s.Put(old)
	s.Release([]replicate.Frame{old})
	late := take(t, s, "late")
	if late.Slot != old.Slot {
		late = take(t, s, "late") // the slot that was put back is the first or the second
	}
	s.Retain(late, 1)
	want := s.Stats().Stale
	for name, f := range map[string]replicate.Frame{"old": old, "strange": {Slot: 2}, "far": {Slot: 1<<32 - 1}} {
		_, bytes := s.Bytes(f)
		_, view := s.View(f)
		if s.Put(f) || s.Retain(f, 1) || bytes || view || s.Release([]replicate.Frame{f, f}) != 2 {
			t.Errorf("%s frame %+v is good for something", name, f)
		}
		if want += 6; s.Stats().Stale != want {
			t.Errorf("%s frame: %d stale, want %d", name, s.Stats().Stale, want)
		}
	}
	if b, ok := s.View(late); !ok || string(b) != "late" {
		t.Errorf("%q, want what the slot holds now", b)
	}
}

// TestFramesOfBytes: bytes are known to be in the slab only if they are in one slot, and it is held.
func TestFramesOfBytes(t *testing.T) {
	s := newSlab(t, 3, 64)
	f, g := take(t, s, strings.Repeat("f", 64)), take(t, s, strings.Repeat("g", 64))
	b, _ := s.Bytes(f)
	crossing := replicate.Vector{Base: &b[32], Len: 64}
	third := replicate.Vector{Base: (*byte)(unsafe.Add(unsafe.Pointer(&b[0]), 128)), Len: 1}
	outside := make([]byte, 64)
	for _, c := range []struct {
		name string
		v    replicate.Vector
		want replicate.Frame
		ok   bool
	}{
		{"whole", replicate.VectorOf(b), f, true},
		{"part", replicate.VectorOf(b[3:7]), replicate.Frame{Slot: f.Slot, Off: 3, Len: 4}, true},
		{"crossing", crossing, replicate.Frame{}, false},
		{"outside", replicate.VectorOf(outside), replicate.Frame{}, false},
		{"not taken", third, replicate.Frame{}, false},
	} {
		if got, ok := s.FrameOf(c.v); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, ok, c.want)
		}
	}
	if f.Slot != 0 || g.Slot != 1 {
		t.Errorf("slots %d and %d, want the first two in order", f.Slot, g.Slot)
	}
	s.Retain(f, 1)
	s.Put(f)
	if _, ok := s.FrameOf(replicate.VectorOf(b)); ok {
		t.Error("a slot that the owner has put back is its own")
	}
}

// TestHoldsAreBounded: a count of holds never runs over into its neighbours.
func TestHoldsAreBounded(t *testing.T) {
	s := newSlab(t, 1, 0)
	f := take(t, s, "")
	for _, c := range []struct {
		n  int
		ok bool
	}{{-1, false}, {1 << 31, false}, {1 << 30, true}, {1, false}, {0, true}} {
		if ok := s.Retain(f, c.n); ok != c.ok {
			t.Errorf("retain %d: %v", c.n, ok)
		}
	}
	if got := s.Stats(); got.Refused != 3 || got.Stale != 0 {
		t.Errorf("%+v, want 3 refused", got)
	}
}
