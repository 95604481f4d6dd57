//go:build arm64 && !purego && !race

#include "textflag.h"

// Register names of hashNEON: the states of two pairs of identifiers, and their words as VLD4 takes them apart, a lane
// for each identifier of a pair.
//
//	V0..V3     v0..v3 of the first pair      V16..V19  its words
//	V4..V7     v0..v3 of the second pair     V20..V23  its words
//	V24..V27   the key in both lanes         V28, V29  constants of the end
//	V30        order of bytes that rotates by 16

// ADD2 adds a register of each pair to another.
#define ADD2(a, to, b, too) \
	VADD a.D2, to.D2, to.D2 \
	VADD b.D2, too.D2, too.D2

// XOR2 mixes a register into another, for each pair.
#define XOR2(a, to, b, too) \
	VEOR a.B16, to.B16, to.B16 \
	VEOR b.B16, too.B16, too.B16

// MIX2 rotates a register of each pair to the left by shifting both ways, and mixes it with another.
#define MIX2(by, a, to, b, too) \
	VSHL $by, to.D2, V8.D2         \
	VSHL $by, too.D2, V9.D2        \
	VSRI $(64-by), to.D2, V8.D2    \
	VSRI $(64-by), too.D2, V9.D2   \
	VEOR a.B16, V8.B16, to.B16     \
	VEOR b.B16, V9.B16, too.B16

// MIX16 is the same for a rotation by 16, which is a new order of bytes.
#define MIX16(a, to, b, too) \
	VTBL V30.B16, [to.B16], to.B16   \
	VTBL V30.B16, [too.B16], too.B16 \
	XOR2(a, to, b, too)

// HALF2 rotates by 32: it swaps halves.
#define HALF2(a, b) \
	VREV64 a.S4, a.S4 \
	VREV64 b.S4, b.S4

// ROUND is the round of SipHash, for both pairs.
#define ROUND \
	ADD2(V1, V0, V5, V4)      \
	ADD2(V3, V2, V7, V6)      \
	MIX2(13, V0, V1, V4, V5)  \
	MIX16(V2, V3, V6, V7)     \
	HALF2(V0, V4)             \
	ADD2(V1, V2, V5, V6)      \
	ADD2(V3, V0, V7, V4)      \
	MIX2(17, V2, V1, V6, V5)  \
	MIX2(21, V0, V3, V4, V7)  \
	HALF2(V2, V6)

// WORD takes a word of the message in.
#define WORD(m, n) \
	XOR2(m, V3, n, V7) \
	ROUND              \
	XOR2(m, V0, n, V4)

// func hashNEON(dst *uint64, ids *i3.ID, fours int, key *Key)
//
// SipHash-1-3 across four identifiers at a time, two to a register: the steps of one pair wait for each other, those
// of two do not. Counted in instructions it needs less than the portable twin on processors with four vector pipes;
// nobody has measured it on one.
TEXT ·hashNEON(SB), NOSPLIT, $0-32
	MOVD  dst+0(FP), R0
	MOVD  ids+8(FP), R1
	MOVD  fours+16(FP), R2
	MOVD  key+24(FP), R3
	VLD4R (R3), [V24.D2, V25.D2, V26.D2, V27.D2]
	MOVD  $(24<<56), R4
	VDUP  R4, V28.D2
	MOVD  $0xff, R4
	VDUP  R4, V29.D2
	MOVD  $0x0504030201000706, R4
	MOVD  $0x0d0c0b0a09080f0e, R5
	VMOV  R4, V30.D[0]
	VMOV  R5, V30.D[1]

loop:
	VLD4.P 64(R1), [V16.D2, V17.D2, V18.D2, V19.D2]
	VLD4.P 64(R1), [V20.D2, V21.D2, V22.D2, V23.D2]
	VMOV   V24.B16, V0.B16
	VMOV   V25.B16, V1.B16
	VMOV   V26.B16, V2.B16
	VMOV   V27.B16, V3.B16
	VMOV   V24.B16, V4.B16
	VMOV   V25.B16, V5.B16
	VMOV   V26.B16, V6.B16
	VMOV   V27.B16, V7.B16
	WORD(V16, V20)
	WORD(V17, V21)
	WORD(V18, V22)
	WORD(V28, V28)
	XOR2(V29, V2, V29, V6)
	ROUND
	ROUND
	ROUND
	XOR2(V1, V0, V5, V4)
	XOR2(V3, V2, V7, V6)
	XOR2(V2, V0, V6, V4)
	VST1.P [V0.D2], 16(R0)
	VST1.P [V4.D2], 16(R0)
	SUBS   $1, R2, R2
	BNE    loop
	RET

// func prefetchNumbered(base *Cell, numbers *uint32, stride int, n int)
//
// A prefetch of n cells whose numbers are stride bytes apart, n > 0.
TEXT ·prefetchNumbered(SB), NOSPLIT, $0-32
	MOVD base+0(FP), R0
	MOVD numbers+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD n+24(FP), R3

loop:
	MOVWU (R1), R4
	ADD   R2, R1, R1
	ADD   R4<<6, R0, R4
	PRFM  (R4), PLDL1KEEP
	SUBS  $1, R3, R3
	BNE   loop
	RET

// func prefetchLines(p unsafe.Pointer, n int)
//
// A prefetch of each 64 bytes that n bytes touch, n > 0.
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R0, R1, R1
	AND  $~63, R0, R0

loop:
	PRFM (R0), PLDL1KEEP
	ADD  $64, R0, R0
	CMP  R1, R0
	BLO  loop
	RET
