package replicate_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"i3bench/replicate"
)

// frameRing is a ring of frames that a benchmark puts into and gets from in batches.
type frameRing interface {
	PutBatch([]replicate.Frame) int
	GetBatch([]replicate.Frame) int
}

// frameChan is the peer of the rings: a buffered channel, as full and as patient as they are.
type frameChan chan replicate.Frame

func (c frameChan) PutBatch(fs []replicate.Frame) int {
	for i, f := range fs {
		select {
		case c <- f:
		default:
			return i
		}
	}
	return len(fs)
}

func (c frameChan) GetBatch(fs []replicate.Frame) int {
	for i := range fs {
		select {
		case fs[i] = <-c:
		default:
			return i
		}
	}
	return len(fs)
}

// frameRings makes the rings to compare.
var frameRings = []struct {
	name string
	make func(size int) frameRing
}{
	{"spsc", func(n int) frameRing { return replicate.NewSPSC[replicate.Frame](n) }},
	{"mpsc", func(n int) frameRing { return replicate.NewMPSC[replicate.Frame](n) }},
	{"chan", func(n int) frameRing { return make(frameChan, n) }},
}

// reportRate reports how many of what went through, if an iteration did so many.
func reportRate(b *testing.B, perOp int, one, many string) {
	n := float64(b.N) * float64(perOp)
	b.ReportMetric(n/b.Elapsed().Seconds(), many+"/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/"+one)
}

// BenchmarkRing puts batches into a ring and takes them out: on the same goroutine, which is the price of the
// instructions, and across two.
func BenchmarkRing(b *testing.B) {
	for _, kind := range frameRings {
		for _, batch := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("kind=%s/goroutines=1/batch=%d", kind.name, batch), func(b *testing.B) {
				r, fs := kind.make(4096), make([]replicate.Frame, batch)
				for b.Loop() {
					r.PutBatch(fs)
					if r.GetBatch(fs) != batch {
						b.Fatal("lost")
					}
				}
				reportRate(b, batch, "element", "elements")
			})
			b.Run(fmt.Sprintf("kind=%s/goroutines=2/batch=%d", kind.name, batch), func(b *testing.B) {
				acrossGoroutines(b, kind.make(4096), batch)
			})
		}
	}
}

// acrossGoroutines measures a producer and a consumer; what is left in the ring at the end is not counted apart.
func acrossGoroutines(b *testing.B, r frameRing, batch int) {
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		fs := make([]replicate.Frame, batch)
		for !done.Load() {
			if r.GetBatch(fs) == 0 {
				runtime.Gosched()
			}
		}
	})
	fs := make([]replicate.Frame, batch)
	for b.Loop() {
		for sent := 0; sent < batch; {
			n := r.PutBatch(fs[sent:])
			if n == 0 {
				runtime.Gosched()
			}
			sent += n
		}
	}
	reportRate(b, batch, "element", "elements")
	done.Store(true)
	wg.Wait()
}

// BenchmarkFanout hands a batch to each of many readers, and lets each take it: a copy is one element that
// reaches one reader. The readers are on the same goroutine, so that it is the price of the instructions and the
// memory.
func BenchmarkFanout(b *testing.B) {
	for _, readers := range []int{32, 1024} {
		for _, batch := range []int{1, 16} {
			name := func(kind string) string { return fmt.Sprintf("kind=%s/readers=%d/batch=%d", kind, readers, batch) }
			b.Run(name("broadcast"), func(b *testing.B) { fanBroadcast(b, readers, batch) })
			for _, kind := range frameRings {
				if kind.name != "mpsc" {
					b.Run(name(kind.name), func(b *testing.B) { fanRings(b, kind.make, readers, batch) })
				}
			}
			b.Run(name("copy"), func(b *testing.B) { fanCopies(b, readers, batch) })
		}
	}
}

func fanBroadcast(b *testing.B, readers, batch int) {
	r := replicate.NewBroadcast(4096)
	rs := make([]*replicate.Reader, readers)
	for i := range rs {
		rs[i] = r.NewReader()
	}
	ws, got := make([]replicate.Words, batch), make([]replicate.Words, batch)
	for b.Loop() {
		r.PutBatch(ws)
		for _, r := range rs {
			if r.GetBatch(got) != batch {
				b.Fatal("lost")
			}
		}
	}
	reportRate(b, readers*batch, "copy", "copies")
}

func fanRings(b *testing.B, newRing func(int) frameRing, readers, batch int) {
	rs := make([]frameRing, readers)
	for i := range rs {
		rs[i] = newRing(256)
	}
	fs, got := make([]replicate.Frame, batch), make([]replicate.Frame, batch)
	for b.Loop() {
		for _, r := range rs {
			r.PutBatch(fs)
		}
		for _, r := range rs {
			if r.GetBatch(got) != batch {
				b.Fatal("lost")
			}
		}
	}
	reportRate(b, readers*batch, "copy", "copies")
}

// copySize is the bytes of a packet in the benchmarks: a header of 48 and a payload of 512.
const copySize = 48 + 512

// fanCopies is the naive way: bytes of its own for every reader, handed over by a channel.
func fanCopies(b *testing.B, readers, batch int) {
	cs := make([]chan []byte, readers)
	for i := range cs {
		cs[i] = make(chan []byte, 256)
	}
	packet := make([]byte, copySize)
	for b.Loop() {
		for _, c := range cs {
			for range batch {
				p := make([]byte, copySize)
				copy(p, packet)
				c <- p
			}
		}
		for _, c := range cs {
			for range batch {
				<-c
			}
		}
	}
	reportRate(b, readers*batch, "copy", "copies")
}

// BenchmarkInproc sends a packet to many receivers, each with a header of its own, and releases what they
// received; the naive way to do the same is BenchmarkFanout/kind=copy.
func BenchmarkInproc(b *testing.B) {
	for _, receivers := range []int{32, 1024} {
		b.Run(fmt.Sprintf("receivers=%d", receivers), func(b *testing.B) {
			s := newSlab(b, 4096, 0)
			f, ms, ps := inprocFan(b, s, receivers)
			for b.Loop() {
				f.port.Send(ms)
				if f.drain(ps) != 2*receivers {
					b.Fatal("lost")
				}
			}
			reportRate(b, receivers, "copy", "copies")
		})
	}
}

// BenchmarkSlab takes slots and frees them: as the owner alone does, and as others do that the owner let hold them.
func BenchmarkSlab(b *testing.B) {
	const batch = 32
	s := newSlab(b, 4096, 0)
	fs := make([]replicate.Frame, batch)
	b.Run("holders=owner", func(b *testing.B) {
		for b.Loop() {
			for i := range fs {
				fs[i], _ = s.Take()
			}
			for _, f := range fs {
				s.Put(f)
			}
		}
		reportRate(b, batch, "slot", "slots")
	})
	b.Run("holders=others", func(b *testing.B) {
		for b.Loop() {
			for i := range fs {
				fs[i], _ = s.Take()
				s.Retain(fs[i], 1)
				s.Put(fs[i])
			}
			s.Release(fs)
		}
		reportRate(b, batch, "slot", "slots")
	})
	b.Run("holders=pool", func(b *testing.B) { poolOfSlots(b, batch) })
}

// poolOfSlots is the peer of a slab: sync.Pool.
func poolOfSlots(b *testing.B, batch int) {
	pool := sync.Pool{New: func() any { return new([replicate.SlotSize]byte) }}
	ps := make([]any, batch)
	for b.Loop() {
		for i := range ps {
			ps[i] = pool.Get()
		}
		for _, p := range ps {
			pool.Put(p)
		}
	}
	reportRate(b, batch, "slot", "slots")
}
