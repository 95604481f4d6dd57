package i3_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// What the properties of this package draw from. Every value a generator makes is one that a decoder accepts.

var anyKey = rapid.Custom(func(t *rapid.T) i3.Key {
	return i3.Key(rapid.SliceOfN(rapid.Byte(), i3.KeySize, i3.KeySize).Draw(t, "key"))
})

var anyNonce = rapid.Custom(func(t *rapid.T) i3.Nonce { return i3.Nonce(anyKey.Draw(t, "nonce")) })

var anyID = rapid.Custom(func(t *rapid.T) i3.ID {
	return i3.NewID(rapid.Uint64().Draw(t, "prefix"), anyKey.Draw(t, "key"), rapid.Uint64().Draw(t, "suffix"))
})

// anyAddr draws a unicast address of either family and a port.
var anyAddr = rapid.Custom(func(t *rapid.T) netip.AddrPort {
	n := rapid.SampledFrom([]int{4, 16}).Draw(t, "family")
	b := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "address")
	a, _ := netip.AddrFromSlice(b)
	if a = a.Unmap(); a.IsUnspecified() || a.IsMulticast() || a == broadcast {
		a = netip.AddrFrom4([4]byte{10, 0, 0, 1})
	}
	return netip.AddrPortFrom(a, rapid.Uint16Min(1).Draw(t, "port"))
})

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

var anyTarget = rapid.Custom(func(t *rapid.T) i3.Target {
	if rapid.Bool().Draw(t, "chain") {
		return i3.ToID(anyID.Draw(t, "target"))
	}
	return i3.ToHost(anyAddr.Draw(t, "host"), anyKey.Draw(t, "key"))
})

var anyTrigger = rapid.Custom(func(t *rapid.T) i3.Trigger {
	return i3.Trigger{ID: anyID.Draw(t, "id"), Target: anyTarget.Draw(t, "target")}
})

var anyInsert = rapid.Custom(func(t *rapid.T) i3.Insert {
	return i3.Insert{
		Trigger: anyTrigger.Draw(t, "trigger"),
		Nonce:   anyNonce.Draw(t, "nonce"),
		Owner:   anyKey.Draw(t, "owner"),
		Probe:   rapid.Bool().Draw(t, "probe"),
	}
})

var anyAck = rapid.Custom(func(t *rapid.T) i3.Ack {
	return i3.Ack{
		Trigger:    anyTrigger.Draw(t, "trigger"),
		Status:     rapid.SampledFrom(statuses).Draw(t, "status"),
		Count:      rapid.Uint16().Draw(t, "count"),
		Limit:      rapid.Uint16().Draw(t, "limit"),
		LifetimeMS: rapid.Uint32().Draw(t, "lifetime"),
		Epoch:      rapid.Uint32().Draw(t, "epoch"),
		Lo:         rapid.Uint64().Draw(t, "lo"),
		Hi:         rapid.Uint64().Draw(t, "hi"),
	}
})

var statuses = []i3.Status{
	i3.StatusInserted, i3.StatusRefreshed, i3.StatusProbed, i3.StatusRemoved, i3.StatusMissing,
	i3.StatusFull, i3.StatusRefused, i3.StatusNotOwner, i3.StatusNoRoom,
}

var kinds = []i3.Kind{
	i3.KindData, i3.KindDirect, i3.KindInsert, i3.KindRemove, i3.KindChallenge, i3.KindAck, i3.KindRing,
	i3.KindHandover, i3.KindPushback,
}

// anyHeader draws a header for a payload of so many bytes.
func anyHeader(t *rapid.T, length int) i3.Packet {
	p := i3.Packet{
		Kind:     rapid.SampledFrom(kinds).Draw(t, "kind"),
		HopLimit: rapid.Byte().Draw(t, "hops"),
		Length:   uint16(length),
		Flow:     rapid.Uint32().Draw(t, "flow"),
		ID:       anyID.Draw(t, "id"),
	}
	if p.Kind == i3.KindData {
		p.Cookie = rapid.Uint32().Draw(t, "cookie")
	}
	return p
}

// Fixed values for tables.
var (
	idA   = i3.NewID(0x0123456789abcdee, i3.Key{0: 0xa1, 15: 0xaf}, 0x1000)
	idB   = i3.NewID(0xfedcba9876543210, i3.Key{0: 0xb1, 15: 0xbf}, 0x2000)
	host4 = netip.MustParseAddrPort("10.0.0.7:3001")
	host6 = netip.MustParseAddrPort("[2001:db8::7]:3001")
)

// noAllocs fails when f allocates.
func noAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s allocates %v times a call, want 0", what, n)
	}
}
