package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
)

// follow writes the comparison of the identifiers that match has noted with the cells behind their homes: one at a
// time, for they are few, and without a branch. AVX2 is enough for it. Meta of the cell is read first and meta of the
// home last; what must be zero for an answer other than ask is collected in a word.
func (g *generator) follow() {
	g.Function("followAVX2")
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr("func(b *byte, homes *byte, lastHome int, cells *byte, lastCell int, now uint32)")
	g.Doc("Compares the identifiers that are noted in a batch with the next cells. Numbers above the last count as it.")
	f := &follower{generator: g}
	f.batch, f.homes, f.lastHome = f.argument("b"), f.argument("homes"), f.argument("lastHome")
	f.cells, f.lastCell, f.now = f.argument("cells"), f.argument("lastCell"), f.argument("now")
	f.ids, f.k, f.ask = f.GP64(), f.GP64(), f.GP64()
	f.MOVQ(mem{Base: f.batch, Disp: idsPointer}, f.ids)
	f.MOVL(operand.U32(answerAsk), f.ask.As32())
	f.XORQ(f.k, f.k)
	f.Label("loop")
	f.one()
	f.INCQ(f.k)
	f.CMPQ(f.k, mem{Base: f.batch, Disp: behind})
	f.JLT(operand.LabelRef("loop"))
	f.end()
}

type follower struct {
	*generator
	batch, homes, lastHome, cells, lastCell, now reg64
	ids, k, ask                                  reg64
}

// line turns a number of a home or cell into its address.
func (f *follower) line(number, last, base reg64) {
	f.CMPL(number.As32(), last.As32())
	f.CMOVLHI(last.As32(), number.As32())
	f.SHLQ(imm(cellShift), number)
	f.ADDQ(base, number)
}

// one follows one identifier.
func (f *follower) one() {
	i, cell, id := f.GP64(), f.GP64(), f.GP64()
	f.MOVBLZX(mem{Base: f.batch, Index: f.k, Scale: 1, Disp: who}, i.As32())
	f.MOVL(mem{Base: f.batch, Index: f.k, Scale: 4, Disp: next}, cell.As32())
	f.line(cell, f.lastCell, f.cells)
	f.MOVQ(i, id)
	f.SHLQ(imm(5), id)
	bad, trigger, t := f.GP64(), f.GP64(), f.GP64()
	row, same := f.YMM(), f.YMM()
	f.MOVQ(mem{Base: cell, Disp: meta}, bad)
	f.VMOVDQU(mem{Base: cell}, row)
	f.MOVQ(mem{Base: cell, Disp: first}, trigger)
	f.MOVL(mem{Base: f.batch, Index: i, Scale: 8, Disp: places}, t.As32())
	f.line(t, f.lastHome, f.homes)
	f.MOVQ(mem{Base: t, Disp: meta}, t)

	f.Comment("Changed, not single, not exact.")
	f.XORQ(mem{Base: f.batch, Index: f.k, Scale: 8, Disp: seen}, t)
	f.SHRQ(imm(32), bad)
	f.ANDL(imm(four>>32), bad.As32())
	f.XORL(imm(single>>32), bad.As32())
	f.ORQ(t, bad)
	f.VPCMPEQQ(mem{Base: f.ids, Index: id, Scale: 1}, row, same)
	f.VMOVMSKPD(same, t.As32())
	f.ANDL(imm(7), t.As32())
	f.XORL(imm(7), t.As32())
	f.ORQ(t, bad)

	f.MOVL(trigger.As32(), mem{Base: f.batch, Index: i, Scale: 4, Disp: targets})
	f.SHRQ(imm(32), trigger)
	live := f.GP64()
	f.XORL(live.As32(), live.As32())
	f.CMPL(trigger.As32(), f.now.As32())
	f.SETHI(live.As8())
	f.TESTQ(bad, bad)
	f.CMOVLNE(f.ask.As32(), live.As32())
	f.MOVB(live.As8(), mem{Base: f.batch, Index: i, Scale: 1, Disp: answers})

	f.Comment("The winner is the row of the cell where the answer is one.")
	keep := f.YMM()
	f.ANDL(imm(answerOne), live.As32())
	f.NEGQ(live)
	f.VMOVQ(live, keep.AsX()) // only the low lane is used
	f.VPBROADCASTQ(keep.AsX(), keep)
	f.VPAND(row, keep, keep)
	f.VMOVDQU(keep, mem{Base: f.batch, Index: id, Scale: 1, Disp: winners})
}
