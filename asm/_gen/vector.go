package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A generator writes kernels for vectors of 8 lanes (AVX-512) or 4 (AVX2).
type generator struct {
	*build.Context
	lanes int
	data  map[string]operand.Mem // constants that this variant has in memory
}

type (
	op    = operand.Op
	mem   = operand.Mem
	vec   = reg.VecVirtual
	reg64 = reg.GPVirtual
)

// imm is a constant of a byte, number one of four.
func imm(v uint64) op    { return operand.Imm(v) }
func number(v uint64) op { return operand.U32(v) }

// wide reports whether the instructions are AVX-512.
func (g *generator) wide() bool { return g.lanes == 8 }

// text begins the function of that name of this variant.
func (g *generator) text(name, signature string, doc ...string) {
	if g.wide() {
		name += "AVX512"
	} else {
		name += "AVX2"
	}
	g.Function(name)
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr(signature)
	g.Doc(doc...)
}

func (g *generator) end() {
	g.VZEROUPPER()
	g.RET()
}

// argument loads an argument of 64 bits, or a shorter one extended with zeros.
func (g *generator) argument(name string) reg.GPVirtual {
	r := g.GP64()
	g.Load(g.Param(name), r)
	return r
}

func (g *generator) vec() vec {
	if g.wide() {
		return g.ZMM()
	}
	return g.YMM()
}

// table returns a constant in memory, of 8 words for either width. The linker aligns it to 32 bytes.
func (g *generator) table(name string, words ...uint64) mem {
	name = fmt.Sprintf("%s%d", name, g.lanes)
	if m, ok := g.data[name]; ok {
		return m
	}
	m := g.global(name)
	for i, w := range words {
		g.AddDatum(8*i, operand.U64(w))
	}
	if g.data == nil {
		g.data = make(map[string]mem)
	}
	g.data[name] = m
	return m
}

// global begins a constant in memory.
func (g *generator) global(name string) mem {
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	return m
}

// same returns a constant of 8 words v in memory.
func (g *generator) same(name string, v uint64) mem { return g.table(name, v, v, v, v, v, v, v, v) }

// every returns a constant with v in every lane: in a register for AVX-512, which has twice as many of them, and in
// memory for AVX2.
func (g *generator) every(name string, v uint64) op {
	m := g.same(name, v)
	if !g.wide() {
		return m
	}
	r := g.vec()
	g.VPBROADCASTQ(m, r)
	return r
}

// load reads a vector.
func (g *generator) load(m mem) vec {
	r := g.vec()
	if g.wide() {
		g.VMOVDQU64(m, r)
	} else {
		g.VMOVDQU(m, r)
	}
	return r
}

func (g *generator) store(r vec, m mem) {
	if g.wide() {
		g.VMOVDQU64(r, m)
	} else {
		g.VMOVDQU(r, m)
	}
}

// broadcast puts r in every lane.
func (g *generator) broadcast(r reg.GPVirtual) vec {
	v := g.vec()
	if g.wide() {
		g.VPBROADCASTQ(r, v)
		return v
	}
	x := g.XMM()
	g.VMOVQ(r, x)
	g.VPBROADCASTQ(x, v)
	return v
}

func (g *generator) xor(a, b op, dst vec) {
	if g.wide() {
		g.VPXORQ(a, b, dst)
	} else {
		g.VPXOR(a, b, dst)
	}
}

func (g *generator) and(a, b op, dst vec) {
	if g.wide() {
		g.VPANDQ(a, b, dst)
	} else {
		g.VPAND(a, b, dst)
	}
}

func (g *generator) or(a, b op, dst vec) {
	if g.wide() {
		g.VPORQ(a, b, dst)
	} else {
		g.VPOR(a, b, dst)
	}
}

// below sets the lanes of dst to 1 where a < b and to 0 elsewhere, for numbers whose difference fits in 63 bits.
func (g *generator) below(a vec, b op, dst vec) {
	g.VPSUBQ(b, a, dst)
	g.VPSRLQ(imm(63), dst, dst)
}

// columns turns rows into columns. The registers hold the four-word rows of as many identifiers or cells as there are
// lanes, one after the other; the columns asked for are returned, a lane for a row.
//
// Interleaving the even or odd words of two registers brings, in each 128 bits, one word of two rows together; join
// then puts the pairs in the order of the rows.
func (g *generator) columns(rows [4]vec, j *joins, want ...int) []vec {
	var pairs [2][2]vec // by parity of the column, then of the first and last two registers
	uses := [2]int{}
	for _, c := range want {
		uses[c%2]++
	}
	for k := range 2 {
		for parity, n := range uses {
			if n == 0 {
				continue
			}
			pairs[parity][k] = g.vec()
			if parity == 0 {
				g.VPUNPCKLQDQ(rows[2*k+1], rows[2*k], pairs[parity][k])
			} else {
				g.VPUNPCKHQDQ(rows[2*k+1], rows[2*k], pairs[parity][k])
			}
		}
	}
	var found []vec
	for _, c := range want {
		uses[c%2]--
		found = append(found, g.join(pairs[c%2], j, c/2, uses[c%2] == 0))
	}
	return found
}

// joins are the orders of join for the lower and upper pairs of a row, which AVX2 has as immediates.
type joins [2]vec

func (g *generator) joins() *joins {
	if !g.wide() {
		return nil
	}
	return &joins{
		g.load(g.table("joinLower", 0, 4, 1, 5, 8, 12, 9, 13)),
		g.load(g.table("joinUpper", 2, 6, 3, 7, 10, 14, 11, 15)),
	}
}

// join puts the lower or upper halves of the pairs together; it may spoil them when nobody uses them after it.
func (g *generator) join(pairs [2]vec, j *joins, half int, spoil bool) vec {
	r := g.vec()
	switch {
	case !g.wide():
		g.VPERM2I128(imm(0x20+0x11*uint64(half)), pairs[1], pairs[0], r)
		return r
	case spoil:
		r = pairs[0]
	default:
		g.VMOVDQA64(pairs[0], r)
	}
	g.VPERMT2Q(pairs[1], j[half], r)
	return r
}

// differences returns for each lane what is different in the first three words of two rows. It spoils the second.
func (g *generator) differences(a, b [4]vec, j *joins) vec {
	for k, row := range a {
		g.xor(row, b[k], b[k])
	}
	x := g.columns(b, j, 0, 1, 2)
	g.or(x[1], x[0], x[0])
	g.or(x[2], x[0], x[0])
	return x[0]
}

// aligned reserves n blocks of 64 bytes on the stack and returns a pointer to them that is a multiple of 64, so that
// no access to a block touches two cache lines.
func (g *generator) aligned(n int) reg.GPVirtual {
	local := g.AllocLocal(64 * (n + 1))
	p := g.GP64()
	g.LEAQ(local.Offset(63), p)
	g.ANDQ(operand.I8(-64), p)
	return p
}

// address turns the numbers of homes or cells into their addresses.
func (g *generator) address(numbers vec, base op, dst vec) {
	g.VPSLLQ(imm(cellShift), numbers, dst)
	g.VPADDQ(base, dst, dst)
}

// askFor asks for the lines at a vector of addresses. The way from vectors to addresses leads through memory, and fast
// only within a line: at is an aligned block.
func (g *generator) askFor(addresses vec, at mem) {
	g.store(addresses, at)
	for lane := range g.lanes {
		r := g.GP64()
		g.MOVQ(at.Offset(8*lane), r)
		g.PREFETCHT0(mem{Base: r})
	}
}

// clears adds an instruction that writes a part of r and clears the rest, which avo does not know: it would take the
// rest for a value from before, and keep the register for it.
func (g *generator) clears(r vec, i *ir.Instruction, err error) {
	if err != nil {
		panic(err)
	}
	i.Outputs = []op{r}
	g.Instruction(i)
}
