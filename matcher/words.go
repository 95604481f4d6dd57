package matcher

import (
	"encoding/binary"

	"i3bench/i3"
)

// words is an identifier as the table keeps it. The compiler holds a small
// struct in registers, but copies an array, which an [i3.ID] is, through memory
// at every step; in look-ups that was most of the time.
type words struct {
	exact0, exact1, exact2 uint64
	suffix                 uint64
}

func wordsOf(id *i3.ID) words {
	e := id.Exact()
	return words{e[0], e[1], e[2], id.Suffix()}
}

// id returns the identifier that w stands for.
func (w words) id() i3.ID {
	var key i3.Key
	binary.BigEndian.PutUint64(key[0:], w.exact1)
	binary.BigEndian.PutUint64(key[8:], w.exact2)
	return i3.NewID(w.exact0, key, w.suffix)
}

// matches reports whether w and v agree in the first 192 bits.
func (w words) matches(v words) bool {
	return w.exact0 == v.exact0 && w.exact1 == v.exact1 && w.exact2 == v.exact2
}
