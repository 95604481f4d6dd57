// Package asm holds the kernels of the data plane: loops over whole batches, in
// assembly where a processor has the instructions, each with a portable twin in Go
// that says what is right.
//
// # Kernels
//
//	kernel     what it does, for a batch
//	Hash       keyed hash of the first 192 bits of identifiers: SipHash-1-3
//	Locate     home of each hash in a table that grows a home at a time, and a prefetch of it
//	Match      compares identifiers with their homes, and gives the targets that need no more
//	Follow     the same for a cell behind a home: a step along the chain
//	Nearest    the nearest live member in each of several groups of at most eight
//	Take       collects the targets, up to the next identifier that the kernels cannot answer for
//	Prefetch   asks for memory that will be needed
//
// # Variants
//
// The variants are "portable", "avx2" and "avx512" on amd64, "portable" and "neon" on arm64.
// The best that the processor has is chosen once, when the program starts; [Use] chooses
// another. [Variants] lists what this machine can run, and tests run once for
// each. The build tags purego and race leave only "portable": the race detector
// does not see what assembly reads. The assembly of amd64 is written by the
// generator in _gen, whose comments give the algorithms: make generate.
//
// # Rules
//
// Whoever calls a kernel calls it with a whole batch, for a call costs as much as a
// comparison. Lengths are checked here, in Go; the kernels trust them. Kernels read
// memory that others write: what they need to notice that is part of the [Cell].
package asm
