package main

import "github.com/mmcloughlin/avo/x86"

// A gatherer makes a vector of words from anywhere, in the order in which they are taken. It is not the processor's
// gather, which promises no order and is slower on many.
type gatherer struct {
	g     *generator
	taken int
	pair  vec // the last two words
	half  vec // the last four
	all   vec
}

func (g *generator) gather() *gatherer { return &gatherer{g: g} }

// take reads the next word.
func (a *gatherer) take(from mem) {
	g := a.g
	switch a.taken % 4 {
	case 0, 2:
		a.pair = g.XMM()
		g.VMOVQ(from, a.pair)
	case 1:
		a.half = g.YMM()
		i, err := x86.VPINSRQ(imm(1), from, a.pair, a.half.AsX())
		g.clears(a.half, i, err)
	case 3:
		g.VPINSRQ(imm(1), from, a.pair, a.pair)
		a.joinHalf()
	}
	a.taken++
}

// joinHalf adds the last pair to its half, and the second half to the first.
func (a *gatherer) joinHalf() {
	g := a.g
	switch {
	case !g.wide():
		g.VINSERTI128(imm(1), a.pair, a.half, a.half)
		a.all = a.half
	case a.taken < 4:
		a.all = g.ZMM()
		i, err := x86.VINSERTI64X2(imm(1), a.pair, a.half, a.all.AsY())
		g.clears(a.all, i, err)
	default:
		g.VINSERTI64X2(imm(1), a.pair, a.half, a.half)
		g.VINSERTI64X4(imm(1), a.half, a.all, a.all)
	}
}

func (a *gatherer) whole() vec { return a.all }
