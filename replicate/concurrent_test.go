package replicate_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"i3bench/replicate"
)

// rounds is how many elements a concurrent test sends.
func rounds() int {
	if testing.Short() {
		return 20_000
	}
	return 200_000
}

// send puts the numbers from 0 to n in, in batches of changing length, tagged with a producer.
func send(r ring[uint32], producer, n int) {
	batch := make([]uint32, 13)
	for next := 0; next < n; {
		k := min(1+next%len(batch), n-next)
		for i := range k {
			batch[i] = uint32(producer<<24 | next + i)
		}
		put := 0
		if k == 1 && r.Put(batch[0]) {
			put = 1
		} else if k > 1 {
			put = r.PutBatch(batch[:k])
		}
		if put == 0 {
			runtime.Gosched()
		}
		next += put
	}
}

// TestRingsAcrossGoroutines: what each producer put in comes out once and in order.
func TestRingsAcrossGoroutines(t *testing.T) {
	for _, c := range []struct {
		name      string
		ring      ring[uint32]
		producers int
	}{
		{"kind=spsc/size=2", replicate.NewSPSC[uint32](2), 1},
		{"kind=spsc/size=64", replicate.NewSPSC[uint32](64), 1},
		{"kind=mpsc/size=2", replicate.NewMPSC[uint32](2), 3},
		{"kind=mpsc/size=64", replicate.NewMPSC[uint32](64), 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			each := rounds() / c.producers
			var wg sync.WaitGroup
			for p := range c.producers {
				wg.Go(func() { send(c.ring, p, each) })
			}
			next := make([]uint32, c.producers)
			dst := make([]uint32, 7)
			for got := 0; got < each*c.producers; {
				n := c.ring.GetBatch(dst)
				if n < len(dst) {
					if v, ok := c.ring.Get(); ok {
						dst[n] = v
						n++
					}
				}
				got += n
				for _, v := range dst[:n] {
					if v&(1<<24-1) != next[v>>24] {
						t.Fatalf("producer %d: element %d, want %d", v>>24, v&(1<<24-1), next[v>>24])
					}
					next[v>>24]++
				}
				if n == 0 {
					runtime.Gosched()
				}
			}
			wg.Wait()
			if _, ok := c.ring.Get(); ok {
				t.Error("an element too many")
			}
		})
	}
}

// TestBroadcastAcrossGoroutines: readers of any speed see whole elements in order, and what they saw and what
// they lost is all there was. In small rings a single element is overtaken while it is read, in larger ones
// the first few of a batch.
func TestBroadcastAcrossGoroutines(t *testing.T) {
	for _, size := range []int{2, 16, 512} {
		for _, batch := range []int{1, 7, 512} {
			t.Run(fmt.Sprintf("size=%d/batch=%d", size, batch), func(t *testing.T) {
				n := uint64(rounds() / 2)
				b := replicate.NewBroadcast(size)
				var done atomic.Bool
				var wg sync.WaitGroup
				for range 2 {
					r := b.NewReader()
					wg.Go(func() { listen(t, r, batch, n, &done) })
				}
				all := numbered(0, n)
				for k := 1; len(all) > 0; k = 1 + len(all)%9 {
					k = min(k, len(all))
					b.PutBatch(all[:k])
					if all = all[k:]; len(all)%4096 < 5 {
						runtime.Gosched()
					}
				}
				done.Store(true)
				wg.Wait()
			})
		}
	}
}

// listen reads batches until the writer is done, and checks that n elements were seen or lost.
func listen(t *testing.T, r *replicate.Reader, batch int, n uint64, done *atomic.Bool) {
	dst := make([]replicate.Words, batch)
	var seen, next uint64
	for {
		last := done.Load() // before reading: then nothing comes after
		k := read(r, dst)
		for _, w := range dst[:k] {
			if w[1] != ^w[0] || w[0] < next {
				t.Errorf("element %x after number %d", w, next)
				return
			}
			next = w[0] + 1
		}
		if seen += uint64(k); next != 0 && next != seen+r.Lost() {
			t.Errorf("number %d after %d seen and %d lost", next, seen, r.Lost())
			return
		}
		if k == 0 && last {
			break
		}
		if k == 0 {
			runtime.Gosched()
		}
	}
	if seen+r.Lost() != n {
		t.Errorf("%d seen and %d lost of %d", seen, r.Lost(), n)
	}
	t.Logf("%d seen, %d lost", seen, r.Lost())
}

// read reads a batch; of one element, by Get.
func read(r *replicate.Reader, dst []replicate.Words) int {
	if len(dst) > 1 {
		return r.GetBatch(dst)
	}
	w, ok := r.Get()
	if !ok {
		return 0
	}
	dst[0] = w
	return 1
}
