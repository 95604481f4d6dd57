package asm

import "i3bench/i3"

// MaxBatch is the most that a kernel takes at once: what it reads fits in a first-level
// cache, and no goroutine waits longer for one that runs a kernel.
const MaxBatch = 256

// Room returns for how many a slice must have room into which a kernel writes n: it
// writes whole vectors, and what comes after the n means nothing.
func Room(n int) int { return (n + 7) &^ 7 }

// Answers of [Match] and [Follow].
const (
	Miss uint8 = iota // nothing live is stored
	One               // the one live trigger of the one identifier
	Ask               // the kernel cannot tell: several triggers or identifiers, a longer chain, or a writer
)

// A Batch is what [Match] and [Follow] work on: at most [MaxBatch] identifiers, and
// where the search for each begins. What the arrays hold beyond the last identifier,
// or the last of those behind, means nothing.
type Batch struct {
	IDs     []i3.ID
	Winners []i3.ID // of those answered One, the identifier found; otherwise zero. [Room] for as many as IDs
	Places  [MaxBatch]Place

	// The answers, one for each identifier.
	Answers [MaxBatch]uint8
	Targets [MaxBatch]uint32 // of those answered One

	// Who is not at home, and may be in a cell behind: Behind of them.
	Behind int
	Who    [MaxBatch]uint8  // which identifier
	Next   [MaxBatch]uint32 // the cell to look at, below the number of cells there are
	Seen   [MaxBatch]uint64 // word Meta of the home
}

// Match looks each identifier of a batch up in its home, which must be one of homes. Those that may be in
// a cell behind it are noted in b for [Follow], and the
// first of these cells is asked for; their answer is Ask until then. Place by place:
//
//   - A home whose seq is odd, changes meanwhile or whose depth is not that of the
//     place says nothing: Ask.
//   - A home with the identifier's exact words and a single identifier with one
//     trigger in place answers One if its expiry is greater than now, otherwise
//     Miss. Any other with these words: Ask.
//   - A home that is another's: if tag A or tag B is the tag, or the follow bit is set, the
//     identifier is noted with a cell, if that is below len(cells), otherwise Ask; if none
//     of these: Miss. The cell is the next; but if the direct bit is set and tag A is not the tag,
//     the second if tag B is the tag, otherwise the third.
func Match(b *Batch, homes, cells []Cell, now uint32) {
	checkBatch(b, homes)
	b.Behind = 0
	if len(b.IDs) > 0 {
		match(b, homes, cells, now)
	}
}

// Follow looks those that are noted up in the next cell, and answers in the same way. If
// that is another's, they are noted again with the cell after it, which is asked for, unless it is
// the last, whose next is 0: Miss. So it is called until b.Behind is 0, or enough has been read,
// with the batch as Match left it and with the same homes and cells.
func Follow(b *Batch, homes, cells []Cell, now uint32) {
	checkBatch(b, homes)
	if b.Behind > len(b.IDs) || b.Behind > 0 && len(cells) == 0 {
		panic("asm: Follow: a batch that Match did not leave so")
	}
	if b.Behind > 0 {
		follow(b, homes, cells, now)
	}
}

func checkBatch(b *Batch, homes []Cell) {
	if len(b.IDs) > MaxBatch || len(b.Winners) < Room(len(b.IDs)) {
		panic("asm: Match: more than MaxBatch identifiers, or no room for winners")
	}
	if len(b.IDs) > 0 && len(homes) == 0 {
		panic("asm: Match: identifiers, and no homes")
	}
}

func matchPortable(b *Batch, homes, cells []Cell, now uint32) {
	for i := range b.IDs {
		id, place := &b.IDs[i], b.Places[i]
		home := &homes[place.Home()]
		meta := Load(&home[Meta])
		b.Winners[i], b.Answers[i] = i3.ID{}, Ask
		differs := meta ^ uint64(place)
		switch {
		case meta&Odd != 0 || differs>>DepthShift&0xff != 0:
		case meta>>StateShift&3 != Empty && home.holds(id):
			b.answer(i, home, meta, now)
			if Load(&home[Meta]) != meta {
				b.Winners[i], b.Answers[i] = i3.ID{}, Ask
			}
		case differs>>TagAShift&0xff == 0 || differs>>TagBShift == 0 || meta&FollowBit != 0:
			next := uint32(Load(&home[Links]) >> 32)
			if meta&DirectBit != 0 && differs>>TagAShift&0xff != 0 {
				next = uint32(Load(&home[Second]))
				if differs>>TagBShift != 0 {
					next = uint32(Load(&home[Second]) >> 32)
				}
			}
			if int(next) < len(cells) && Load(&home[Meta]) == meta {
				b.Who[b.Behind], b.Next[b.Behind], b.Seen[b.Behind] = uint8(i), next, meta
				b.Behind++
			}
		default:
			b.Answers[i] = Miss
			if Load(&home[Meta]) != meta {
				b.Answers[i] = Ask
			}
		}
	}
}

// readNext reads a word of each cell that was noted, see [read].
//
//go:noinline
func (b *Batch) readNext(cells []Cell) (sum uint64) {
	for _, n := range b.Next[:b.Behind] {
		sum += Load(&cells[n][Meta])
	}
	return sum
}

func followPortable(b *Batch, homes, cells []Cell, now uint32) {
	b.readNext(cells)
	noted := b.Behind
	b.Behind = 0
	for k := range noted {
		i, seen := b.Who[k], b.Seen[k]
		c := &cells[b.Next[k]]
		meta, next := Load(&c[Meta]), uint32(Load(&c[Links])>>32)
		held := c.holds(&b.IDs[i])
		if held {
			b.answer(int(i), c, meta, now)
		}
		switch {
		case Load(&homes[b.Places[i].Home()][Meta]) != seen:
			b.Winners[i], b.Answers[i] = i3.ID{}, Ask
		case held:
		case next == 0:
			b.Answers[i] = Miss
		case int(next) < len(cells):
			b.Who[b.Behind], b.Next[b.Behind], b.Seen[b.Behind] = i, next, seen
			b.Behind++
		}
	}
}

// answer answers for an identifier that has the exact words of c.
func (b *Batch) answer(i int, c *Cell, meta uint64, now uint32) {
	const one = Single<<StateShift | 1<<CountShift
	if meta>>StateShift&15 != one>>StateShift {
		return
	}
	if trigger := Load(&c[First]); uint32(trigger>>32) > now {
		b.Answers[i], b.Targets[i] = One, uint32(trigger)
		b.Winners[i] = b.IDs[i].WithSuffix(Load(&c[3]))
		return
	}
	b.Answers[i] = Miss
}
