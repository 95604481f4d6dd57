package asm

import "fmt"

// A variant is a set of kernels for some instructions.
type variant uint8

const (
	portable variant = iota
	avx2
	avx512
	neon
)

var variantNames = [...]string{"portable", "avx2", "avx512", "neon"}

func (v variant) String() string { return variantNames[v] }

// runs is the variant that runs. It is set when the program starts, and by tests.
var runs = portable

func init() {
	if vs := variants(); len(vs) > 0 {
		runs = vs[0]
	}
}

// variants returns what this machine can run, the best first.
func variants() []variant { return append(best(), portable) }

// Variants returns the names of the variants that this machine can run, the best first.
func Variants() []string {
	var names []string
	for _, v := range variants() {
		names = append(names, v.String())
	}
	return names
}

// Kernel returns the name of the variant that runs.
func Kernel() string { return runs.String() }

// Use makes the variant of that name run, for tests and measurements: nothing may
// be calling a kernel meanwhile. It fails if this machine cannot run it.
func Use(name string) error {
	for _, v := range variants() {
		if v.String() == name {
			runs = v
			return nil
		}
	}
	return fmt.Errorf("asm: use %q: want one of %q", name, Variants())
}
