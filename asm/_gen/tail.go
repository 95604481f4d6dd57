package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tail says which lanes of the last vectors exist, where fewer are left than the vectors have. Of the others nothing
// is read or written, and loads give 0.
type tail struct {
	left  reg.GPVirtual // how many there are
	count vec           // left in every lane; AVX2
}

func (g *generator) tail(left reg.GPVirtual) *tail {
	t := &tail{left: left}
	if !g.wide() {
		t.count = g.broadcast(left)
	}
	return t
}

// opmask returns the mask of a vector of which perLane elements belong to a lane, and which begins with lane begin.
func (g *generator) opmask(t *tail, begin, perLane int) reg.OpmaskVirtual {
	n, all, k := g.GP64(), g.GP64(), g.K()
	g.MOVQ(t.left, n)
	if perLane == 4 {
		g.SHLQ(imm(2), n)
	}
	g.MOVQ(operand.I32(-1), all)
	g.BZHIQ(n, all, all)
	if begin > 0 {
		g.SHRQ(imm(uint64(begin*perLane)), all)
	}
	g.KMOVB(all.As32(), k)
	return k
}

// signs returns a vector whose lanes are negative where words of lanes exist, the first lane being begin: VPMASKMOVQ
// looks at the sign only. With step 0 the whole vector belongs to that lane.
func (g *generator) signs(t *tail, begin, step uint64) vec {
	m := g.vec()
	name := fmt.Sprint([]string{"same", "lane"}[step], begin, "of")
	g.VMOVDQU(g.table(name, begin, begin+step, begin+2*step, begin+3*step, 0, 0, 0, 0), m)
	g.VPSUBQ(t.count, m, m)
	return m
}

// loadWords reads a word for each lane from lane begin on.
func (g *generator) loadWords(m mem, t *tail, begin int) vec {
	if t == nil {
		return g.load(m)
	}
	r := g.vec()
	if g.wide() {
		g.VMOVDQU64_Z(m, g.opmask(t, begin, 1), r)
	} else {
		g.VPMASKMOVQ(m, g.signs(t, uint64(begin), 1), r)
	}
	return r
}

// storeWords writes a word for each lane from lane begin on.
func (g *generator) storeWords(r vec, m mem, t *tail, begin int) {
	switch {
	case t == nil:
		g.store(r, m)
	case g.wide():
		g.VMOVDQU64(r, g.opmask(t, begin, 1), m)
	default:
		g.VPMASKMOVQ(r, g.signs(t, uint64(begin), 1), m)
	}
}

// loadRows reads identifiers, one for each lane from lane begin on, into four registers.
func (g *generator) loadRows(ids mem, t *tail, begin int) (rows [4]vec) {
	perRow := g.lanes / 4
	for i := range rows {
		rows[i] = g.loadRow(ids.Offset(idBytes*i*perRow), t, begin+i*perRow)
	}
	return rows
}

// loadRow reads the identifiers from lane begin on that fit in a register.
func (g *generator) loadRow(ids mem, t *tail, begin int) vec {
	if t == nil {
		return g.load(ids)
	}
	r := g.vec()
	if g.wide() {
		g.VMOVDQU64_Z(ids, g.opmask(t, begin, 4), r)
	} else {
		g.VPMASKMOVQ(ids, g.signs(t, uint64(begin), 0), r)
	}
	return r
}
