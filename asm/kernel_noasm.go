//go:build purego || race || !(amd64 || arm64)

package asm

import (
	"unsafe"

	"i3bench/i3"
)

func best() []variant { return nil }

func hash(dst []uint64, ids []i3.ID, key *Key) { hashPortable(dst, ids, key) }

func locate(places []Place, hashes []uint64, homes []Cell, shape Shape) {
	locatePortable(places, hashes, homes, shape)
}

func match(b *Batch, homes, cells []Cell, now uint32) { matchPortable(b, homes, cells, now) }

func follow(b *Batch, homes, cells []Cell, now uint32) { followPortable(b, homes, cells, now) }

func nearest(found []uint64, groups []*Members, suffixes []uint64, now uint32) {
	nearestPortable(found, groups, suffixes, now)
}

func take(b *Batch, from int, targets []uint32, taken int, off []uint32) (upTo, after int) {
	return takePortable(b, from, targets, taken, off)
}

func prefetch(p unsafe.Pointer, n int) { prefetchPortable(p, n) }
