package replicate_test

import (
	"encoding/binary"
	"runtime"
	"sync"
	"testing"

	"i3bench/replicate"
)

// TestSlabAcrossGoroutines: the owner hands each frame to all consumers and puts it back at once. A frame is
// what it was until the last consumer has released it, and then its slot is used again.
func TestSlabAcrossGoroutines(t *testing.T) {
	const consumers = 3
	n := rounds() / 4
	s := newSlab(t, 32, 64)
	var rings [consumers]*replicate.SPSC[replicate.Frame]
	var wg sync.WaitGroup
	for i := range rings {
		rings[i] = replicate.NewSPSC[replicate.Frame](16 << i)
		wg.Go(func() { consume(t, s, rings[i], n, 1+3*i) })
	}
	for sent := range n {
		f, ok := s.Take()
		for ; !ok; f, ok = s.Take() {
			runtime.Gosched()
		}
		b, _ := s.Bytes(f)
		binary.LittleEndian.PutUint64(b, uint64(sent))
		if !s.Retain(f, 1) || !s.Retain(f, consumers-1) {
			t.Error("a fresh frame is stale")
		}
		for _, r := range rings {
			for !r.Put(f) {
				runtime.Gosched()
			}
		}
		s.Put(f)
	}
	wg.Wait()
	if got := s.Stats(); got.Free != 32 || got.Stale != 0 {
		t.Errorf("%+v, want all free and none stale", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// consume takes n frames, each with its number in it, and releases them in batches.
func consume(t *testing.T, s *replicate.Slab, r *replicate.SPSC[replicate.Frame], n, batch int) {
	fs := make([]replicate.Frame, batch)
	for next := 0; next < n; {
		k := r.GetBatch(fs)
		if k == 0 {
			runtime.Gosched()
		}
		for _, f := range fs[:k] {
			b, ok := s.View(f)
			if !ok || binary.LittleEndian.Uint64(b) != uint64(next) {
				t.Errorf("frame %+v: %v, %v, want number %d", f, ok, b, next)
			}
			next++
		}
		if stale := s.Release(fs[:k]); stale != 0 {
			t.Errorf("%d of %d frames are stale", stale, k)
		}
	}
}

// TestLateComersHarmNobody: goroutines that use frames they no longer hold are refused, while the owner goes on.
func TestLateComersHarmNobody(t *testing.T) {
	s := newSlab(t, 2, 64)
	stale := take(t, s, "x")
	s.Put(stale)
	n := rounds() / 20
	var wg sync.WaitGroup
	wg.Go(func() {
		for range n {
			if _, ok := s.View(stale); ok || s.Release([]replicate.Frame{stale}) != 1 {
				t.Error("a stale frame is good for something")
			}
		}
	})
	for range n {
		f := take(t, s, "y")
		s.Retain(f, 1)
		s.Put(f)
		s.Release([]replicate.Frame{f})
	}
	wg.Wait()
	if got := s.Stats(); got.Free != 2 || got.Stale != uint64(2*n) {
		t.Errorf("%+v, want 2 free and %d stale", got, 2*n)
	}
}
