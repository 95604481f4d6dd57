package peer

import (
	"net/netip"
	"testing"
	"unsafe"

	"github.com/cockroachdb/swiss"
	"github.com/gaissmai/bart"
	"github.com/puzpuzpuz/xsync/v4"

	"i3bench/internal/tablebench"
)

// exact is the part of an identifier that tables must find.
type exact [24]byte

// exactOf returns the key of an identifier, wherever that is.
func exactOf(id *tablebench.ID) *exact { return (*exact)(unsafe.Pointer(id)) }

// A builder fills a table with n identifiers.
type builder func(b *testing.B, n int) tablebench.Lookup[tablebench.ID]

// BenchmarkPeer measures each peer in the way of matcher's benchmark of the same name.
func BenchmarkPeer(b *testing.B) {
	for _, peer := range []struct {
		name  string
		build builder
	}{{"xsync", xsyncMap}, {"swiss", swissMap}, {"bart", bartTable}} {
		b.Run("table="+peer.name, func(b *testing.B) { tablebench.Run(b, tablebench.Same, peer.build) })
	}
}

func xsyncMap(_ *testing.B, n int) tablebench.Lookup[tablebench.ID] {
	m := xsync.NewMap[exact, uint32](xsync.WithPresize(n))
	for i := range n {
		id := tablebench.Present(i)
		m.Store(*exactOf(&id), uint32(i))
	}
	return func(ids []tablebench.ID) (sum uint64) {
		for i := range ids {
			v, _ := m.Load(*exactOf(&ids[i])) // zero if it is not there
			sum += uint64(v)
		}
		return sum
	}
}

func swissMap(_ *testing.B, n int) tablebench.Lookup[tablebench.ID] {
	m := swiss.New[exact, uint32](n)
	for i := range n {
		id := tablebench.Present(i)
		m.Put(*exactOf(&id), uint32(i))
	}
	return func(ids []tablebench.ID) (sum uint64) {
		for i := range ids {
			v, _ := m.Get(*exactOf(&ids[i]))
			sum += uint64(v)
		}
		return sum
	}
}

// address is the first half of an identifier as an address of IPv6.
func address(id *tablebench.ID) netip.Addr {
	return netip.AddrFrom16(*(*[16]byte)(unsafe.Pointer(id)))
}

func bartTable(_ *testing.B, n int) tablebench.Lookup[tablebench.ID] {
	var t bart.Table[uint32]
	for i := range n {
		id := tablebench.Present(i)
		t.Insert(netip.PrefixFrom(address(&id), 128), uint32(i))
	}
	return func(ids []tablebench.ID) (sum uint64) {
		for i := range ids {
			v, _ := t.Lookup(address(&ids[i]))
			sum += uint64(v)
		}
		return sum
	}
}
