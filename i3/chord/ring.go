package chord

import (
	"cmp"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"sort"
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
	return &Fixed{p}, nil
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
	i := sort.Search(len(f.places), func(i int) bool { return f.places[i].Prefix >= prefix })
	return i % len(f.places)
}
