package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// needs lists what best in kernel_amd64.go asks a processor for, in avo's names.
var needs = map[string][]string{
	"AVX2":   {"SSE", "SSE2", "AVX", "AVX2", "BMI2", "POPCNT", "CMOV", "MMX+"},
	"AVX512": {"AVX512F", "AVX512BW", "AVX512DQ", "AVX512VL"},
}

// check finds instructions that a processor may not have. Registers above 15 turn an AVX2 instruction into one of
// AVX-512, and nothing else would say so on a machine that has both.
func check(file *ir.File) error {
	for _, f := range file.Functions() {
		has, registers := needs["AVX2"], 16
		if strings.HasSuffix(f.Name, "AVX512") {
			has, registers = append(slices.Clone(has), needs["AVX512"]...), 32
		}
		for _, isa := range f.ISA {
			if !slices.Contains(has, isa) {
				return fmt.Errorf("%s: uses %s, which is not asked for", f.Name, isa)
			}
		}
		for _, i := range f.Instructions() {
			for _, o := range i.Operands {
				if highest(o) >= registers {
					return fmt.Errorf("%s: %s uses register %s", f.Name, i.Opcode, o.Asm())
				}
			}
		}
	}
	return nil
}

// highest returns the highest number of the registers of an operand.
func highest(o operand.Op) int {
	n := 0
	for _, r := range operand.Registers(o) {
		if p, ok := r.(reg.Physical); ok && p.Kind() == reg.KindVector {
			n = max(n, int(p.PhysicalIndex()))
		}
	}
	return n
}
