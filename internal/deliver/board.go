package deliver

import (
	"encoding/binary"
	"math"
	"sync/atomic"
	"unsafe"
)

// MaxFan bounds the receivers of a run.
const MaxFan = 1024

// A board is the memory that both processes share. Each counter has one writer, but for taken.
type board struct {
	begun   atomic.Uint32 // not 0: packets may be taken
	asking  atomic.Uint32 // not 0: who takes them asks for more, and so has sent what it took
	_       [120]byte
	taken   atomic.Uint64 // packets, of which each receiver is to get a copy; with ended added no more can be taken
	_       [120]byte
	tallies [MaxFan]Tally
}

// ended is the bit of board.taken that ends the taking. It shares the word so that a count read afterwards is final.
const ended = 1 << 63

// boardSize is how many bytes a board takes.
const boardSize = int(unsafe.Sizeof(board{}))

// boardOf returns the board in shared memory, which starts out as zeros.
func boardOf(memory []byte) *board { return (*board)(unsafe.Pointer(unsafe.SliceData(memory))) }

// end ends the taking, for good.
func (b *board) end() { b.taken.Or(ended) }

// ending reports whether no more can be taken.
func (b *board) ending() bool { return b.taken.Load()&ended != 0 }

// total returns how many packets were taken so far.
func (b *board) total() uint64 { return b.taken.Load() &^ ended }

// fewest returns which of the first fan receivers has the fewest packets, and how many.
func (b *board) fewest(fan int) (who int, packets uint64) {
	packets = math.MaxUint64
	for i := range b.tallies[:fan] {
		if p := b.tallies[i].packets.Load(); p < packets {
			who, packets = i, p
		}
	}
	return who, packets
}

// A Tally is what one receiver has got. Only the receiver may add to it.
type Tally struct {
	packets   atomic.Uint64
	datagrams atomic.Uint64
	reads     atomic.Uint64
	sum       atomic.Uint64
	odd       atomic.Uint64
	_         [88]byte // two lines of the cache, for processors fetch them in pairs
}

// Add counts packets: how many there were, in how many datagrams (0 where there are none) and reads they came, and what
// their numbers add up to.
func (t *Tally) Add(packets, datagrams, reads int, sum uint64) {
	t.sum.Store(t.sum.Load() + sum)
	t.datagrams.Store(t.datagrams.Load() + uint64(datagrams))
	t.reads.Store(t.reads.Load() + uint64(reads))
	t.packets.Store(t.packets.Load() + uint64(packets)) // the last, because who sees it looks at the others
}

// Odd counts something that is no packet. It fails the run.
func (t *Tally) Odd() { t.odd.Add(1) }

// numberSize is how many bytes the number of a packet takes, at its end.
const numberSize = 8

// Stamp writes a packet's number into its last eight bytes.
func Stamp(packet []byte, number uint64) {
	binary.LittleEndian.PutUint64(packet[len(packet)-numberSize:], number)
}

// Number returns the number that [Stamp] wrote.
func Number(packet []byte) uint64 {
	return binary.LittleEndian.Uint64(packet[len(packet)-numberSize:])
}

// sumTo returns the sum of the first n numbers, modulo 2^64 as tallies add.
func sumTo(n uint64) uint64 {
	if n%2 == 0 {
		return n / 2 * (n - 1)
	}
	return (n - 1) / 2 * n
}
