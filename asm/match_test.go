package asm

import (
	"math/rand/v2"
	"testing"

	"i3bench/i3"
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

// What the rules of Match are told about: an identifier, its place, and a home with its trigger.
var (
	ruleID    = i3.NewID(1, i3.Key{2}, 3)
	ruleStore = i3.NewID(1, i3.Key{2}, 4)
	ruleOther = i3.NewID(1, i3.Key{3}, 4)
)

const (
	rulePlace = 0 | 5<<DepthShift | 7<<TagAShift | 7<<TagBShift
	ruleOne   = 2 | Single<<StateShift | 1<<CountShift | 5<<DepthShift
	ruleTag   = 7 << TagAShift
	ruleTagB  = 7 << TagBShift
)

func TestMatchRules(t *testing.T) {
	const now = 100
	mine := func(meta uint64, expiry uint64) Cell {
		e := ruleStore.Exact()
		return Cell{e[0], e[1], e[2], ruleStore.Suffix(), meta, expiry<<32 | 55, 0, 1<<32 | 9}
	}
	other := func(meta uint64, next uint64) Cell {
		e := ruleOther.Exact()
		return Cell{e[0], e[1], e[2], ruleOther.Suffix(), meta, 200<<32 | 66, 0, next<<32 | 9}
	}
	direct := func(c Cell, second, third uint64) Cell {
		c[Second] = second | third<<32
		return c
	}
	found, foreign, gone := mine(ruleOne, 101), other(ruleOne, 0), Cell{}
	for _, c := range []struct {
		name       string
		home, cell Cell
		atHome     uint8 // the answer after Match
		answer     uint8 // the answer after Follow
		noted      int
	}{
		{"at home", found, gone, One, One, 0},
		{"expires now", mine(ruleOne, 100), gone, Miss, Miss, 0},
		{"never expires", mine(ruleOne, 1<<32-1), gone, One, One, 0},
		{"is written", mine(ruleOne|Odd, 101), gone, Ask, Ask, 0},
		{"other depth", mine(ruleOne^1<<DepthShift, 101), gone, Ask, Ask, 0},
		{"two triggers", mine(ruleOne^3<<CountShift, 101), gone, Ask, Ask, 0},
		{"a list", mine(ruleOne|2<<CountShift, 101), gone, Ask, Ask, 0},
		{"a group", mine(ruleOne^3<<StateShift, 101), gone, Ask, Ask, 0},
		{"empty", mine(ruleOne^Single<<StateShift, 101), gone, Miss, Miss, 0},
		{"tags do not matter at home", mine(ruleOne|ruleTag|ruleTagB|FollowBit, 101), gone, One, One, 0},
		{"another's", other(ruleOne, 0), found, Miss, Miss, 0},
		{"another's tags", other(ruleOne|8<<TagAShift|8<<TagBShift, 0), found, Miss, Miss, 0},
		{"behind", other(ruleOne|ruleTag, 0), found, Ask, One, 1},
		{"behind an empty one", other(ruleOne^Single<<StateShift|ruleTag, 0), found, Ask, One, 1},
		{"behind, tags B and follow", other(ruleOne|ruleTag|ruleTagB|FollowBit, 0), found, Ask, One, 1},
		{"behind, expires now", other(ruleOne|ruleTag, 0), mine(ruleOne, 100), Ask, Miss, 1},
		{"behind, seq and depth of no home", other(ruleOne|ruleTag, 0), mine(ruleOne^Odd^1<<DepthShift, 101), Ask, One, 1},
		{"behind, two triggers", other(ruleOne|ruleTag, 0), mine(ruleOne^3<<CountShift, 101), Ask, Ask, 1},
		{"behind, another's, the last", other(ruleOne|ruleTag, 0), foreign, Ask, Miss, 1},
		{"behind, another's, and nowhere to go on", other(ruleOne|ruleTag, 0), other(ruleOne, 1), Ask, Ask, 1},
		{"behind, empty", other(ruleOne|ruleTag, 0), mine(2, 101), Ask, Ask, 1},
		{"behind what is written", other(ruleOne|ruleTag|Odd, 0), found, Ask, Ask, 0},
		{"next is no cell", other(ruleOne|ruleTag, 1), found, Ask, Ask, 0},
		{"next is far from a cell", other(ruleOne|ruleTag, 1<<32-1), found, Ask, Ask, 0},
		{"by tag B", other(ruleOne|ruleTagB, 0), found, Ask, One, 1},
		{"more to follow", other(ruleOne|FollowBit, 0), found, Ask, One, 1},
		{"by tag B, directly", direct(other(ruleOne|ruleTagB|DirectBit, 9), 0, 9), found, Ask, One, 1},
		{"the third, directly", direct(other(ruleOne|FollowBit|DirectBit, 9), 9, 0), found, Ask, One, 1},
		{"by tag A, and not directly", direct(other(ruleOne|ruleTag|ruleTagB|DirectBit, 0), 9, 9), found, Ask, One, 1},
		{"directly to no cell", direct(other(ruleOne|ruleTagB|DirectBit, 0), 1, 0), found, Ask, Ask, 0},
		{"more to follow, and no tag", other(ruleOne|8<<TagAShift|FollowBit, 0), foreign, Ask, Miss, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachVariant(t, func(tb testing.TB) {
				b := &Batch{IDs: []i3.ID{ruleID}, Winners: make([]i3.ID, Room(1)), Places: [MaxBatch]Place{rulePlace}}
				homes, cells := []Cell{c.home}, []Cell{c.cell}
				Match(b, homes, cells, now)
				checkRule(tb, "Match", b, c.atHome)
				if b.Behind != c.noted || b.Behind > 0 && (b.Who[0] != 0 || b.Next[0] != 0 || b.Seen[0] != c.home[Meta]) {
					tb.Errorf("asm: %s: %d noted: %d, next %d, seen %#x; want %d", Kernel(), b.Behind, b.Who[0],
						b.Next[0], b.Seen[0], c.noted)
				}
				Follow(b, homes, cells, now)
				checkRule(tb, "Follow", b, c.answer)
			})
		})
	}
}

func checkRule(tb testing.TB, after string, b *Batch, answer uint8) {
	tb.Helper()
	winner := i3.ID{}
	if answer == One {
		winner = ruleStore
	}
	if b.Answers[0] != answer || b.Winners[0] != winner || answer == One && b.Targets[0] != 55 {
		tb.Errorf("asm: %s: after %s the answer is %d with target %d and winner %v, want %d with 55 and %v",
			Kernel(), after, b.Answers[0], b.Targets[0], b.Winners[0], answer, winner)
	}
}

// TestFollowOn goes along a chain of three, a cell a call, and along one that goes in a circle.
func TestFollowOn(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		e, o := ruleStore.Exact(), ruleOther.Exact()
		away := func(next uint64) Cell { return Cell{o[0], o[1], o[2], 0, ruleOne, 200<<32 | 66, 0, next << 32} }
		homes := []Cell{away(1)}
		homes[0][Meta] |= FollowBit
		cells := []Cell{{}, away(3), {e[0], e[1], e[2], ruleStore.Suffix(), ruleOne, 200<<32 | 55}, away(2)}
		b := batchOf(2, 0)
		b.IDs[0], b.IDs[1], b.Places[0], b.Places[1] = ruleID, ruleID, rulePlace, rulePlace
		Match(b, homes, cells, 1)
		for calls, next := range []uint32{1, 3, 2} {
			if b.Behind != 2 || b.Next[0] != next || b.Next[1] != next || b.Who[1] != 1 {
				tb.Errorf("asm: %s: after %d calls %d are noted: next %d", Kernel(), calls, b.Behind, b.Next[:2])
			}
			Follow(b, homes, cells, 1)
		}
		checkRule(tb, "three calls of Follow", b, One)
		cells[3] = away(1)
		Match(b, homes, cells, 1)
		for range 10 {
			Follow(b, homes, cells, 1)
		}
		if checkRule(tb, "ten calls in a circle", b, Ask); b.Behind != 2 {
			tb.Errorf("asm: %s: %d are noted in a circle", Kernel(), b.Behind)
		}
	})
}

// TestFollowInPlace follows batches in which everybody is noted, and goes on, is found or ends at random, so that those
// noted again are written among those not yet read.
func TestFollowInPlace(t *testing.T) {
	const seed = 6
	eachVariant(t, func(tb testing.TB) {
		r := rand.New(rand.NewPCG(seed, 0))
		for n := 1; n <= MaxBatch; n++ {
			s := &scene{homes: make([]Cell, 7), cells: make([]Cell, 50), batch: batchOf(n, 0), now: 100}
			for i := range s.homes {
				s.homes[i] = Cell{Meta: ruleOne | FollowBit, Links: uint64(r.IntN(50)) << 32}
			}
			for i := range s.cells {
				id := i3.NewID(uint64(r.IntN(3)), i3.Key{2}, r.Uint64())
				s.cells[i] = stored(id, ruleOne, r.Uint32(), uint32(r.IntN(50)))
			}
			for i := range n {
				s.batch.IDs[i] = i3.NewID(1, i3.Key{2}, r.Uint64())
				s.batch.Places[i] = rulePlace | Place(r.IntN(len(s.homes)))
			}
			if _, noted := s.check(tb); noted != n {
				tb.Fatalf("asm: %s: %d of %d are noted, want all", Kernel(), noted, n)
			}
		}
	})
}

// TestFollowChange changes a home between Match and Follow.
func TestFollowChange(t *testing.T) {
	eachVariant(t, func(tb testing.TB) {
		e := ruleStore.Exact()
		cell := Cell{e[0], e[1], e[2], 4, ruleOne, 200<<32 | 55}
		b := &Batch{IDs: []i3.ID{ruleID}, Winners: make([]i3.ID, Room(1)), Places: [MaxBatch]Place{rulePlace}}
		homes, cells := []Cell{{Meta: ruleOne | ruleTag}}, []Cell{cell}
		Match(b, homes, cells, 1)
		homes[0][Meta] += 2
		Follow(b, homes, cells, 1)
		checkRule(tb, "a change and Follow", b, Ask)
	})
}
