package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
)

// prefetch writes a loop over the lines of some memory. It begins at the beginning of a line, so that it misses none.
func (g *generator) prefetch() {
	g.Function("prefetchLines")
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr("func(p *byte, n int)")
	g.Doc("A prefetch of each cache line of n bytes, n > 0.")
	p, end := g.argument("p"), g.argument("n")
	g.ADDQ(p, end)
	g.ANDQ(operand.I8(-64), p)
	g.Label("loop")
	g.PREFETCHT0(mem{Base: p})
	g.ADDQ(number(64), p)
	g.CMPQ(p, end)
	g.JCS(operand.LabelRef("loop"))
	g.RET()
}
