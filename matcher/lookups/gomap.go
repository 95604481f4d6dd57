package lookups

import (
	"unsafe"

	"i3bench/internal/tablebench"
)

// Exact is the part of an identifier that tables must find.
type Exact [24]byte

// ExactOf returns the key of an identifier, wherever that is.
func ExactOf(id *tablebench.ID) *Exact { return (*Exact)(unsafe.Pointer(id)) }

// Filled returns a map with n identifiers of the job.
func Filled(n int) map[Exact]uint32 {
	m := make(map[Exact]uint32, n)
	for i := range n {
		id := tablebench.Present(i)
		m[*ExactOf(&id)] = uint32(i)
	}
	return m
}

// Map returns look-ups in a map of Go with n identifiers, which does less than the table: it finds a key's value, and
// knows neither anycast, lists of triggers nor expiry, nor a writer beside its readers.
func Map(n int) tablebench.Lookup[tablebench.ID] {
	m := Filled(n)
	return func(ids []tablebench.ID) (sum uint64) {
		for i := range ids {
			sum += uint64(m[*ExactOf(&ids[i])])
		}
		return sum
	}
}
