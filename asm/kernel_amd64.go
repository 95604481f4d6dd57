//go:build amd64 && !purego && !race

package asm

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"

	"i3bench/i3"
)

// What the assembly of each variant uses, beyond what every processor of this architecture has.
var (
	needAVX2   = []cpuid.FeatureID{cpuid.AVX2, cpuid.BMI2, cpuid.POPCNT}
	needAVX512 = append([]cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL}, needAVX2...)
)

// best returns the variants in assembly that this machine can run, the best first.
func best() []variant {
	var vs []variant
	if cpuid.CPU.Supports(needAVX512...) {
		vs = append(vs, avx512)
	}
	if cpuid.CPU.Supports(needAVX2...) {
		vs = append(vs, avx2)
	}
	return vs
}

func hash(dst []uint64, ids []i3.ID, key *Key) {
	switch runs {
	case avx512:
		hashAVX512(&dst[0], &ids[0], len(ids), key)
	case avx2:
		hashAVX2(&dst[0], &ids[0], len(ids), key)
	default:
		hashPortable(dst, ids, key)
	}
}

func locate(places []Place, hashes []uint64, homes []Cell, shape Shape) {
	level, split := uint64(shape.Level), uint64(shape.Split)
	switch runs {
	case avx512:
		locateAVX512(&places[0], &hashes[0], len(hashes), &homes[0], level, split)
	case avx2:
		locateAVX2(&places[0], &hashes[0], len(hashes), &homes[0], level, split)
	default:
		locatePortable(places, hashes, homes, shape)
	}
}

func match(b *Batch, homes, cells []Cell, now uint32) {
	switch runs {
	case avx512:
		matchAVX512(b, &homes[0], last(homes), unsafe.SliceData(cells), len(cells), now)
	case avx2:
		matchAVX2(b, &homes[0], last(homes), unsafe.SliceData(cells), len(cells), now)
	default:
		matchPortable(b, homes, cells, now)
	}
}

func follow(b *Batch, homes, cells []Cell, now uint32) {
	switch runs {
	case avx512:
		followAVX512(b, &homes[0], last(homes), &cells[0], last(cells), now)
	case avx2:
		followAVX2(b, &homes[0], last(homes), &cells[0], last(cells), now)
	default:
		followPortable(b, homes, cells, now)
	}
}

func nearest(found []uint64, groups []*Members, suffixes []uint64, now uint32) {
	if runs == avx512 {
		nearestAVX512(&found[0], &groups[0], &suffixes[0], len(groups), now)
	} else {
		nearestPortable(found, groups, suffixes, now)
	}
}

func take(b *Batch, from int, targets []uint32, taken int, off []uint32) (upTo, after int) {
	switch runs {
	case avx512:
		return takeAVX512(b, from, len(b.IDs)-from, &targets[0], taken, &off[0])
	case avx2:
		return takeAVX2(b, from, len(b.IDs)-from, &targets[0], taken, &off[0])
	default:
		return takePortable(b, from, targets, taken, off)
	}
}

func prefetch(p unsafe.Pointer, n int) {
	switch runs {
	case avx512, avx2:
		prefetchLines(p, n)
	default:
		prefetchPortable(p, n)
	}
}

// last returns the number of the last cell that 32 bits can name.
func last(cells []Cell) int { return min(len(cells)-1, 1<<32-1) }

// The kernels in assembly, written by _gen. They trust that n > 0, that a batch has at least one identifier (for
// follow, one that is noted) and that there are as many of each thing as the portable twins need.

//go:noescape
func hashAVX512(dst *uint64, ids *i3.ID, n int, key *Key)

//go:noescape
func hashAVX2(dst *uint64, ids *i3.ID, n int, key *Key)

//go:noescape
func locateAVX512(places *Place, hashes *uint64, n int, homes *Cell, level, split uint64)

//go:noescape
func locateAVX2(places *Place, hashes *uint64, n int, homes *Cell, level, split uint64)

//go:noescape
func matchAVX512(b *Batch, homes *Cell, lastHome int, cells *Cell, nCells int, now uint32)

//go:noescape
func matchAVX2(b *Batch, homes *Cell, lastHome int, cells *Cell, nCells int, now uint32)

//go:noescape
func followAVX512(b *Batch, homes *Cell, lastHome int, cells *Cell, lastCell int, now uint32)

//go:noescape
func followAVX2(b *Batch, homes *Cell, lastHome int, cells *Cell, lastCell int, now uint32)

//go:noescape
func nearestAVX512(found *uint64, groups **Members, suffixes *uint64, n int, now uint32)

//go:noescape
func takeAVX512(b *Batch, from, n int, targets *uint32, taken int, off *uint32) (upTo, after int)

//go:noescape
func takeAVX2(b *Batch, from, n int, targets *uint32, taken int, off *uint32) (upTo, after int)

//go:noescape
func prefetchLines(p unsafe.Pointer, n int)
