package main

import (
	"github.com/mmcloughlin/avo/operand"
)

// hash writes SipHash-1-3 across identifiers: a lane for each, and two vectors at a time, because the steps of one
// wait for each other and those of two do not.
func (g *generator) hash() {
	g.text("hash", "func(dst *uint64, ids *[4]uint64, n int, key *[4]uint64)",
		"SipHash-1-3 of the first three words of n identifiers under a key.")
	s := &sip{generator: g}
	s.dst, s.ids, s.n, s.key = g.argument("dst"), g.argument("ids"), g.argument("n"), g.argument("key")
	s.order = g.joins()
	s.last, s.finish = g.every("sipLast", 24<<56), g.every("sipFinish", 0xff)
	if !g.wide() {
		s.by16 = g.table("rotate16", 0x0504030201000706, 0x0d0c0b0a09080f0e, 0x0504030201000706, 0x0d0c0b0a09080f0e,
			0, 0, 0, 0)
	}
	g.CMPQ(s.n, number(uint64(2*g.lanes)))
	g.JLT(operand.LabelRef("tail"))
	g.Label("loop")
	s.two(nil)
	g.ADDQ(number(uint64(2*g.lanes*idBytes)), s.ids)
	g.ADDQ(number(uint64(2*g.lanes*8)), s.dst)
	g.SUBQ(number(uint64(2*g.lanes)), s.n)
	g.CMPQ(s.n, number(uint64(2*g.lanes)))
	g.JGE(operand.LabelRef("loop"))
	g.Label("tail")
	g.TESTQ(s.n, s.n)
	g.JZ(operand.LabelRef("done"))
	s.two(g.tail(s.n))
	g.Label("done")
	g.end()
}

// sip is what the steps of hash share.
type sip struct {
	*generator
	dst, ids, n, key reg64
	order            *joins
	last, finish     op
	by16             mem // order of bytes, AVX2
}

// two hashes two vectors of identifiers.
func (s *sip) two(t *tail) {
	var words [2][]vec
	for i := range words {
		rows := s.loadRows(mem{Base: s.ids, Disp: i * s.lanes * idBytes}, t, i*s.lanes)
		words[i] = s.columns(rows, s.order, 0, 1, 2)
	}
	var v [2][4]vec
	for i := range v {
		for k := range v[i] {
			v[i][k] = s.vec()
			s.VPBROADCASTQ(mem{Base: s.key, Disp: 8 * k}, v[i][k])
		}
	}
	for k := range 4 {
		word := func(i int) op {
			if k == 3 {
				return s.last
			}
			return words[i][k]
		}
		s.both(func(i int) { s.xor(word(i), v[i][3], v[i][3]) })
		s.round(&v)
		s.both(func(i int) { s.xor(word(i), v[i][0], v[i][0]) })
	}
	s.both(func(i int) { s.xor(s.finish, v[i][2], v[i][2]) })
	for range 3 {
		s.round(&v)
	}
	for i := range v {
		s.xor(v[i][1], v[i][0], v[i][0])
		s.xor(v[i][3], v[i][2], v[i][2])
		s.xor(v[i][2], v[i][0], v[i][0])
		s.storeWords(v[i][0], mem{Base: s.dst, Disp: i * s.lanes * 8}, t, i*s.lanes)
	}
}

// both writes a step for each of the two vectors.
func (s *sip) both(step func(i int)) {
	step(0)
	step(1)
}

// round is the round of SipHash, of both vectors in turn.
func (s *sip) round(v *[2][4]vec) {
	add := func(from, to int) {
		s.both(func(i int) { s.VPADDQ(v[i][from], v[i][to], v[i][to]) })
	}
	mix := func(from, to, by int) { // rotate, and mix with from
		s.both(func(i int) { s.rotate(v[i][to], by) })
		s.both(func(i int) { s.xor(v[i][from], v[i][to], v[i][to]) })
	}
	half := func(to int) {
		s.both(func(i int) { s.rotate(v[i][to], 32) })
	}
	add(1, 0)
	add(3, 2)
	mix(0, 1, 13)
	mix(2, 3, 16)
	half(0)
	add(1, 2)
	add(3, 0)
	mix(2, 1, 17)
	mix(0, 3, 21)
	half(2)
}

// rotate rotates each lane of r to the left. AVX2 has no such instruction: it moves halves or bytes where that does,
// and otherwise shifts both ways.
func (s *sip) rotate(r vec, by int) {
	switch {
	case s.wide():
		s.VPROLQ(imm(uint64(by)), r, r)
	case by == 32:
		s.VPSHUFD(imm(0xb1), r, r)
	case by == 16:
		s.VPSHUFB(s.by16, r, r)
	default:
		left := s.vec()
		s.VPSLLQ(imm(uint64(by)), r, left)
		s.VPSRLQ(imm(uint64(64-by)), r, r)
		s.VPOR(left, r, r)
	}
}
