package sim

import (
	"encoding/binary"
	"fmt"
)

// The bytes that travel with events lie in slabs, one for each window and
// worker. All events that refer to bytes in a slab happen in its window, so that
// no one counts references: when the window is over the slab is free as a whole.
// A packet that is copied to many places in one window is stored once.
//
// A Ref is the worker, the block within its slab and the offset in the block,
// plus one so that zero is none.
const (
	blockSize  = 128 << 10 // bytes; more than the longest datagram
	firstSize  = 4 << 10   // bytes of a slab's first block: most windows of small worlds need no more
	blockUnit  = 8         // bytes; offsets are multiples of it
	offsetBits = 14        // blockSize / blockUnit
	blockBits  = 14
	workerBits = 4

	// Two numbers of workers stand for memory that is the worker's own: bytes of
	// the segment under way, and bytes for windows beyond the fine ring.
	localBytes = 1<<workerBits - 1
	farBytes   = 1<<workerBits - 2
	maxWorkers = 1<<workerBits - 2

	lengthSize = 4
)

func makeRef(worker, index int) Ref { return Ref(worker<<(blockBits+offsetBits)|index) + 1 }

// worker returns whose memory a reference is to.
func (r Ref) worker() int { return int((r - 1) >> (blockBits + offsetBits)) }

// index returns the place in that memory.
func (r Ref) index() int { return int((r - 1) & (1<<(blockBits+offsetBits) - 1)) }

// A slab is memory for the bytes of one window.
type slab struct {
	blocks [][]byte
	used   int // bytes of the last block
}

// put stores a followed by b and returns its place.
func (s *slab) put(p *blockPool, worker int, a, b []byte) Ref {
	n := lengthSize + len(a) + len(b)
	if n > blockSize {
		panic(fmt.Sprintf("sim: %d bytes with one event: want at most %d", len(a)+len(b), blockSize-lengthSize))
	}
	k := len(s.blocks) - 1
	if k < 0 || s.used+n > len(s.blocks[k]) {
		if k++; k == 1<<blockBits {
			panic(fmt.Sprintf("sim: more than %d MiB under way in one window", k*blockSize>>20))
		}
		s.blocks = append(s.blocks, p.get(k == 0 && n <= firstSize))
		s.used = 0
	}
	at := s.blocks[k][s.used : s.used+n]
	binary.LittleEndian.PutUint32(at, uint32(len(a)+len(b)))
	copy(at[lengthSize+copy(at[lengthSize:], a):], b)
	ref := makeRef(worker, k<<offsetBits|s.used/blockUnit)
	s.used += (n + blockUnit - 1) &^ (blockUnit - 1)
	return ref
}

// bytes returns what is stored at a reference to this slab.
func (s *slab) bytes(r Ref) []byte {
	i := r.index()
	at := s.blocks[i>>offsetBits][(i&(1<<offsetBits-1))*blockUnit:]
	n := binary.LittleEndian.Uint32(at)
	return at[lengthSize : lengthSize+n : lengthSize+n]
}

// recycle empties the slab and gives its memory to p.
func (s *slab) recycle(p *blockPool) {
	for _, b := range s.blocks {
		p.put(b)
	}
	s.blocks, s.used = s.blocks[:0], 0
}

// A blockPool holds blocks that are not in use, by size.
type blockPool struct {
	first, full [][]byte
}

func (p *blockPool) get(first bool) []byte {
	free, size := &p.full, blockSize
	if first {
		free, size = &p.first, firstSize
	}
	if k := len(*free); k > 0 {
		b := (*free)[k-1]
		*free = (*free)[:k-1]
		return b
	}
	return make([]byte, size)
}

func (p *blockPool) put(b []byte) {
	if len(b) == firstSize {
		p.first = append(p.first, b)
	} else {
		p.full = append(p.full, b)
	}
}
