package replicate

import (
	"slices"
	"testing"
)

// TestOvertakenWhileReading: whatever the writer does while a reader copies elements, done or still under way, the
// reader keeps none that was written over, and all others.
func TestOvertakenWhileReading(t *testing.T) {
	const size = 8
	for _, c := range []struct {
		name                   string
		behind, done, underWay int // elements: to read, written meanwhile, and being written
		lost                   uint64
		read                   []uint64
	}{
		{"nothing happens", 4, 0, 0, 0, []uint64{4, 5, 6, 7}},
		{"room for what comes", 4, 4, 0, 0, []uint64{4, 5, 6, 7}},
		{"one too many", 4, 5, 0, 1, []uint64{5, 6, 7}},
		{"one too many, not done", 4, 4, 1, 1, []uint64{5, 6, 7}},
		{"not done, on top of a full ring", 8, 0, 2, 2, []uint64{2, 3, 4, 5, 6, 7}},
		{"all but one", 8, 7, 0, 7, []uint64{7}},
		{"all", 8, 8, 0, 8, nil},
		{"more than all", 2, 20, 2, 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := NewBroadcast(size)
			var r *Reader
			for i := range uint64(size) {
				if i == uint64(size-c.behind) {
					r = b.NewReader()
				}
				b.Put(Words{i, i})
			}
			dst := make([]Words, size)
			n := r.load(dst)
			for range c.done {
				b.Put(Words{99, 99})
			}
			b.claim.Add(uint64(c.underWay))
			n = r.settle(dst[:n])
			var read []uint64
			for _, w := range dst[:n] {
				read = append(read, w[0])
			}
			if !slices.Equal(read, c.read) || r.Lost() != c.lost {
				t.Errorf("read %v and lost %d, want %v and %d", read, r.Lost(), c.read, c.lost)
			}
			if r.pos != size {
				t.Errorf("goes on with element %d, want %d", r.pos, size)
			}
		})
	}
}

// TestClaimsBeforeWriting: a reader that comes while elements are written sees that they are.
func TestClaimsBeforeWriting(t *testing.T) {
	b := NewBroadcast(8)
	r := b.NewReader()
	for range 8 {
		b.Put(Words{})
	}
	b.claim.Add(3) // what the writer does first
	dst := make([]Words, 8)
	if n := r.GetBatch(dst); n != 5 || r.Lost() != 3 {
		t.Errorf("read %d and lost %d, want 5 and 3", n, r.Lost())
	}
}
