// The generator of the assembly in the folder above: a module of its own, so that what it needs is no dependency of
// i3bench. Run it with: make generate
module i3bench/asm/gen

go 1.26.0

require github.com/mmcloughlin/avo v0.6.0

require (
	golang.org/x/mod v0.30.0 // indirect
	golang.org/x/sync v0.18.0 // indirect
	golang.org/x/tools v0.39.0 // indirect
)
