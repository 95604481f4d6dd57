package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
)

// target writes the targets of a group, whatever the answers are.
func (m *matcher) target(h *homes) {
	to := mem{Base: m.batch, Index: m.i, Scale: 4, Disp: targets}
	if m.wide() {
		m.VPMOVQD(h.trigger, to)
	} else {
		m.storeLow(h.trigger, to)
	}
}

// answer writes the answers of a group.
func (m *matcher) answer(one, miss mask) {
	a, to := m.vec(), mem{Base: m.batch, Index: m.i, Scale: 1, Disp: answers}
	if m.wide() {
		m.VPBROADCASTQ(m.same("ask", answerAsk), a)
		m.VPXORQ(a, a, miss, a)                       // ask to miss
		m.VPSRLQ(imm(answerAsk-answerOne), a, one, a) // ask to one
		m.VPMOVQB(a, to)
		return
	}
	m.VPANDN(m.same("ask", answerAsk), miss, a)
	m.VPADDQ(one, a, a) // one less where one is all ones
	x := m.XMM()
	m.VEXTRACTI128(imm(1), a, x)
	m.VPACKSSDW(x, a.AsX(), x) // a byte of four is an answer's, another of four zero
	m.VPSHUFB(m.table("bytes", 0xffffffff0c080400, ^uint64(0), 0, 0, 0, 0, 0, 0), x, x)
	m.VMOVD(x, to)
}

// storeLow writes the lower halves of the lanes; AVX2.
func (m *matcher) storeLow(v vec, to mem) {
	order := m.vec()
	m.VMOVDQU(m.table("lowHalves", 2<<32, 6<<32|4, 0, 0, 0, 0, 0, 0), order)
	m.VPERMD(v, order, order)
	m.VMOVDQU(order.AsX(), to)
}

// win writes the winners: rows of the cells where one says so, otherwise zeros.
func (m *matcher) win(one mask, h *homes) {
	full := one
	if m.wide() {
		full = m.ZMM()
		m.VPMOVM2Q(one, full)
	}
	for k, row := range h.rows {
		keep := m.vec()
		if m.wide() {
			m.VPERMQ(full, m.spread[k], keep)
		} else {
			m.VPERMQ(imm(0x55*uint64(k)), full, keep)
		}
		m.and(row, keep, keep)
		m.store(keep, mem{Base: m.winners, Disp: 8 * m.lanes * k})
	}
}

// prepareNotes puts the numbers of the first identifiers in registers.
func (m *matcher) prepareNotes() {
	if m.wide() {
		m.number = m.load(m.numbers())
		return
	}
	m.tables, m.four32 = m.GP64(), m.GP64()
	m.LEAQ(m.compressing(), m.tables)
	m.XORL(m.four32.As32(), m.four32.As32())
}

// numbers returns the numbers of the lanes.
func (g *generator) numbers() mem { return g.table("numbers", 0, 1, 2, 3, 4, 5, 6, 7) }

// note adds what is noted to the arrays for Follow and asks for the cells.
func (m *matcher) note(noted mask, h *homes) {
	bits := m.bits(noted)
	toWho := mem{Base: m.batch, Index: m.noted, Scale: 1, Disp: who}
	toNext := mem{Base: m.batch, Index: m.noted, Scale: 4, Disp: next}
	toSeen := mem{Base: m.batch, Index: m.noted, Scale: 8, Disp: seen}
	address := m.vec()
	if m.wide() {
		v := m.vec()
		m.VPCOMPRESSQ_Z(h.next, noted, v)
		m.VPMOVQD(v, toNext)
		m.address(v, m.block(cellsBase), address)
		v = m.vec()
		m.VPCOMPRESSQ_Z(m.number, noted, v)
		m.VPMOVQB(v, toWho)
		v = m.vec()
		m.VPCOMPRESSQ_Z(h.meta, noted, v)
		m.store(v, toSeen)
		m.VPADDQ(m.every("eight", 8), m.number, m.number)
	} else {
		v := m.vec()
		m.VPAND(noted, h.next, v)
		m.address(v, m.block(cellsBase), address)
		m.compress(bits, v, h.meta, toWho, toNext, toSeen)
	}
	m.Comment("Those not noted ask for the first cell.")
	m.askFor(address, m.block(nextCells))
	m.POPCNTL(bits.As32(), bits.As32())
	m.ADDQ(bits, m.noted)
}

// compress is what VPCOMPRESSQ does, by tables with a row for each of the 16 masks.
func (m *matcher) compress(bits reg64, cells, meta vec, toWho, toNext, toSeen mem) {
	number, row := m.GP64(), m.GP64()
	m.MOVL(mem{Base: m.tables, Index: bits, Scale: 4, Disp: tableBytes}, number.As32())
	m.ADDL(m.four32.As32(), number.As32())
	m.MOVL(number.As32(), toWho)
	m.ADDL(operand.U32(0x04040404), m.four32.As32())

	m.MOVL(bits.As32(), row.As32())
	m.SHLL(imm(2), row.As32())
	order, v := m.vec(), m.vec()
	m.VMOVDQU(mem{Base: m.tables, Index: row, Scale: 8, Disp: tableWords}, order)
	m.VPERMD(meta, order, v)
	m.store(v, toSeen)
	order, v = m.vec(), m.vec()
	m.VMOVDQU(mem{Base: m.tables, Index: row, Scale: 4, Disp: tableLower}, order.AsX())
	m.VPERMD(cells, order, v)
	m.VMOVDQU(v.AsX(), toNext)
}

// Where the tables of compress are: the numbers of the lanes of a mask as bytes, and the orders of VPERMD that move
// their words, and the lower halves of their words, to the front.
const (
	tableBytes = 0
	tableWords = tableBytes + 16*4
	tableLower = tableWords + 16*32
)

// compressing returns the tables.
func (m *matcher) compressing() mem {
	t := m.global("compressing")
	for set := range 16 {
		var numbers uint32
		for k, lane := range lanesOf(set) {
			numbers |= uint32(lane) << (8 * k)
		}
		m.AddDatum(tableBytes+4*set, operand.U32(numbers))
	}
	for set := range 16 {
		for k, lane := range lanesOf(set) {
			m.AddDatum(tableWords+32*set+8*k, operand.U64(uint64(2*lane+1)<<32|uint64(2*lane)))
		}
	}
	for set := range 16 {
		for k, lane := range lanesOf(set) {
			m.AddDatum(tableLower+16*set+4*k, operand.U32(uint32(2*lane)))
		}
	}
	return t
}

// lanesOf returns all four lanes, those of the set first.
func lanesOf(set int) []int {
	var in, out []int
	for lane := range 4 {
		if set>>lane&1 != 0 {
			in = append(in, lane)
		} else {
			out = append(out, lane)
		}
	}
	if len(in)+len(out) != 4 {
		panic(fmt.Sprint("lanesOf ", set))
	}
	return append(in, out...)
}
