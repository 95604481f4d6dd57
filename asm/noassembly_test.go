//go:build purego || race || !(amd64 || arm64)

package asm

// assembly says that this build has variants in assembly.
const assembly = false
