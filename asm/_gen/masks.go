package main

import (
	"github.com/mmcloughlin/avo/reg"
)

// A mask says which lanes have a property: an opmask for AVX-512, a vector of ones and zeros for AVX2.
type mask = reg.Register

func (g *generator) mask() mask {
	if g.wide() {
		return g.K()
	}
	return g.YMM()
}

// zero returns the lanes where v has none of the bits.
func (g *generator) zero(bits op, v vec) mask {
	m := g.mask()
	if g.wide() {
		g.VPTESTNMQ(bits, v, m)
		return m
	}
	g.VPAND(bits, v, m)
	g.VPCMPEQQ(g.none(), m, m)
	return m
}

// andZero returns the lanes of m where v has none of the bits.
func (g *generator) andZero(m mask, bits op, v vec) mask {
	if g.wide() {
		r := g.mask()
		g.VPTESTNMQ(bits, v, m, r)
		return r
	}
	return g.andMask(m, g.zero(bits, v))
}

// andSome returns the lanes of m where v has some of the bits.
func (g *generator) andSome(m mask, bits op, v vec) mask {
	if g.wide() {
		r := g.mask()
		g.VPTESTMQ(bits, v, m, r)
		return r
	}
	return g.andNot(m, g.zero(bits, v))
}

// equal returns the lanes where a and b are the same.
func (g *generator) equal(a, b vec) mask {
	m := g.mask()
	g.VPCMPEQQ(a, b, m)
	return m
}

// andEqual returns the lanes of m where a and b are the same.
func (g *generator) andEqual(m mask, a, b vec) mask {
	if !g.wide() {
		return g.andMask(m, g.equal(a, b))
	}
	r := g.mask()
	g.VPCMPEQQ(a, b, m, r)
	return r
}

// andNotGreater returns the lanes of m where a <= b, as numbers below 1<<63.
func (g *generator) andNotGreater(m mask, a vec, b op) mask {
	r := g.mask()
	if g.wide() {
		g.VPCMPUQ(imm(2), b, a, m, r)
		return r
	}
	g.VPCMPGTQ(b, a, r)
	return g.andNot(m, r)
}

// equalRows returns the lanes whose rows have the same first three words, for AVX2, from rows that have been compared
// and packed, two in a register. What is equal are bytes of ones in the end: of the first two words of each row in one
// half, of the last two in the other.
func (g *generator) equalRows(a, b vec) mask {
	g.VPACKSSWB(b, a, a)
	const suffixes = 0xffff0000ffff0000 // may be anything
	g.VPOR(g.table("suffixes", 0, 0, suffixes, suffixes, 0, 0, 0, 0), a, a)
	upper, m := g.XMM(), g.YMM()
	g.VEXTRACTI128(imm(1), a, upper)
	g.VPAND(a.AsX(), upper, upper)
	g.VPCMPEQD(g.same("ones", 1<<64-1), upper, upper)
	g.VPMOVSXDQ(upper, m)
	return m
}

// andGreater returns the lanes of m where a > b, as signed numbers.
func (g *generator) andGreater(m mask, a vec, b op) mask {
	r := g.mask()
	if g.wide() {
		g.VPCMPGTQ(b, a, m, r)
		return r
	}
	g.VPCMPGTQ(b, a, r)
	return g.andMask(m, r)
}

// andLess returns the lanes of m where a < b, as signed numbers.
func (g *generator) andLess(m mask, a vec, b op) mask {
	r := g.mask()
	if g.wide() {
		g.VPCMPQ(imm(1), b, a, m, r)
		return r
	}
	limit := g.vec()
	g.VMOVDQU(b, limit)
	g.VPCMPGTQ(a, limit, r)
	return g.andMask(m, r)
}

func (g *generator) andMask(a, b mask) mask {
	r := g.mask()
	if g.wide() {
		g.KANDW(a, b, r)
	} else {
		g.VPAND(a, b, r)
	}
	return r
}

// andNot returns the lanes of a that are not in b.
func (g *generator) andNot(a, b mask) mask {
	r := g.mask()
	if g.wide() {
		g.KANDNW(a, b, r)
	} else {
		g.VPANDN(a, b, r)
	}
	return r
}

func (g *generator) orMask(a, b mask) mask {
	r := g.mask()
	if g.wide() {
		g.KORW(a, b, r)
	} else {
		g.VPOR(a, b, r)
	}
	return r
}

// choose puts v in the lanes of dst that are in m, of which AVX2 looks at the sign.
func (g *generator) choose(m mask, v, dst vec) {
	if g.wide() {
		g.VPBLENDMQ(v, dst, m, dst)
	} else {
		g.VBLENDVPD(m, v, dst, dst)
	}
}

// none returns zeros in memory, for AVX2.
func (g *generator) none() op { return g.table("none", 0, 0, 0, 0, 0, 0, 0, 0) }

// bits returns a mask as a number, the first lane in bit 0.
func (g *generator) bits(m mask) reg.GPVirtual {
	r := g.GP64()
	if g.wide() {
		g.KMOVB(m, r.As32())
	} else {
		g.VMOVMSKPD(m, r.As32())
	}
	return r
}
