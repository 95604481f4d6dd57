package asm

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// nearestSlow says what Nearest means.
func nearestSlow(g *Members, suffix uint64, now uint32) (word uint64) {
	for i := range 8 {
		if uint32(g[8+i]>>32) > now && (word == 0 || g[i]^suffix < distanceOf(g, word)^suffix) {
			word = g[8+i]
		}
	}
	return word
}

// distanceOf returns the suffix of the member with a word; words are drawn so that no two are the same.
func distanceOf(g *Members, word uint64) uint64 {
	for i := range 8 {
		if g[8+i] == word {
			return g[i]
		}
	}
	panic("no such word")
}

// someMembers returns a group whose members may have expired, be close to each other, or not be there.
func someMembers(r *rand.Rand, now uint32) *Members {
	g, base := new(Members), r.Uint64()
	for i := range 8 {
		g[i] = base ^ r.Uint64()>>r.Uint64N(60)&^7 | uint64(i) // no two are the same
		expiry := pick(r, now, now+1, now-1, 0, 1<<32-1, r.Uint32())
		if r.IntN(5) > 0 {
			g[8+i] = uint64(expiry)<<32 | uint64(8*r.IntN(1000)+i+1)
		}
	}
	return g
}

func TestNearest(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(5, 0))
		found := 0
		for n := range MaxBatch + 1 {
			now := pick(r, 0, 1, 1000, 1<<31, 1<<32-2, r.Uint32())
			masks := []uint64{0, 1, 7, r.Uint64(), 1<<64 - 1}
			groups, suffixes, got := make([]*Members, n), make([]uint64, n), make([]uint64, n)
			for i := range groups {
				groups[i] = someMembers(r, now)
				suffixes[i] = groups[i][r.IntN(8)] ^ masks[r.IntN(len(masks))]
			}
			Nearest(got, groups, suffixes, now)
			for i, g := range groups {
				want := nearestSlow(g, suffixes[i], now)
				if one := NearestOne(g, suffixes[i], now); got[i] != want || one != want {
					tb.Fatalf("asm: %s: %x nearest to %x at %d: %x, NearestOne says %x, want %x",
						Kernel(), *g, suffixes[i], now, got[i], one, want)
				}
				if want != 0 {
					found++
				}
			}
			Nearest(suffixes, groups, suffixes, now)
			if n > 0 && suffixes[n-1] != got[n-1] {
				tb.Fatalf("asm: %s: in place: %x, want %x", Kernel(), suffixes[n-1], got[n-1])
			}
		}
		if found < MaxBatch*MaxBatch/4 {
			tb.Errorf("asm: %s: only %d found: the groups say little", Kernel(), found)
		}
	})
}

// The only live member is as far away as one can be, which is how far the expired ones count.
func TestNearestFarthest(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		for at := range 8 {
			g := &Members{}
			for i := range 8 {
				g[i], g[8+i] = uint64(i), 5<<32|uint64(i)
			}
			g[at], g[8+at] = 1<<64-1, 6<<32|77
			found := []uint64{0}
			if Nearest(found, []*Members{g}, []uint64{0}, 5); found[0] != 6<<32|77 {
				tb.Errorf("asm: %s: member %d: %x", Kernel(), at, found[0])
			}
			if Nearest(found, []*Members{g}, []uint64{0}, 6); found[0] != 0 {
				tb.Errorf("asm: %s: all have expired: %x", Kernel(), found[0])
			}
		}
	})
}

func BenchmarkNearest(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 0))
	groups, suffixes, found := make([]*Members, MaxBatch), make([]uint64, MaxBatch), make([]uint64, MaxBatch)
	for i := range groups {
		groups[i], suffixes[i] = new(Members), r.Uint64()
		for k := range 8 {
			groups[i][k], groups[i][8+k] = r.Uint64(), 9<<32|1
		}
	}
	benchVariants(b, fmt.Sprintf("members=8/batch=%d", MaxBatch), MaxBatch, func() { Nearest(found, groups, suffixes, 1) })
}
