package asm

import (
	"slices"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

// eachVariant runs a test once for each variant that this machine can run, and says which.
func eachVariant(tb testing.TB, test func(tb testing.TB)) {
	tb.Helper()
	before := Kernel()
	defer func() {
		if err := Use(before); err != nil {
			tb.Error(err)
		}
	}()
	for _, name := range Variants() {
		if err := Use(name); err != nil {
			tb.Fatal(err)
		}
		if t, ok := tb.(*testing.T); ok {
			t.Run(name, func(t *testing.T) { test(t) })
		} else {
			test(tb)
		}
	}
}

func TestVariants(t *testing.T) {
	ran := []string{}
	eachVariant(t, func(tb testing.TB) { ran = append(ran, Kernel()) })
	t.Logf("asm: variants that run here: %q", ran)
	if !slices.Equal(ran, Variants()) || ran[len(ran)-1] != "portable" {
		t.Errorf("asm: variants that run are %q, those listed %q; want the same, and portable last", ran, Variants())
	}
	if assembly && cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL, cpuid.BMI2) &&
		!slices.Contains(ran, "avx512") {
		t.Errorf("asm: this processor has AVX-512, but only %q ran", ran)
	}
	if assembly && cpuid.CPU.Supports(cpuid.AVX2, cpuid.BMI2) && !slices.Contains(ran, "avx2") {
		t.Errorf("asm: this processor has AVX2, but only %q ran", ran)
	}
}

func TestUse(t *testing.T) {
	before := Kernel()
	if before != Variants()[0] {
		t.Errorf("asm: %q runs from the start, want %q, the best", before, Variants()[0])
	}
	if err := Use("mmx"); err == nil || Kernel() != before {
		t.Errorf(`asm: Use("mmx") gave %v and left %q running, want an error and %q`, err, Kernel(), before)
	}
}
