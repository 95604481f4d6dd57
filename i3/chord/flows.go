package chord

import (
	"encoding/binary"

	"i3bench/asm"
	"i3bench/i3"
)

// Flows are the numbers of the questions that a node asks. Only who is asked can know one: they are SipHash of how many
// there were, under a secret.
type Flows struct {
	key  asm.Key
	many uint64
}

// NewFlows returns the numbers under a secret. Who knows it can answer in the place of others.
func NewFlows(secret [16]byte) Flows {
	return Flows{key: asm.NewKey(binary.LittleEndian.Uint64(secret[:8]), binary.LittleEndian.Uint64(secret[8:]))}
}

// Next returns the number of the next question.
func (f *Flows) Next() uint32 {
	f.many++
	id := i3.NewID(f.many, i3.Key{}, 0)
	return uint32(asm.HashOne(&id, &f.key))
}
