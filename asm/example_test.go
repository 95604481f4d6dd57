package asm_test

import (
	"fmt"

	"i3bench/asm"
	"i3bench/i3"
)

// A table of four homes, with one trigger, is asked for two identifiers.
func Example() {
	key := asm.NewKey(1, 2)
	shape := asm.Shape{Level: 2}
	homes := make([]asm.Cell, shape.Homes())

	// Store a trigger that sends to target 42 until second 1000.
	id := i3.NewID(1, i3.Key{2}, 3)
	place := shape.Place(asm.HashOne(&id, &key))
	exact := id.Exact()
	for i := range homes { // homes that hold nothing have a depth, too
		homes[i][asm.Meta] = uint64(shape.Level) << asm.DepthShift
	}
	home := &homes[place.Home()]
	copy(home[:], exact[:])
	home[3] = id.Suffix()
	home[asm.Meta] |= asm.Single<<asm.StateShift | 1<<asm.CountShift
	home[asm.First] = 1000<<32 | 42

	batch := asm.Batch{IDs: []i3.ID{id.WithSuffix(9), i3.NewID(5, i3.Key{6}, 7)}, Winners: make([]i3.ID, asm.Room(2))}
	n := len(batch.IDs)
	hashes := make([]uint64, n)
	asm.Hash(hashes, batch.IDs, &key)
	asm.Locate(batch.Places[:n], hashes, homes, shape)
	asm.Match(&batch, homes, nil, 999)
	asm.Follow(&batch, homes, nil, 999)
	for i := range n {
		switch batch.Answers[i] {
		case asm.One:
			fmt.Println("send to", batch.Targets[i], "which has suffix", batch.Winners[i].Suffix())
		case asm.Miss:
			fmt.Println("nobody wants it")
		}
	}
	// Output:
	// send to 42 which has suffix 3
	// nobody wants it
}
