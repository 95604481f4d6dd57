package chord

import (
	"cmp"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
)

// A Ring knows which node owns a prefix.
type Ring interface {
	// Owner returns the address of the node that owns prefix, and false when
	// none is known.
	Owner(prefix uint64) (netip.AddrPort, bool)
}

// A Place is a node's position on the ring and its address.
type Place struct {
	Prefix uint64
	Addr   netip.AddrPort
}

// A Range is the prefixes (Lo, Hi] of the circle that a node owns. Lo equal to
// Hi is the whole circle.
type Range struct {
	Lo, Hi uint64
}

// Contains reports whether prefix lies in r.
func (r Range) Contains(prefix uint64) bool {
	return r.Lo == r.Hi || prefix-r.Lo-1 < r.Hi-r.Lo
}

// At returns the prefix that lies at the fraction x / 2^64 of r. For x uniform
// in the 64-bit integers it draws a prefix of a node's own, uniformly.
func (r Range) At(x uint64) uint64 {
	n := r.Hi - r.Lo
	if n == 0 {
		return x
	}
	at, _ := bits.Mul64(x, n)
	return r.Lo + 1 + at
}

// Fixed is a ring whose nodes are all known beforehand. It is immutable and
// safe for concurrent use.
type Fixed struct {
	places []Place
	first  []uint32 // index of the first place at or after the b-th part of the circle
	shift  uint8    // a prefix lies in part prefix >> shift
}

// NewFixed returns the ring of the given nodes, at least one, no two at the
// same position.
func NewFixed(places []Place) (*Fixed, error) {
	if len(places) == 0 {
		return nil, fmt.Errorf("chord: fixed ring of no nodes: want at least one")
	}
	p := slices.Clone(places)
	slices.SortFunc(p, func(a, b Place) int { return cmp.Compare(a.Prefix, b.Prefix) })
	for i := 1; i < len(p); i++ {
		if p[i].Prefix == p[i-1].Prefix {
			return nil, fmt.Errorf("chord: nodes %v and %v share position %016x: want distinct positions",
				p[i-1].Addr, p[i].Addr, p[i].Prefix)
		}
	}
	f := &Fixed{places: p}
	f.makeIndex()
	return f, nil
}

// makeIndex parts the circle into one to two parts for every place. Where places
// are drawn at random a part holds one or two, so that a search reads two cache
// lines; a binary search over thousands of places read a dozen.
func (f *Fixed) makeIndex() {
	n := bits.Len(uint(len(f.places)))
	f.shift = uint8(64 - n)
	f.first = make([]uint32, 1<<n+1)
	i := 0
	for b := range 1 << n {
		for i < len(f.places) && f.places[i].Prefix < uint64(b)<<f.shift {
			i++
		}
		f.first[b] = uint32(i)
	}
	f.first[1<<n] = uint32(len(f.places))
}

// Owner returns the node that owns prefix: its successor on the circle.
func (f *Fixed) Owner(prefix uint64) (netip.AddrPort, bool) {
	return f.places[f.successor(prefix)].Addr, true
}

// RangeOf returns the prefixes that the node at addr owns, and false if there
// is no such node.
func (f *Fixed) RangeOf(addr netip.AddrPort) (Range, bool) {
	for i, p := range f.places {
		if p.Addr == addr {
			return Range{f.places[(i+len(f.places)-1)%len(f.places)].Prefix, p.Prefix}, true
		}
	}
	return Range{}, false
}

// successor returns the index of the first place at or after prefix.
func (f *Fixed) successor(prefix uint64) int {
	part := prefix >> f.shift
	lo, hi := int(f.first[part]), int(f.first[part+1])
	for hi-lo > 4 { // places that crowd
		if mid := (lo + hi) / 2; f.places[mid].Prefix < prefix {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for lo < hi && f.places[lo].Prefix < prefix {
		lo++
	}
	if lo == len(f.places) {
		return 0
	}
	return lo
}
