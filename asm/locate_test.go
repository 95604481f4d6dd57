package asm

import (
	"math/rand/v2"
	"testing"
)

// slowPlace finds a home by splitting: home after home, as the table grows to the shape. A home has the depth at which
// it was made or split last.
func slowPlace(s Shape, hash uint64) Place {
	depth := uint64(s.Level)
	home := hash % (1 << depth)
	if home < uint64(s.Split) {
		depth++
		home = hash % (1 << depth)
	}
	tag := hash >> 56
	if tag == 0 {
		tag = 1
	}
	return Place(home + depth<<DepthShift + tag*0x0101<<TagAShift)
}

// smallShapes are all shapes up to 64 homes.
func smallShapes() (shapes []Shape) {
	for level := range uint8(6) {
		for split := range uint32(1)<<level + 1 {
			shapes = append(shapes, Shape{level, split})
		}
	}
	return shapes
}

func TestLocate(t *testing.T) {
	const seed = 2
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(seed, 0))
		for n := range MaxBatch + 1 {
			for _, shape := range smallShapes() {
				if n > 40 && r.IntN(30) > 0 {
					continue
				}
				checkLocate(tb, r, n, shape)
			}
		}
	})
}

// checkLocate locates n hashes, some without a tag, and compares with the slow way and with the portable twin.
func checkLocate(tb testing.TB, r *rand.Rand, n int, shape Shape) {
	tb.Helper()
	homes := make([]Cell, shape.Homes())
	at, to := r.IntN(8), r.IntN(8)
	hashes := make([]uint64, at+n)[at:]
	all := make([]Place, n+24)
	for i := range all {
		all[i] = Place(i)
	}
	places := all[8+to : 8+to+n]
	for i := range hashes {
		hashes[i] = r.Uint64() >> pick(r, 0, 0, 8) << pick(r, 0, 0, 0, 32)
	}
	Locate(places, hashes, homes, shape)
	for i, h := range hashes {
		if want := slowPlace(shape, h); places[i] != want || shape.Place(h) != want {
			tb.Fatalf("asm: %s: %d of %d: place of %#x in %+v is %#x, Shape.Place says %#x, want %#x",
				Kernel(), i, n, h, shape, places[i], shape.Place(h), want)
		}
	}
	for i, p := range all {
		if (i < 8+to || i >= 8+to+n) && p != Place(i) {
			tb.Fatalf("asm: %s: locating %d wrote beyond them", Kernel(), n)
		}
	}
}

// TestPlaceLevels checks shapes that are too large for a test to have the homes. Kernels in assembly ask for memory
// that is not there then, which does nothing.
func TestPlaceLevels(t *testing.T) {
	const seed = 2
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(seed, 0))
		for level := range uint8(maxLevel + 1) {
			for range 50 {
				shape := Shape{level, uint32(r.Uint64N(1<<level + 1))}
				hashes, places := []uint64{r.Uint64(), r.Uint64()}, make([]Place, 2)
				if Kernel() == "portable" {
					places[0], places[1] = shape.Place(hashes[0]), shape.Place(hashes[1])
				} else {
					locate(places, hashes, make([]Cell, 1), shape)
				}
				for i, h := range hashes {
					if want := slowPlace(shape, h); places[i] != want {
						tb.Fatalf("asm: %s: place of %#x in %+v is %#x, want %#x", Kernel(), h, shape, places[i], want)
					}
					if p := places[i]; int(p.Home()) >= shape.Homes() || p.Tag() == 0 {
						tb.Fatalf("asm: place of %#x in %+v is home %d with tag %d", h, shape, p.Home(), p.Tag())
					}
				}
			}
		}
	})
}
