package asm

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// answered returns a batch of n identifiers with answers that are out of 256 so often One and so often Ask.
func answered(r *rand.Rand, n, one, ask int) *Batch {
	b := batchOf(n, 0)
	for i := range b.Answers { // and those beyond the last, which mean nothing
		b.Targets[i] = r.Uint32()
		switch roll := r.IntN(256); {
		case roll < one:
			b.Answers[i] = One
		case roll < one+ask:
			b.Answers[i] = Ask
		}
	}
	return b
}

// slowTake is what Take says, word by word.
func slowTake(targets, off []uint32, b *Batch, from int) (_, _ []uint32) {
	for i := from; i < len(b.IDs) && b.Answers[i] != Ask; i++ {
		if b.Answers[i] == One {
			targets = append(targets, b.Targets[i])
		}
		off = append(off, uint32(len(targets)))
	}
	return targets, off
}

// checkTake takes all of a batch, behind what the slices have, and compares.
func checkTake(tb testing.TB, b *Batch, targets, off []uint32) (calls int) {
	tb.Helper()
	n, begin, answers, all := len(b.IDs), len(off), b.Answers, b.Targets
	wantTargets, wantOff := slices.Clone(targets), slices.Clone(off)
	for from := 0; from <= n; from = len(off) - begin + calls {
		targets, off = Take(targets, off, b, from)
		wantTargets, wantOff = slowTake(wantTargets, wantOff, b, from)
		if !slices.Equal(targets, wantTargets) || !slices.Equal(off, wantOff) {
			tb.Fatalf("asm: %s: Take from %d of %d gave targets %d and off %d, want %d and %d", Kernel(), from, n,
				targets, off, wantTargets, wantOff)
		}
		calls++ // one for each Ask, which has no off here, and one for the end
	}
	if b.Answers != answers || b.Targets != all {
		tb.Fatalf("asm: %s: Take changed the batch", Kernel())
	}
	return calls
}

func TestTake(t *testing.T) {
	const seed = 5
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(seed, 0))
		calls := 0
		for n := range MaxBatch + 1 {
			for _, c := range []struct{ one, ask int }{{256, 0}, {0, 0}, {0, 256}, {200, 0}, {128, 1}, {128, 16}, {40, 200}} {
				before := make([]uint32, r.IntN(5), r.IntN(400)+5)
				calls += checkTake(tb, answered(r, n, c.one, c.ask), before, []uint32{7})
			}
		}
		tb.Logf("asm: %s: %d calls", Kernel(), calls)
		b := batchOf(40, 0)
		for i := range b.Answers {
			b.Answers[i] = uint8(r.Uint32()) // of which most are no answers: nobody's
		}
		checkTake(tb, b, nil, nil)
	})
}

// TestTakeRoom takes into slices that have room: no more than is said, and without memory of its own.
func TestTakeRoom(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		b := answered(rand.New(rand.NewPCG(1, 0)), 17, 256, 0)
		memory := slices.Repeat([]uint32{5}, 64)
		targets, off := memory[:1:33], memory[40:40]
		if n := testing.AllocsPerRun(10, func() { Take(targets, memory[33:33], b, 1) }); n != 0 {
			tb.Errorf("asm: %s: Take allocates %v times where there is room", Kernel(), n)
		}
		targets, _ = Take(targets, off, b, 3)
		if &targets[0] != &memory[0] || memory[0] != 5 || memory[17] != 5 || memory[56] != 5 || len(targets) != 15 {
			tb.Errorf("asm: %s: Take of 14 wrote %d", Kernel(), memory)
		}
	})
}

func TestTakeRefuses(t *testing.T) {
	for _, c := range []struct{ n, from int }{{MaxBatch + 1, 0}, {1, 2}, {1, -1}, {0, 1}} {
		refused := false
		func() {
			defer func() { refused = recover() != nil }()
			Take([]uint32(nil), nil, batchOf(c.n, 0), c.from)
		}()
		if !refused {
			t.Errorf("asm: Take from %d of %d did not panic", c.from, c.n)
		}
	}
}
