package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/x86"
)

// hash writes SipHash-1-3 across identifiers: a lane for each, and several vectors at a time, because the steps of one
// wait for each other and those of two do not. The next identifiers are turned into columns half way through, when
// nobody waits for them.
//
// With AVX2, which has three instructions for most rotations, three vectors keep the vector units busy; the others have
// nothing to do. So four more identifiers are hashed in general registers meanwhile, their instructions between those
// of the vectors.
func (g *generator) hash() {
	g.text("hash", "func(dst *uint64, ids *[4]uint64, n int, key *[4]uint64)",
		"SipHash-1-3 of the first three words of n identifiers under a key.")
	s := &sip{generator: g, vectors: 2}
	if !g.wide() {
		s.vectors, s.singles = 3, 4
	}
	s.prepare()
	s.whole()
	s.rest()
	g.end()
}

// sip is what the steps of hash share.
type sip struct {
	*generator
	vectors, singles int // identifiers at a time: so many vectors, and so many in general registers
	dst, ids, n      reg64
	stack            reg64
	order            *joins
	k2, k3           op // words of the key
	v0, v1, turned   op // of the first round: v0 before v3 is added, v1 before and after it is rotated by 17
	last, over       op
	by16             vec // order of bytes, AVX2
}

// sipKept is how many words sip keeps before those of the identifiers.
const sipKept = 5

// prepare loads the arguments, and does of the first round what only the key decides.
func (s *sip) prepare() {
	s.dst, s.ids, s.n = s.argument("dst"), s.argument("ids"), s.argument("n")
	key, a, b := s.argument("key"), s.GP64(), s.GP64()
	s.order, s.last, s.over = s.joins(), s.every("sipLast", 24<<56), s.every("sipOver", 0xff)
	if !s.wide() {
		s.stack = s.aligned((sipKept + 3*s.vectors + 1) / 2)
		s.by16 = s.load(s.table("rotate16", 0x0504030201000706, 0x0d0c0b0a09080f0e, 0x0504030201000706, 0x0d0c0b0a09080f0e,
			0, 0, 0, 0))
	}
	s.MOVQ(mem{Base: key}, a)
	s.MOVQ(mem{Base: key, Disp: 8}, b)
	s.ADDQ(b, a)
	s.ROLQ(imm(13), b)
	s.XORQ(a, b)
	s.ROLQ(imm(32), a)
	s.v0, s.v1 = s.keep(0, s.broadcast(a)), s.keep(1, s.broadcast(b))
	s.ROLQ(imm(17), b)
	s.MOVQ(mem{Base: key, Disp: 16}, a)
	s.turned, s.k2 = s.keep(2, s.broadcast(b)), s.keep(3, s.broadcast(a))
	s.MOVQ(mem{Base: key, Disp: 24}, a)
	s.k3 = s.keep(4, s.broadcast(a))
}

// keep returns a vector that is needed later: in a register for AVX-512, and on the stack for AVX2.
func (s *sip) keep(at int, v vec) op {
	if s.wide() {
		return v
	}
	m := mem{Base: s.stack, Disp: 32 * at}
	s.store(v, m)
	return m
}

// whole hashes while there are as many identifiers as are hashed at a time.
func (s *sip) whole() {
	atOnce := s.vectors*s.lanes + s.singles
	s.CMPQ(s.n, number(uint64(atOnce)))
	s.JLT(operand.LabelRef("rest"))
	ahead, chains := s.GP64(), make([]*chain, s.vectors)
	for i := range chains {
		chains[i] = &chain{}
		s.read(chains[i], i, s.ids)
	}
	s.Label("loop")
	s.Comment("The next identifiers, or these again if there are not enough.")
	s.SUBQ(number(uint64(atOnce)), s.n)
	s.LEAQ(mem{Base: s.ids, Disp: atOnce * idBytes}, ahead)
	s.CMPQ(s.n, number(uint64(atOnce)))
	s.CMOVQLT(s.ids, ahead)
	across := &program{sip: s, chains: chains}
	across.begin()
	for i, c := range chains {
		across.do(func() { s.read(c, i, ahead) })
	}
	across.finish()
	for i, c := range chains {
		across.do(func() { s.store(c.v[1].(vec), mem{Base: s.dst, Disp: 8 * s.lanes * i}) })
	}
	weave(across.steps, s.single(s.vectors*s.lanes, s.singles))
	s.ADDQ(number(uint64(atOnce*idBytes)), s.ids)
	s.ADDQ(number(uint64(atOnce*8)), s.dst)
	s.CMPQ(s.n, number(uint64(atOnce)))
	s.JGE(operand.LabelRef("loop"))
}

// rest hashes the others, two vectors at a time.
func (s *sip) rest() {
	s.Label("rest")
	s.TESTQ(s.n, s.n)
	s.JLE(operand.LabelRef("done"))
	t, p := s.tail(s.n), &program{sip: s, chains: []*chain{{}, {}}}
	for i, c := range p.chains {
		s.readSome(c, i, t)
	}
	p.begin()
	p.finish()
	weave(p.steps, nil)
	for i, c := range p.chains {
		s.storeWords(c.v[1].(vec), mem{Base: s.dst, Disp: 8 * s.lanes * i}, t, i*s.lanes)
	}
	s.ADDQ(number(uint64(2*s.lanes*idBytes)), s.ids)
	s.ADDQ(number(uint64(2*s.lanes*8)), s.dst)
	s.SUBQ(number(uint64(2*s.lanes)), s.n)
	s.JMP(operand.LabelRef("rest"))
	s.Label("done")
}

// single returns the steps that hash n identifiers from one on in general registers, one after the other.
func (s *sip) single(from, n int) (steps []func()) {
	for i := from; i < from+n; i++ {
		c := &chain{single: true}
		for k := range c.words {
			c.words[k] = mem{Base: s.ids, Disp: idBytes*i + 8*k}
		}
		p := &program{sip: s, chains: []*chain{c}}
		p.begin()
		p.finish()
		p.do(func() { s.MOVQ(c.v[1], mem{Base: s.dst, Disp: 8 * i}) })
		steps = append(steps, p.steps...)
	}
	return steps
}

// readSome reads the words of the vector of identifiers from lane begin on, where they exist.
func (s *sip) readSome(c *chain, i int, t *tail) {
	s.words(c, i, s.loadRows(mem{Base: s.ids, Disp: s.lanes * idBytes * i}, t, i*s.lanes))
}

// words puts the columns of rows where a chain takes its words from, which is the same place every time.
func (s *sip) words(c *chain, i int, rows [4]vec) {
	for k, column := range s.columns(rows, s.order, 0, 1, 2) {
		if r, ok := c.words[k].(vec); ok {
			s.VMOVDQA64(column, r)
		} else {
			c.words[k] = s.keep(sipKept+3*i+k, column)
		}
	}
}

// read reads the words of vector i of the identifiers that p points to. For AVX2 it makes a column after the other,
// for which three registers do.
func (s *sip) read(c *chain, i int, p reg64) {
	ids := mem{Base: p, Disp: s.lanes * idBytes * i}
	if s.wide() {
		s.words(c, i, s.loadRows(ids, nil, 0))
		return
	}
	keep := func(k int, v vec) { c.words[k] = s.keep(sipKept+3*i+k, v) }
	x, y, a, b := s.XMM(), s.XMM(), s.YMM(), s.YMM()
	s.VMOVDQU(ids, x)
	s.VMOVDQU(ids.Offset(2*idBytes), y)
	high, err := x86.VPUNPCKHQDQ(ids.Offset(idBytes), x, a.AsX())
	s.clears(a, high, err)
	s.VPUNPCKHQDQ(ids.Offset(3*idBytes), y, y)
	s.VINSERTI128(imm(1), y, a, a)
	keep(1, a)
	a, column := s.YMM(), s.YMM()
	s.VMOVDQU(ids, a)
	s.VMOVDQU(ids.Offset(2*idBytes), b)
	s.VPUNPCKLQDQ(ids.Offset(idBytes), a, a)
	s.VPUNPCKLQDQ(ids.Offset(3*idBytes), b, b)
	s.VPERM2I128(imm(0x20), b, a, column)
	keep(0, column)
	s.VPERM2I128(imm(0x31), b, a, a)
	keep(2, a)
}
