package asm

import (
	"math/rand/v2"
	"testing"
)

func TestMatchLikePortable(t *testing.T) {
	const seed = 3
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(seed, 0))
		var sum [3]int
		var noted, all int
		for n := 1; n <= MaxBatch; n++ {
			for range 8 {
				s := hostile(r, n)
				answers, behind := s.check(tb)
				noted += behind
				all += n
				for a := range sum {
					sum[a] += answers[a]
				}
			}
		}
		tb.Logf("asm: %s: %d identifiers: %d missed, %d one, %d ask, %d noted", Kernel(), all, sum[Miss], sum[One],
			sum[Ask], noted)
		for a, count := range sum {
			if count < all/100 {
				tb.Errorf("asm: only %d of %d answers are %d: the scenes say little", count, all, a)
			}
		}
		if noted < all/50 {
			tb.Errorf("asm: only %d of %d were noted: the scenes say little", noted, all)
		}
	})
}
