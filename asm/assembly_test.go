//go:build (amd64 || arm64) && !purego && !race

package asm

// assembly says that this build has variants in assembly.
const assembly = true
