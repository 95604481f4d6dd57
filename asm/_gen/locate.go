package main

import "github.com/mmcloughlin/avo/operand"

// locate writes the places of hashes, without compares: whether one number is below another is the sign of their
// difference, so that both widths run the same steps.
//
// The place is counted once with and once without the last bit: a home at the end that is not there yet is the one it
// will be split from. A home that is neither split nor made by a split has one bit less of depth.
func (g *generator) locate() {
	g.text("locate", "func(places *uint64, hashes *uint64, n int, homes *byte, level uint64, split uint64)",
		"Places of n hashes, and a prefetch of the home of each.")
	l := &locator{generator: g}
	l.places, l.hashes, l.n = g.argument("places"), g.argument("hashes"), g.argument("n")
	l.prepare()
	g.CMPQ(l.n, number(uint64(g.lanes)))
	g.JLT(operand.LabelRef("tail"))
	g.Label("loop")
	l.group(nil)
	g.ADDQ(number(uint64(8*g.lanes)), l.hashes)
	g.ADDQ(number(uint64(8*g.lanes)), l.places)
	g.SUBQ(number(uint64(g.lanes)), l.n)
	g.CMPQ(l.n, number(uint64(g.lanes)))
	g.JGE(operand.LabelRef("loop"))
	g.Label("tail")
	g.TESTQ(l.n, l.n)
	g.JZ(operand.LabelRef("done"))
	l.group(g.tail(l.n))
	g.Label("done")
	g.end()
}

type locator struct {
	*generator
	places, hashes, n reg64
	spare             reg64 // a block of memory

	homes                  vec // where they begin
	level                  op  // in the lowest lane
	mask, end, split, size vec // 2*size-1, the last home there is, the last that is split, 1<<level
	deepest, least         op  // level+1 as the depth of a place, and the least tag
}

// prepare puts what is the same for every hash in registers.
func (l *locator) prepare() {
	l.spare = l.aligned(1)
	l.homes = l.broadcast(l.argument("homes"))
	level, split := l.argument("level"), l.argument("split")
	count, size := l.XMM(), l.GP64()
	l.VMOVQ(level, count)
	l.level = count
	l.MOVQ(number(1), size)
	l.SHLXQ(level, size, size)
	l.size = l.broadcast(size)
	n := l.GP64()
	l.LEAQ(mem{Base: size, Index: split, Scale: 1, Disp: -1}, n)
	l.end = l.broadcast(n)
	l.DECQ(split)
	l.split = l.broadcast(split)
	l.LEAQ(mem{Base: size, Index: size, Scale: 1, Disp: -1}, n)
	l.mask = l.broadcast(n)
	l.INCQ(level)
	l.SHLQ(imm(40), level)
	l.deepest = l.broadcast(level)
	l.least = l.every("leastTag", 1)
}

// group locates a vector of hashes.
func (l *locator) group(t *tail) {
	hash := l.loadWords(mem{Base: l.hashes}, t, 0)
	home, over, inside := l.vec(), l.vec(), l.vec()
	l.and(l.mask, hash, home)
	l.Comment("Not there yet: end < home.")
	l.below(l.end, home, over)
	l.VPSLLQ(l.level, over, over)
	l.VPSUBQ(over, home, home)
	address := l.vec()
	l.address(home, l.homes, address)
	l.Comment("Neither split nor made by a split: split <= home < size.")
	l.below(l.split, home, over)
	l.below(home, l.size, inside)
	l.and(over, inside, inside)
	l.VPSLLQ(imm(40), inside, inside)
	l.VPSUBQ(inside, l.deepest, over)
	l.or(over, home, home)
	l.VPSRLQ(imm(56), hash, hash)
	l.VPMAXUD(l.least, hash, hash)
	l.VPSLLQ(imm(48), hash, over)
	l.or(over, home, home)
	l.VPSLLQ(imm(56), hash, over)
	l.or(over, home, home)
	l.storeWords(home, mem{Base: l.places}, t, 0)
	l.askFor(address, mem{Base: l.spare})
}
