package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
)

// nearest writes the search for the nearest member in groups of eight, a group a vector: the members' suffixes ^ the
// one looked for, with ones in place of those that have expired; the smallest of the eight in every lane; and the
// words of those that have it, which is one, moved to the front.
func (g *generator) nearest() {
	g.Function("nearestAVX512")
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr("func(found *uint64, groups **byte, suffixes *uint64, n int, now uint32)")
	g.Doc("The word of the nearest live member in each of n groups, or 0.")
	found, groups, suffixes, n := g.argument("found"), g.argument("groups"), g.argument("suffixes"), g.argument("n")
	now := g.argument("now")
	limit, ones, low := g.ZMM(), g.ZMM(), g.GP64()
	g.SHLQ(imm(32), now)
	g.MOVL(operand.U32(1<<32-1), low.As32())
	g.ORQ(low, now) // more than this is later than now
	g.VPBROADCASTQ(now, limit)
	g.VPTERNLOGD(imm(0xff), ones, ones, ones)
	k := g.GP64()
	g.XORQ(k, k)
	g.Label("loop")
	p, distance, words, smallest, other := g.GP64(), g.ZMM(), g.ZMM(), g.ZMM(), g.ZMM()
	live, winner := g.K(), g.K()
	g.MOVQ(mem{Base: groups, Index: k, Scale: 8}, p)
	g.VPBROADCASTQ(mem{Base: suffixes, Index: k, Scale: 8}, distance)
	g.VPXORQ(mem{Base: p}, distance, distance)
	g.VMOVDQU64(mem{Base: p, Disp: 64}, words)
	const greater = 6
	g.VPCMPUQ(imm(greater), limit, words, live)
	g.VPBLENDMQ(distance, ones, live, distance)
	g.VSHUFI64X2(imm(0x4e), distance, distance, other)
	g.VPMINUQ(other, distance, smallest)
	g.VSHUFI64X2(imm(0xb1), smallest, smallest, other)
	g.VPMINUQ(other, smallest, smallest)
	g.VPSHUFD(imm(0x4e), smallest, other)
	g.VPMINUQ(other, smallest, smallest)
	g.VPCMPEQQ(smallest, distance, live, winner)
	g.VPCOMPRESSQ_Z(words, winner, other)
	g.VMOVQ(other.AsX(), mem{Base: found, Index: k, Scale: 8})
	g.INCQ(k)
	g.CMPQ(k, n)
	g.JLT(operand.LabelRef("loop"))
	g.end()
}
