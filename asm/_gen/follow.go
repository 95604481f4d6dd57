package main

import (
	"github.com/mmcloughlin/avo/operand"
)

// follow writes the comparison of the identifiers that match has noted with the cells behind their homes, a vector of
// them at a time and without a branch:
//
//	same   = meta of the home as it was seen, read after everything of the cell
//	exact  = same, and the first three words of cell ^ id are 0
//	one    = exact, a single identifier with one trigger, which expires later than now
//	again  = same, not exact, and a next cell that exists
//	miss   = exact, and the single trigger is over, or same, not exact, and no next cell
//	ask    = the others
//
// Lanes without an identifier stand for that of lane 0, and results are written from the last lane to the first, so
// that those of lane 0 remain. Who goes on is noted again in place: no more are noted than have been read, and a whole
// vector is read before one is written, which ends where the next begins or before it.
func (g *generator) follow() {
	g.text("follow", "func(b *byte, homes *byte, lastHome int, cells *byte, lastCell int, now uint32)",
		"Compares the identifiers that are noted in a batch with the next cells. Numbers above the last count as it.")
	f := &follower{generator: g}
	f.prepare()
	g.Label("loop")
	f.group()
	g.VPADDQ(g.same("lanes", uint64(g.lanes)), f.number, f.number)
	g.ADDQ(number(uint64(g.lanes)), f.k)
	g.CMPQ(f.k, mem{Base: f.batch, Disp: behind})
	g.JLT(operand.LabelRef("loop"))
	g.MOVQ(f.again, mem{Base: f.batch, Disp: behind})
	g.end()
}

// Blocks of memory that follow has on its stack.
const (
	followWho     = 64 * iota // identifiers of a group
	followCells               // addresses of their cells, later of their homes, later of their next cells
	followTrigger             // of the cells, later metas of the homes as they were seen
	followAnswer
	followHomes // arguments, in every lane
	followLastHome
	followFirstCell
	followLastCell
	followNow
	followBlocks = iota
)

type follower struct {
	*generator
	batch, ids, winners, stack reg64
	k, again                   reg64
	order                      *joins
	spread                     [4]vec // orders that repeat a lane for each word of a row; AVX-512

	number, noted vec // of the lanes, and how many there are
}

func (f *follower) prepare() {
	f.batch = f.argument("b")
	f.stack = f.aligned(followBlocks)
	for i, name := range []string{"homes", "lastHome", "cells", "lastCell", "now"} {
		f.store(f.broadcast(f.argument(name)), f.block(followHomes+64*i))
	}
	f.ids, f.winners, f.k, f.again = f.GP64(), f.GP64(), f.GP64(), f.GP64()
	f.MOVQ(mem{Base: f.batch, Disp: idsPointer}, f.ids)
	f.MOVQ(mem{Base: f.batch, Disp: winners}, f.winners)
	f.XORQ(f.k, f.k)
	f.XORQ(f.again, f.again)
	f.noted = f.vec()
	f.VPBROADCASTQ(mem{Base: f.batch, Disp: behind}, f.noted)
	f.number, f.order = f.load(f.numbers()), f.joins()
	if f.wide() {
		f.spread = f.spreads()
	}
}

func (f *follower) block(at int) mem { return mem{Base: f.stack, Disp: at} }

// group follows a vector of identifiers.
func (f *follower) group() {
	l := f.begin()
	c := f.read()
	f.refresh(l)
	same := f.andEqual(l.exist, c.after, l.was)
	exact := f.exactIn(same, c)
	other := f.andNot(same, exact)
	f.xor(f.same("single", single), c.meta, c.meta)
	here := f.andZero(exact, f.same("four", four), c.meta)
	f.store(c.trigger, f.block(followTrigger))
	f.VPSRLQ(imm(32), c.trigger, c.trigger)
	f.VPSRLQ(imm(32), c.links, c.links)
	one := f.andGreater(here, c.trigger, f.block(followNow))
	end := f.andZero(other, c.links, c.links)
	miss := f.orMask(f.andNot(here, one), end)
	f.answer(one, miss)
	f.win(one, c)
	inside := f.andNotGreater(other, c.links, f.block(followLastCell))
	f.note(f.andNot(inside, end), c.links, l)
}

// following is what has been noted of a group.
type following struct {
	exist     mask // the lanes that have an identifier
	whom, was vec
}

// begin puts on the stack who is in the lanes, and the addresses of their cells.
func (f *follower) begin() *following {
	l := &following{exist: f.exist(), whom: f.vec(), was: f.vec()}
	first, cell := f.vec(), f.vec()
	f.VPMOVZXBQ(mem{Base: f.batch, Index: f.k, Scale: 1, Disp: who}, l.whom)
	f.VPBROADCASTQ(l.whom.AsX(), first)
	if f.wide() {
		f.VPBLENDMQ(l.whom, first, l.exist, l.whom)
	} else {
		f.VBLENDVPD(l.exist, l.whom, first, l.whom)
	}
	f.store(l.whom, f.block(followWho))
	f.VPMOVZXDQ(mem{Base: f.batch, Index: f.k, Scale: 4, Disp: next}, cell)
	f.VPMINUD(f.block(followLastCell), cell, cell)
	f.address(cell, f.block(followFirstCell), cell)
	f.store(cell, f.block(followCells))
	if f.wide() {
		f.VMOVDQU64(mem{Base: f.batch, Index: f.k, Scale: 8, Disp: seen}, l.was)
	}
	return l
}

// refresh reads what begin has read once more for AVX2, which has no register left for it meanwhile.
func (f *follower) refresh(l *following) {
	if !f.wide() {
		l.exist = f.exist()
		l.was = f.load(mem{Base: f.batch, Index: f.k, Scale: 8, Disp: seen})
	}
}

// exist returns the lanes that have an identifier.
func (f *follower) exist() mask {
	m := f.mask()
	if f.wide() {
		f.VPCMPUQ(imm(1), f.noted, f.number, m)
	} else {
		f.VPCMPGTQ(f.number, f.noted, m)
	}
	return m
}

// followed is what is read for a group.
type followed struct {
	rows                        [4]vec // the first four words of each cell
	ids                         [4]vec // of the identifiers; later see takeID and differences
	meta, trigger, links, after vec
}

// read reads the cells, and then the homes.
func (f *follower) read() *followed {
	c := &followed{}
	var rest [4]vec
	placed, after := f.gather(), f.gather()
	for lane := range f.lanes {
		i, p := f.GP64(), f.GP64()
		f.MOVQ(f.block(followWho+8*lane), i)
		f.MOVQ(f.block(followCells+8*lane), p)
		placed.take(mem{Base: f.batch, Index: i, Scale: 8, Disp: places})
		f.takeRow(&c.rows, lane, mem{Base: p})
		f.takeRow(&rest, lane, mem{Base: p, Disp: upper})
		f.SHLQ(imm(5), i)
		f.takeID(c, lane, mem{Base: f.ids, Index: i, Scale: 1})
	}
	home := placed.whole()
	f.VPMINUD(f.block(followLastHome), home, home)
	f.address(home, f.block(followHomes), home)
	f.store(home, f.block(followCells))
	if !f.wide() {
		f.takeUpper(c, rest)
	}
	for lane := range f.lanes {
		p := f.GP64()
		f.MOVQ(f.block(followCells+8*lane), p)
		after.take(mem{Base: p, Disp: meta})
	}
	c.after = after.whole()
	if f.wide() {
		c.ids[0] = f.differences(c.rows, c.ids, f.order)
		f.takeUpper(c, rest)
	}
	return c
}

// takeUpper takes the columns of the upper halves of cells.
func (f *follower) takeUpper(c *followed, rest [4]vec) {
	upper := f.columns(rest, f.order, 0, 1, 3)
	c.meta, c.trigger, c.links = upper[0], upper[1], upper[2]
}

// takeID reads an identifier. AVX2 has no register for it: it is compared with the row of its cell, and packed with the
// one before.
func (f *follower) takeID(c *followed, lane int, from mem) {
	if f.wide() {
		f.takeRow(&c.ids, lane, from)
		return
	}
	c.ids[lane] = f.vec()
	f.VPCMPEQQ(from, c.rows[lane], c.ids[lane])
	if lane%2 == 1 {
		f.VPACKSSDW(c.ids[lane], c.ids[lane-1], c.ids[lane-1])
	}
}

// exactIn returns the lanes of m whose cells have the first three words of the identifiers.
func (f *follower) exactIn(m mask, c *followed) mask {
	if f.wide() {
		return f.andZero(m, c.ids[0], c.ids[0])
	}
	return f.andMask(m, f.equalRows(c.ids[0], c.ids[2]))
}

// answer makes the answers of a group.
func (f *follower) answer(one, miss mask) {
	a := f.vec()
	if !f.wide() {
		f.VPANDN(f.same("ask", answerAsk), miss, a)
		f.VPADDQ(one, a, a) // one less where one is all ones
		f.store(a, f.block(followAnswer))
		return
	}
	f.VPBROADCASTQ(f.same("ask", answerAsk), a)
	f.VPXORQ(a, a, miss, a)                       // ask to miss
	f.VPSRLQ(imm(answerAsk-answerOne), a, one, a) // ask to one
	f.VPMOVQB(a, f.block(followAnswer))
}

// win writes answers, targets and winners of a group, these the rows of the cells where one says so.
func (f *follower) win(one mask, c *followed) {
	if !f.wide() {
		for k := len(c.rows) - 1; k >= 0; k-- {
			keep := f.vec()
			f.VPERMQ(imm(0x55*uint64(k)), one, keep)
			f.and(c.rows[k], keep, keep)
			f.put(k, 8, keep)
		}
		return
	}
	full := f.vec()
	f.VPMOVM2Q(one, full)
	for k := len(c.rows) - 1; k >= 0; k-- {
		keep, high := f.vec(), f.YMM()
		f.VPERMQ(full, f.spread[k], keep)
		f.and(c.rows[k], keep, keep)
		f.VEXTRACTI64X4(imm(1), keep, high)
		f.put(2*k+1, 1, high)
		f.put(2*k, 1, keep.AsY())
	}
}

// put writes what one lane has found. Answers are on the stack, so many bytes each.
func (f *follower) put(lane, bytes int, winner op) {
	i, v := f.GP64(), f.GP64()
	f.MOVQ(f.block(followWho+8*lane), i)
	f.MOVBLZX(f.block(followAnswer+bytes*lane), v.As32())
	f.MOVB(v.As8(), mem{Base: f.batch, Index: i, Scale: 1, Disp: answers})
	f.MOVL(f.block(followTrigger+8*lane), v.As32())
	f.MOVL(v.As32(), mem{Base: f.batch, Index: i, Scale: 4, Disp: targets})
	f.SHLQ(imm(5), i)
	f.VMOVDQU(winner, mem{Base: f.winners, Index: i, Scale: 1})
}

// note notes those of a group again that go on, and asks for their cells. Most chains are short: it pays to guess that
// nobody does.
func (f *follower) note(again mask, cells vec, l *following) {
	bits := f.bits(again)
	f.TESTL(bits.As32(), bits.As32())
	f.JZ(operand.LabelRef("noted"))
	if f.wide() {
		f.noteAll(again, bits, cells, l)
	} else {
		f.noteEach(bits, cells, l.was)
	}
	f.Label("noted")
}

func (f *follower) noteAll(again mask, bits reg64, cells vec, l *following) {
	v, address := f.vec(), f.vec()
	f.VPCOMPRESSQ_Z(cells, again, v)
	f.VPMOVQD(v, mem{Base: f.batch, Index: f.again, Scale: 4, Disp: next})
	f.address(v, f.block(followFirstCell), address)
	v = f.vec()
	f.VPCOMPRESSQ_Z(l.whom, again, v)
	f.VPMOVQB(v, mem{Base: f.batch, Index: f.again, Scale: 1, Disp: who})
	v = f.vec()
	f.VPCOMPRESSQ_Z(l.was, again, v)
	f.store(v, mem{Base: f.batch, Index: f.again, Scale: 8, Disp: seen})
	f.Comment("Those not noted ask for the first cell.")
	f.askFor(address, f.block(followCells))
	f.POPCNTL(bits.As32(), bits.As32())
	f.ADDQ(bits, f.again)
}

// noteEach notes a lane after the other, where the next is written if a lane does not go on.
func (f *follower) noteEach(bits reg64, cells, was vec) {
	f.store(cells, f.block(followCells))
	f.store(was, f.block(followTrigger))
	for lane := range f.lanes {
		v, goes := f.GP64(), f.GP64()
		f.MOVQ(f.block(followWho+8*lane), v)
		f.MOVB(v.As8(), mem{Base: f.batch, Index: f.again, Scale: 1, Disp: who})
		f.MOVQ(f.block(followTrigger+8*lane), v)
		f.MOVQ(v, mem{Base: f.batch, Index: f.again, Scale: 8, Disp: seen})
		f.MOVQ(f.block(followCells+8*lane), v)
		f.MOVL(v.As32(), mem{Base: f.batch, Index: f.again, Scale: 4, Disp: next})
		f.MOVL(bits.As32(), goes.As32())
		f.ANDL(imm(1), goes.As32())
		f.ADDQ(goes, f.again)
		f.SHRL(imm(1), bits.As32())
		f.Comment("Who does not go on asks for the first cell.")
		f.NEGQ(goes)
		f.ANDQ(goes, v)
		f.SHLQ(imm(cellShift), v)
		f.ADDQ(f.block(followFirstCell), v)
		f.PREFETCHT0(mem{Base: v})
	}
}
