package main

import (
	"github.com/mmcloughlin/avo/operand"
)

// take writes what collects the targets of a batch, 16 identifiers at a time. Their answers are bytes of one register:
// where these are one, they are made -1, whose sums from the first byte on, taken off the number of targets there
// were, are the numbers after each identifier. Targets move together, those that are taken first.
//
// Whole vectors are written. As no more are taken than have been looked at, neither array is written beyond a multiple
// of 16 from where it began.
func (g *generator) take() {
	g.text("take", "func(b *byte, from int, n int, targets *uint32, taken int, off *uint32) (upTo int, after int)",
		"Takes the targets of identifiers of a batch, the first of them from, until one whose answer is ask.")
	t := &taker{generator: g}
	t.batch, t.i, t.left = g.argument("b"), g.argument("from"), g.argument("n")
	t.targets, t.taken, t.off = g.argument("targets"), g.argument("taken"), g.argument("off")
	t.ones, t.asks = g.XMM(), g.XMM()
	g.VMOVDQU(g.table("bytesOne", answerOne*eachByte, answerOne*eachByte, 0, 0, 0, 0, 0, 0), t.ones)
	g.VMOVDQU(g.table("bytesAsk", answerAsk*eachByte, answerAsk*eachByte, 0, 0, 0, 0, 0, 0), t.asks)
	g.Label("loop")
	g.CMPQ(t.left, number(taking))
	g.JLT(operand.LabelRef("last"))
	one, bits, ask := t.look()
	g.TESTL(ask.As32(), ask.As32())
	g.JNZ(operand.LabelRef("last"))
	t.put(one, bits)
	g.ADDQ(number(taking), t.i)
	g.ADDQ(number(4*taking), t.off)
	g.SUBQ(number(taking), t.left)
	g.JMP(operand.LabelRef("loop"))
	g.Label("last")
	g.TESTQ(t.left, t.left)
	g.JZ(operand.LabelRef("done"))
	one, bits, ask = t.look()
	g.Comment("Those before the first ask, and before the end.")
	g.ORL(number(1<<taking), ask.As32())
	g.BSFL(ask.As32(), ask.As32())
	g.CMPQ(t.left, ask)
	g.CMOVQLT(t.left, ask)
	g.BZHIL(ask.As32(), bits.As32(), bits.As32())
	t.put(one, bits)
	g.ADDQ(ask, t.i)
	g.Label("done")
	g.Store(t.i, g.Return("upTo"))
	g.Store(t.taken, g.Return("after"))
	g.end()
}

const (
	taking   = 16 // identifiers at a time
	eachByte = 0x0101010101010101
	eachOf4  = 0x01010101
)

type taker struct {
	*generator
	batch, i, left      reg64
	targets, taken, off reg64
	ones, asks          vec
}

// look returns where the answers are one, as bytes of -1 and as bits, and the bits of those that are ask.
func (t *taker) look() (one vec, bits, ask reg64) {
	one, asks := t.XMM(), t.XMM()
	bits, ask = t.GP64(), t.GP64()
	t.VMOVDQU(mem{Base: t.batch, Index: t.i, Scale: 1, Disp: answers}, asks)
	t.VPCMPEQB(t.ones, asks, one)
	t.VPCMPEQB(t.asks, asks, asks)
	t.VPMOVMSKB(one, bits.As32())
	t.VPMOVMSKB(asks, ask.As32())
	return one, bits, ask
}

// put writes the numbers, and the targets of those that are in bits.
func (t *taker) put(one vec, bits reg64) {
	for by := uint64(1); by < taking; by *= 2 {
		shifted := t.XMM()
		t.VPSLLDQ(imm(by), one, shifted)
		t.VPADDB(shifted, one, one)
	}
	if t.wide() {
		t.putWide(one, bits)
		return
	}
	before, x := t.YMM(), t.XMM()
	t.VMOVD(t.taken.As32(), x)
	t.VPBROADCASTD(x, before)
	for half := range 2 {
		sums := t.YMM()
		t.VPMOVSXBD(one, sums)
		t.VPSUBD(sums, before, sums)
		t.VMOVDQU(sums, mem{Base: t.off, Disp: 32 * half})
		if half == 0 {
			t.VPSRLDQ(imm(8), one, one)
		}
	}
	for quarter := range taking / 4 {
		t.putFour(quarter, bits)
	}
}

func (t *taker) putWide(one vec, bits reg64) {
	before, sums, v, k := t.ZMM(), t.ZMM(), t.ZMM(), t.K()
	t.VPBROADCASTD(t.taken.As32(), before)
	t.VPMOVSXBD(one, sums)
	t.VPSUBD(sums, before, sums)
	t.VMOVDQU32(sums, mem{Base: t.off})
	t.KMOVW(bits.As32(), k)
	t.VMOVDQU32(mem{Base: t.batch, Index: t.i, Scale: 4, Disp: targets}, v)
	t.VPCOMPRESSD_Z(v, k, v)
	t.VMOVDQU32(v, mem{Base: t.targets, Index: t.taken, Scale: 4})
	t.POPCNTL(bits.As32(), bits.As32())
	t.ADDQ(bits, t.taken)
}

// putFour takes the targets of a quarter, by a table with a row for each of the 16 masks.
func (t *taker) putFour(quarter int, bits reg64) {
	base, set, v := t.GP64(), t.GP64(), t.XMM()
	t.LEAQ(t.fours(), base)
	t.MOVL(bits.As32(), set.As32())
	if quarter > 0 {
		t.SHRL(imm(uint64(4*quarter)), set.As32())
	}
	t.ANDL(imm(15), set.As32())
	t.SHLL(imm(4), set.As32())
	t.VMOVDQU(mem{Base: t.batch, Index: t.i, Scale: 4, Disp: targets + 16*quarter}, v)
	t.VPSHUFB(mem{Base: base, Index: set, Scale: 1}, v, v)
	t.VMOVDQU(v, mem{Base: t.targets, Index: t.taken, Scale: 4})
	t.POPCNTL(set.As32(), set.As32())
	t.ADDQ(set, t.taken)
}

// fours is the table of putFour.
func (t *taker) fours() mem {
	if m, ok := t.data["foursOf"]; ok {
		return m
	}
	m := t.global("foursOf")
	for set := range 16 {
		for k, lane := range lanesOf(set) {
			t.AddDatum(16*set+4*k, operand.U32(uint32(lane*4)*eachOf4+0x03020100))
		}
	}
	t.data["foursOf"] = m
	return m
}
