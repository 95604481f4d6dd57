//go:build arm64 && !purego && !race

package asm

import (
	"unsafe"

	"i3bench/i3"
)

// best returns what every processor of this architecture has.
func best() []variant { return []variant{neon} }

// fours is how many identifiers hashNEON takes at a time.
const fours = 4

func hash(dst []uint64, ids []i3.ID, key *Key) {
	if n := len(ids) / fours; runs == neon && n > 0 {
		hashNEON(&dst[0], &ids[0], n, key)
		dst, ids = dst[n*fours:], ids[n*fours:]
	}
	hashPortable(dst, ids, key)
}

// locate counts places in Go: two lanes are no more than the compiler's code does at once. What it has from here is
// that it does not wait for the homes.
func locate(places []Place, hashes []uint64, homes []Cell, shape Shape) {
	if runs != neon {
		locatePortable(places, hashes, homes, shape)
		return
	}
	for i, h := range hashes {
		places[i] = shape.Place(h)
	}
	prefetchNumbered(&homes[0], (*uint32)(unsafe.Pointer(&places[0])), int(unsafe.Sizeof(places[0])), len(places))
}

// match and follow compare in Go. Loads may be reordered on this architecture, so that each load of a cell has to be
// one that the others wait for; vectors have no such loads.
func match(b *Batch, homes, cells []Cell, now uint32) {
	matchPortable(b, homes, cells, now)
	if runs == neon && b.Behind > 0 {
		prefetchNumbered(&cells[0], &b.Next[0], int(unsafe.Sizeof(b.Next[0])), b.Behind)
	}
}

func follow(b *Batch, homes, cells []Cell, now uint32) { followPortable(b, homes, cells, now) }

func nearest(found []uint64, groups []*Members, suffixes []uint64, now uint32) {
	nearestPortable(found, groups, suffixes, now)
}

func take(b *Batch, from int, targets []uint32, taken int, off []uint32) (upTo, after int) {
	return takePortable(b, from, targets, taken, off)
}

func prefetch(p unsafe.Pointer, n int) {
	if runs == neon {
		prefetchLines(p, n)
	} else {
		prefetchPortable(p, n)
	}
}

// The kernels in assembly. They trust that there is something to do and that the memory is there.

//go:noescape
func hashNEON(dst *uint64, ids *i3.ID, fours int, key *Key)

//go:noescape
func prefetchNumbered(base *Cell, numbers *uint32, stride, n int)

//go:noescape
func prefetchLines(p unsafe.Pointer, n int)
