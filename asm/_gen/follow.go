package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
)

// follow writes the comparison of the identifiers that match has noted with the cells behind their homes for AVX2: one
// at a time, for they are few, and without a branch. Meta of the cell is read first and meta of the home last; what must be zero for an answer other than ask is collected in a word.
//
// Who goes on to the next cell is noted again, in place: the place to write never overtakes the place to read.
func (g *generator) follow() {
	g.Function("followAVX2")
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr("func(b *byte, homes *byte, lastHome int, cells *byte, lastCell int, now uint32)")
	g.Doc("Compares the identifiers that are noted in a batch with the next cells. Numbers above the last count as it.")
	f := &follower{generator: g}
	f.batch, f.cells, f.lastCell = f.argument("b"), f.argument("cells"), f.argument("lastCell")
	f.k, f.again, f.ask = f.GP64(), f.GP64(), f.GP64()
	f.MOVL(operand.U32(answerAsk), f.ask.As32())
	f.XORQ(f.k, f.k)
	f.XORQ(f.again, f.again)
	f.Label("loop")
	f.one()
	f.INCQ(f.k)
	f.CMPQ(f.k, mem{Base: f.batch, Disp: behind})
	f.JLT(operand.LabelRef("loop"))
	f.MOVQ(f.again, mem{Base: f.batch, Disp: behind})
	f.end()
}

type follower struct {
	*generator
	batch, cells, lastCell reg64
	k, again, ask          reg64
}

// param returns an argument where the caller has left it, for those that there is no register for.
func (f *follower) param(name string) operand.Mem {
	where, err := f.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return where.Addr
}

// one follows one identifier.
func (f *follower) one() {
	i, cell, id := f.GP64(), f.GP64(), f.GP64()
	f.MOVBLZX(mem{Base: f.batch, Index: f.k, Scale: 1, Disp: who}, i.As32())
	f.MOVL(mem{Base: f.batch, Index: f.k, Scale: 4, Disp: next}, cell.As32())
	f.CMPL(cell.As32(), f.lastCell.As32())
	f.CMOVLHI(f.lastCell.As32(), cell.As32())
	f.SHLQ(imm(cellShift), cell)
	f.ADDQ(f.cells, cell)
	bad, trigger, changed := f.GP64(), f.GP64(), f.GP64()
	row, same := f.YMM(), f.YMM()
	f.MOVQ(mem{Base: cell, Disp: meta}, bad)
	f.VMOVDQU(mem{Base: cell}, row)
	f.MOVQ(mem{Base: cell, Disp: first}, trigger)
	f.MOVL(mem{Base: cell, Disp: links + 4}, cell.As32()) // the next cell
	f.MOVL(mem{Base: f.batch, Index: i, Scale: 8, Disp: places}, changed.As32())
	f.MOVQ(f.param("lastHome"), id)
	f.CMPL(changed.As32(), id.As32())
	f.CMOVLHI(id.As32(), changed.As32())
	f.SHLQ(imm(cellShift), changed)
	f.ADDQ(f.param("homes"), changed)
	f.MOVQ(mem{Base: changed, Disp: meta}, changed)

	f.Comment("Changed, not single, not exact.")
	f.MOVQ(mem{Base: f.batch, Index: f.k, Scale: 8, Disp: seen}, id)
	f.MOVQ(id, mem{Base: f.batch, Index: f.again, Scale: 8, Disp: seen})
	f.XORQ(id, changed)
	f.MOVQ(mem{Base: f.batch, Disp: idsPointer}, id)
	f.SHLQ(imm(5), i)
	f.VPCMPEQQ(mem{Base: id, Index: i, Scale: 1}, row, same)
	f.MOVQ(i, id) // 32 times the number
	f.SHRQ(imm(5), i)
	exact := f.GP64()
	f.VMOVMSKPD(same, exact.As32())
	f.ANDL(imm(7), exact.As32())
	f.XORL(imm(7), exact.As32())
	f.SHRQ(imm(32), bad)
	f.ANDL(imm(four>>32), bad.As32())
	f.XORL(imm(single>>32), bad.As32())
	f.ORQ(changed, bad)
	f.ORQ(exact, bad)
	f.CMPL(exact.As32(), imm(1)) // carry if it is exact
	f.SBBQ(exact, exact)
	f.ORQ(exact, changed) // zero if the home is as it was, and the cell another's

	f.MOVL(trigger.As32(), mem{Base: f.batch, Index: i, Scale: 4, Disp: targets})
	f.SHRQ(imm(32), trigger)
	live := exact
	f.XORL(live.As32(), live.As32())
	f.CMPL(trigger.As32(), f.param("now"))
	f.SETHI(live.As8())
	f.TESTQ(bad, bad)
	f.CMOVLNE(f.ask.As32(), live.As32())
	f.MOVQ(changed, bad)
	f.ORQ(cell, bad)
	f.CMOVLEQ(bad.As32(), live.As32()) // the end: nobody
	f.MOVB(live.As8(), mem{Base: f.batch, Index: i, Scale: 1, Disp: answers})

	f.Comment("The winner is the row of the cell where the answer is one.")
	keep := f.YMM()
	f.ANDL(imm(answerOne), live.As32())
	f.NEGQ(live)
	f.VMOVQ(live, keep.AsX()) // only the low lane is used
	f.VPBROADCASTQ(keep.AsX(), keep)
	f.VPAND(row, keep, keep)
	f.MOVQ(mem{Base: f.batch, Disp: winners}, bad)
	f.VMOVDQU(keep, mem{Base: bad, Index: id, Scale: 1})
	f.goOn(i, cell, changed, bad, trigger)
}

// goOn notes an identifier again if changed is zero and the next cell is one, and asks for that.
func (f *follower) goOn(i, cell, changed, t, u reg64) {
	f.MOVB(i.As8(), mem{Base: f.batch, Index: f.again, Scale: 1, Disp: who})
	f.MOVL(cell.As32(), mem{Base: f.batch, Index: f.again, Scale: 4, Disp: next})
	f.LEAL(mem{Base: cell, Disp: -1}, t.As32())
	f.XORL(u.As32(), u.As32())
	f.CMPL(t.As32(), f.lastCell.As32())
	f.SETCS(u.As8())
	f.XORL(t.As32(), t.As32())
	f.TESTQ(changed, changed)
	f.CMOVLNE(t.As32(), u.As32())
	f.ADDQ(u, f.again)
	f.NEGQ(u)
	f.ANDQ(u, cell)
	f.SHLQ(imm(cellShift), cell)
	f.PREFETCHT0(mem{Base: f.cells, Index: cell, Scale: 1})
}
