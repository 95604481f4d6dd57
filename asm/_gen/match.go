package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/x86"
)

// match writes the comparison of identifiers with their homes.
//
// A group of homes is read one after the other, each in the order that makes a change meanwhile visible: first meta,
// then the rest, then meta again (loads are not reordered on this architecture). Their addresses have been made while
// the group before was compared. Everything that is decided, is decided for all lanes at once and without a branch,
// because no branch about hits could be predicted:
//
//	x      = home ^ id, and exact where its first three words are 0
//	d      = meta ^ depth and tags of the place: 0 in the fields that are as the place wants them
//	valid  = meta even, of that depth, and the same before and after
//	held   = exact and not empty
//	one    = valid, exact, a single identifier with one trigger, which expires later than now
//	noted  = valid, not held, a tag or more to follow, and a cell to look at that exists
//	miss   = valid, and the single trigger is over, or not held, neither tag, nothing to follow
//	ask    = the others
//
// Winners are the cells' own words, for these are the identifier's where it was exact. The three arrays for Follow
// are written as whole vectors, those noted first and zeros after them, and end where the next vector begins. Nothing
// is written behind the arrays: group i begins at lane i of 256 and no more than i have been noted before.
func (g *generator) match() {
	g.text("match", "func(b *byte, homes *byte, lastHome int, cells *byte, nCells int, now uint32)",
		"Compares the identifiers of a batch with their homes. Numbers of homes above lastHome count as lastHome.")
	m := &matcher{generator: g}
	m.prepare()
	g.CMPQ(m.left, number(uint64(g.lanes)))
	g.JLT(operand.LabelRef("tail"))
	m.find(m.places(0, nil))
	g.Label("loop")
	m.group(nil)
	g.ADDQ(number(uint64(g.lanes*idBytes)), m.ids)
	g.ADDQ(number(uint64(g.lanes*idBytes)), m.winners)
	g.ADDQ(number(uint64(g.lanes)), m.i)
	g.SUBQ(number(uint64(g.lanes)), m.left)
	g.CMPQ(m.left, number(uint64(g.lanes)))
	g.JGE(operand.LabelRef("loop"))
	g.Label("tail")
	g.TESTQ(m.left, m.left)
	g.JZ(operand.LabelRef("done"))
	m.group(g.tail(m.left))
	g.Label("done")
	g.MOVQ(m.noted, mem{Base: m.batch, Disp: behind})
	g.end()
}

// Blocks of memory that match has on its stack.
const (
	addresses = 64 * iota // of the homes of a group
	nextCells             // their addresses
	homesBase
	homesLast
	cellsBase
	cellsLen
	nowLimit
	seconds // cells, two in a lane
	blocks  = iota
)

type matcher struct {
	*generator
	batch, ids, winners reg64
	i, left, noted      reg64
	stack               reg64
	order               *joins

	wanted, wrong, tagA, tagB, direct, follow, state, single, four, low op

	number vec    // of the identifier in each lane; AVX-512
	four32 reg64  // the same as bytes; AVX2
	tables reg64  // of compress; AVX2
	spread [4]vec // orders that repeat a lane for each word of a row; AVX-512
}

func (m *matcher) prepare() {
	m.batch = m.argument("b")
	m.stack = m.aligned(blocks)
	m.invariant("homes", homesBase)
	m.invariant("lastHome", homesLast)
	m.invariant("cells", cellsBase)
	m.invariant("nCells", cellsLen)
	m.invariant("now", nowLimit)
	m.ids, m.left, m.winners = m.GP64(), m.GP64(), m.GP64()
	m.MOVQ(mem{Base: m.batch, Disp: idsPointer}, m.ids)
	m.MOVQ(mem{Base: m.batch, Disp: idsLen}, m.left)
	m.MOVQ(mem{Base: m.batch, Disp: winners}, m.winners)
	m.i, m.noted = m.GP64(), m.GP64()
	m.XORQ(m.i, m.i)
	m.XORQ(m.noted, m.noted)
	m.order = m.joins()
	m.wanted = m.every("wanted", depth|tagA|tagB)
	m.wrong = m.every("wrong", odd|depth)
	m.tagA, m.tagB = m.every("tagA", tagA), m.every("tagB", tagB)
	m.direct, m.follow, m.low = m.every("direct", direct), m.every("follow", follow), m.every("low", 1<<32-1)
	m.state, m.single, m.four = m.every("state", state), m.every("single", single), m.every("four", four)
	m.prepareNotes()
	if m.wide() {
		m.spread = m.spreads()
	}
}

// spreads returns orders that repeat two lanes, for each of the four words of their rows; AVX-512.
func (g *generator) spreads() (orders [4]vec) {
	for p := range orders {
		a, b := uint64(2*p), uint64(2*p+1)
		orders[p] = g.load(g.table("spread"+string(rune('0'+p)), a, a, a, a, b, b, b, b))
	}
	return orders
}

// invariant puts an argument in every lane of a block on the stack.
func (m *matcher) invariant(name string, block int) {
	m.store(m.broadcast(m.argument(name)), m.block(block))
}

func (m *matcher) block(at int) mem { return mem{Base: m.stack, Disp: at} }

// places reads the places of a vector of identifiers, so many after the next. Places that do not exist are not looked
// at, but may be read.
func (m *matcher) places(after int, t *tail) vec {
	return m.loadWords(mem{Base: m.batch, Index: m.i, Scale: 8, Disp: places + 8*after}, t, 0)
}

// find puts the addresses of homes on the stack.
func (m *matcher) find(place vec) {
	address := m.vec()
	m.VPMINUD(m.block(homesLast), place, address)
	m.address(address, m.block(homesBase), address)
	m.store(address, m.block(addresses))
}

// group looks a vector of identifiers up.
func (m *matcher) group(t *tail) {
	place := m.places(0, t)
	if t != nil {
		m.find(place)
	}
	h := m.read()
	if t == nil {
		m.find(m.places(m.lanes, nil))
	}

	d, shape := m.vec(), m.vec()
	m.and(m.wanted, place, d)
	m.xor(d, h.meta, d)
	m.xor(m.single, h.meta, shape)
	valid := m.andZero(m.equal(h.meta, h.after), m.wrong, d)
	m.target(h)

	exact := m.exact(h, t)
	here := m.andZero(m.andMask(exact, valid), m.four, shape)
	held := m.andSome(exact, m.state, d)
	away := m.andNot(valid, held)
	one := m.andGreater(here, h.expiry, m.block(nowLimit))
	plain, second, third := m.behind(away, d)
	miss := m.orMask(m.andNot(here, one), plain)
	m.goDirect(second, third, h)
	noted := m.andLess(m.andNot(away, plain), h.next, m.block(cellsLen))
	if t != nil {
		noted = m.andMask(noted, m.exists(t))
	}
	m.answer(one, miss)
	m.win(one, h)
	m.note(noted, h)
}

// exact returns the lanes whose homes have the first three words of the identifiers.
func (m *matcher) exact(h *homes, t *tail) mask {
	if !m.wide() {
		return m.exactByRow(h, t)
	}
	x := m.differences(h.rows, m.loadRows(mem{Base: m.ids}, t, 0), m.order)
	return m.zero(x, x)
}

// exactByRow is exact for AVX2.
func (m *matcher) exactByRow(h *homes, t *tail) mask {
	var same [4]vec
	for k, row := range h.rows {
		same[k] = m.vec()
		if t == nil {
			m.VPCMPEQQ(mem{Base: m.ids, Disp: idBytes * k}, row, same[k])
		} else {
			m.VPCMPEQQ(m.loadRow(mem{Base: m.ids, Disp: idBytes * k}, t, k), row, same[k])
		}
	}
	m.VPACKSSDW(same[1], same[0], same[0])
	m.VPACKSSDW(same[3], same[2], same[2])
	return m.equalRows(same[0], same[2])
}

// behind returns which of the lanes that are away are plain misses, and which go directly to the second or third cell:
// third are some of second, and only to look at after it.
func (m *matcher) behind(away mask, d vec) (plain, second, third mask) {
	if !m.wide() {
		return m.behindBySign(away, d)
	}
	plain = m.andSome(m.andSome(m.andZero(away, m.follow, d), m.tagA, d), m.tagB, d)
	second = m.andSome(m.andSome(away, m.direct, d), m.tagA, d)
	return plain, second, m.andSome(second, m.tagB, d)
}

// behindBySign is behind for AVX2. Only the sign of second and third means something: it is that of tag B where its
// bytes are compared, and what else is asked for is shifted there.
func (m *matcher) behindBySign(away mask, d vec) (plain, second, third mask) {
	tagA, tagB, follow, direct, some := m.vec(), m.vec(), m.vec(), m.vec(), m.vec()
	m.VPCMPEQB(m.none(), d, tagB)
	m.VPSLLQ(imm(8), tagB, tagA)
	m.VPSLLQ(imm(63-39), d, follow)
	m.VPSLLQ(imm(63-38), d, direct)
	m.VPOR(tagA, tagB, some)
	m.VPOR(follow, some, some)
	none := m.vec()
	m.VPXOR(none, none, none)
	m.VPCMPGTQ(some, none, some)
	second = m.andNot(m.andMask(away, direct), tagA)
	return m.andNot(away, some), second, m.andNot(second, tagB)
}

// goDirect makes the cell to look at the second or third, where the home tells it and tag A is not the tag.
func (m *matcher) goDirect(second, third mask, h *homes) {
	cells, low := m.load(m.block(seconds)), m.vec()
	m.and(m.low, cells, low)
	m.choose(second, low, h.next)
	m.VPSRLQ(imm(32), cells, cells)
	m.choose(third, cells, h.next)
}

// exists returns the lanes that exist.
func (m *matcher) exists(t *tail) mask {
	if m.wide() {
		return m.opmask(t, 0, 1)
	}
	r := m.YMM()
	m.VPCMPGTQ(m.table("lane0of", 0, 1, 2, 3, 0, 0, 0, 0), t.count, r)
	return r
}

// homes is what is read of a group of homes.
type homes struct {
	rows                               [4]vec // the first four words of each
	meta, after, trigger, expiry, next vec
}

// read reads the homes whose addresses are on the stack.
func (m *matcher) read() *homes {
	h := &homes{}
	var rest [4]vec
	before, after := m.gather(), m.gather()
	for lane := range m.lanes {
		p := m.GP64()
		m.MOVQ(m.block(addresses+8*lane), p)
		before.take(mem{Base: p, Disp: meta})
		m.takeRow(&h.rows, lane, mem{Base: p})
		m.takeRow(&rest, lane, mem{Base: p, Disp: upper})
		after.take(mem{Base: p, Disp: meta})
	}
	h.meta, h.after = before.whole(), after.whole()
	columns := m.columns(rest, m.order, 2, 1, 3)
	h.trigger, h.next, h.expiry = columns[1], columns[2], m.vec()
	m.store(columns[0], m.block(seconds)) // AVX2 has no register left for it
	m.VPSRLQ(imm(32), h.next, h.next)
	m.VPSRLQ(imm(32), h.trigger, h.expiry)
	return h
}

// takeRow reads four words as the row of a lane.
func (g *generator) takeRow(rows *[4]vec, lane int, from mem) {
	if !g.wide() {
		rows[lane] = g.load(from)
		return
	}
	if lane%2 == 0 {
		rows[lane/2] = g.ZMM()
		i, err := x86.VMOVDQU64(from, rows[lane/2].AsY())
		g.clears(rows[lane/2], i, err)
	} else {
		g.VINSERTI64X4(imm(1), from, rows[lane/2], rows[lane/2])
	}
}
