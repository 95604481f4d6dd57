package main

// Offsets in a Batch.
const (
	idsPointer = 0
	idsLen     = 8
	winners    = 24 // the pointer
	places     = 48
	answers    = places + 8*maxBatch
	targets    = answers + maxBatch
	behind     = targets + 4*maxBatch
	who        = behind + 8
	next       = who + maxBatch
	seen       = next + 4*maxBatch
	batchBytes = seen + 8*maxBatch
)

// Offsets in a Cell, and what else the kernels know about it.
const (
	meta   = 32
	first  = 40
	upper  = 32 // the second half
	links  = 56
	odd    = 1
	single = 5 << 32 // state Single and count 1
	four   = 15 << 32
	state  = 3 << 32
	direct = 1 << 38
	follow = 1 << 39
	depth  = 0xff << 40
	tagA   = 0xff << 48
	tagB   = 0xff << 56
)

const (
	maxBatch  = 256
	idBytes   = 32
	cellShift = 6
	answerOne = 1
	answerAsk = 2
)

// A field is a number that the generator has in common with package asm.
type field struct {
	expr  string
	value uint64
}

func layout() []field {
	return []field{
		{"unsafe.Sizeof(i3.ID{})", idBytes},
		{"unsafe.Sizeof(Cell{})", 1 << cellShift},
		{"unsafe.Sizeof(Batch{})", batchBytes},
		{"unsafe.Offsetof(Batch{}.IDs)", idsPointer},
		{"unsafe.Offsetof(Batch{}.Places)", places},
		{"unsafe.Offsetof(Batch{}.Answers)", answers},
		{"unsafe.Offsetof(Batch{}.Targets)", targets},
		{"unsafe.Offsetof(Batch{}.Winners)", winners},
		{"unsafe.Offsetof(Batch{}.Behind)", behind},
		{"unsafe.Offsetof(Batch{}.Who)", who},
		{"unsafe.Offsetof(Batch{}.Next)", next},
		{"unsafe.Offsetof(Batch{}.Seen)", seen},
		{"uintptr(MaxBatch)", maxBatch},
		{"uintptr(8*Meta)", meta},
		{"uintptr(8*First)", first},
		{"uintptr(8*Links)", links},
		{"uintptr(Odd)", odd},
		{"uintptr(Single<<StateShift|1<<CountShift)", single},
		{"uintptr(3<<StateShift|3<<CountShift)", four},
		{"uintptr(3<<StateShift)", state},
		{"uintptr(DirectBit)", direct},
		{"uintptr(FollowBit)", follow},
		{"uintptr(0xff<<DepthShift)", depth},
		{"uintptr(0xff<<TagAShift)", tagA},
		{"uintptr(0xff<<TagBShift)", tagB},
		{"uintptr(Empty)", 0},
		{"unsafe.Sizeof(Members{})", 128},
		{"uintptr(Miss)", 0},
		{"uintptr(One)", answerOne},
		{"uintptr(Ask)", answerAsk},
	}
}
