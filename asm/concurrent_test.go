package asm

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"i3bench/i3"
)

// A flipped table has one home and one cell behind it, which a writer moves between three states. In each the
// identifier is stored once, with a target and a suffix that go together: at home, at home again, and behind.
type flipped struct {
	homes, cells []Cell
	meta         [3]uint64
	seq          uint64
}

const flips = 3

func newFlipped() *flipped {
	f := &flipped{homes: make([]Cell, 1), cells: make([]Cell, 1)}
	f.meta = [3]uint64{ruleOne &^ SeqMask, ruleOne &^ SeqMask, ruleOne&^SeqMask | ruleTag}
	f.flip(0)
	return f
}

// flip writes a state as the protocol wants it: the seq is odd meanwhile, and another afterwards.
func (f *flipped) flip(to int) {
	home, cell := &f.homes[0], &f.cells[0]
	atomic.StoreUint64(&home[Meta], f.meta[to]|f.seq|Odd)
	holder, empty := home, cell
	if to == 2 {
		holder, empty = cell, home
	}
	write(empty, ruleOther, 0, 99)
	write(holder, ruleID, uint64(to)+10, uint64(to)+20)
	atomic.StoreUint64(&cell[Meta], ruleOne)
	atomic.StoreUint64(&home[Links], 0)
	f.seq = (f.seq + 2) & SeqMask
	atomic.StoreUint64(&home[Meta], f.meta[to]|f.seq)
}

func write(c *Cell, id i3.ID, suffix, target uint64) {
	e := id.Exact()
	for i, w := range e {
		atomic.StoreUint64(&c[i], w)
	}
	atomic.StoreUint64(&c[3], suffix)
	atomic.StoreUint64(&c[First], 1<<63|target)
}

// TestMatchWhileWritten looks an identifier up again and again while another goroutine moves it. What is answered is
// always one of the states, or Ask: never a target of one and a winner of another, and never Miss.
func TestMatchWhileWritten(t *testing.T) {
	const rounds = 10000 // and more until each state has been seen, where the writer gets little time
	eachVariant(t, func(tb testing.TB) {
		f := newFlipped()
		var stop atomic.Bool
		var wg sync.WaitGroup
		defer wg.Wait()
		defer stop.Store(true)
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				f.flip(i % flips)
				for wait := range i % 512 { // leave whole states, some for longer than a batch takes
					_ = Load(&f.homes[0][wait%8])
				}
			}
		})
		b := &Batch{IDs: make([]i3.ID, MaxBatch), Winners: make([]i3.ID, MaxBatch)}
		for i := range b.IDs {
			b.IDs[i], b.Places[i] = ruleID, rulePlace
		}
		var seen [flips]int
		ask := 0
		deadline := time.Now().Add(10 * time.Second)
		for i := 0; i < rounds || min(seen[0], seen[1], seen[2]) < 100 && time.Now().Before(deadline); i++ {
			Match(b, f.homes, f.cells, 1)
			Follow(b, f.homes, f.cells, 1)
			ask += f.count(tb, b, &seen)
		}
		tb.Logf("asm: %s: %d found in each state, %d times Ask", Kernel(), seen, ask)
		for state, n := range seen {
			if n == 0 {
				tb.Errorf("asm: %s: state %d was never seen", Kernel(), state)
			}
		}
	})
}

// count checks the answers of a batch, and counts them by state.
func (f *flipped) count(tb testing.TB, b *Batch, seen *[flips]int) (ask int) {
	tb.Helper()
	for i := range b.IDs {
		state := b.Targets[i] - 20
		switch {
		case b.Answers[i] == Ask:
			ask++
		case b.Answers[i] != One || state >= flips || b.Winners[i] != ruleID.WithSuffix(uint64(state)+10):
			tb.Fatalf("asm: %s: identifier %d is answered %d with target %d and winner %v, which is no state",
				Kernel(), i, b.Answers[i], b.Targets[i], b.Winners[i])
		default:
			seen[state]++
		}
	}
	return ask
}
