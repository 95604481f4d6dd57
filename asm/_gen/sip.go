package main

import (
	"github.com/mmcloughlin/avo/reg"
)

// A chain is a hash, or a vector of hashes: its four words, in general registers or in vectors, and the words of what
// is hashed.
type chain struct {
	single bool // in general registers
	v      [4]reg.Register
	words  [3]op
}

// A program is SipHash of several chains, a step of each in turn. Its steps are written when they are woven, so that
// others can stand between them.
type program struct {
	*sip
	chains []*chain
	steps  []func()
}

// weave writes steps, and others evenly between them.
func weave(steps, others []func()) {
	written := 0
	for i, step := range steps {
		step()
		for ; written*len(steps) < (i+1)*len(others); written++ {
			others[written]()
		}
	}
}

func (p *program) do(step func()) { p.steps = append(p.steps, step) }

// each adds a step for each of the chains.
func (p *program) each(step func(c *chain)) {
	for _, c := range p.chains {
		p.do(func() { step(c) })
	}
}

// A source says what a step takes: a word of the state, a word of what is hashed, or the same for all.
type source func(c *chain) op

func own(k int) source  { return func(c *chain) op { return c.v[k] } }
func word(k int) source { return func(c *chain) op { return c.words[k] } }
func all(v op) source   { return func(*chain) op { return v } }

// begin mixes the words in. Of the first round it leaves out what is the same for all.
func (p *program) begin() {
	p.set(3, word(0))
	p.xor(all(p.k3), 3)
	p.set(2, all(p.k2))
	p.add(own(3), 2)
	p.mix(2, 3, 16)
	p.add(all(p.v1), 2)
	p.set(0, all(p.v0))
	p.add(own(3), 0)
	p.set(1, all(p.turned))
	p.xor(own(2), 1)
	p.mix(0, 3, 21)
	p.rotate(2, 32)
	p.xor(word(0), 0)
	for _, w := range []source{word(1), word(2), all(p.last)} {
		p.xor(w, 3)
		p.round()
		p.xor(w, 0)
	}
}

// finish does the rounds at the end, and leaves the hash in word 1. The last leaves out what the sum of its words does
// not need: v0 is in it twice.
func (p *program) finish() {
	p.xor(all(p.over), 2)
	p.round()
	p.round()
	p.half()
	p.add(own(1), 2)
	p.rotate(3, 21)
	p.mix(2, 1, 17)
	p.rotate(2, 32)
	p.xor(own(3), 1)
	p.xor(own(2), 1)
}

func (p *program) round() {
	p.half()
	p.rotate(0, 32)
	p.add(own(1), 2)
	p.add(own(3), 0)
	p.mix(2, 1, 17)
	p.mix(0, 3, 21)
	p.rotate(2, 32)
}

// half is the first half of a round.
func (p *program) half() {
	p.add(own(1), 0)
	p.add(own(3), 2)
	p.mix(0, 1, 13)
	p.mix(2, 3, 16)
}

// mix rotates a word, and mixes it with another.
func (p *program) mix(from, to, by int) {
	p.rotate(to, by)
	p.xor(own(from), to)
}

func (p *program) set(to int, from source) {
	p.each(func(c *chain) {
		switch {
		case c.single:
			c.v[to] = p.GP64()
			p.MOVQ(from(c), c.v[to])
		case p.wide():
			c.v[to] = p.vec()
			p.VMOVDQU64(from(c), c.v[to])
		default:
			c.v[to] = p.vec()
			p.VMOVDQU(from(c), c.v[to])
		}
	})
}

func (p *program) add(from source, to int) {
	p.each(func(c *chain) {
		if c.single {
			p.ADDQ(from(c), c.v[to])
		} else {
			p.VPADDQ(from(c), c.v[to], c.v[to])
		}
	})
}

func (p *program) xor(from source, to int) {
	p.each(func(c *chain) {
		switch {
		case c.single:
			p.XORQ(from(c), c.v[to])
		case p.wide():
			p.VPXORQ(from(c), c.v[to], c.v[to])
		default:
			p.VPXOR(from(c), c.v[to], c.v[to])
		}
	})
}

// rotate rotates to the left. AVX2 has no such instruction: it moves halves or bytes where that does, and otherwise
// shifts both ways.
func (p *program) rotate(which, by int) {
	p.each(func(c *chain) {
		r := c.v[which]
		switch {
		case c.single:
			p.ROLQ(imm(uint64(by)), r)
		case p.wide():
			p.VPROLQ(imm(uint64(by)), r, r)
		case by == 32:
			p.VPSHUFD(imm(0xb1), r, r)
		case by == 16:
			p.VPSHUFB(p.by16, r, r)
		default:
			left := p.vec()
			p.VPSLLQ(imm(uint64(by)), r, left)
			p.VPSRLQ(imm(uint64(64-by)), r, r)
			p.VPOR(left, r, r)
		}
	})
}
