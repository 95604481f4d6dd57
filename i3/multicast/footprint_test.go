package multicast_test

import (
	"testing"
	"unsafe"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// The allocator adds a header of 8 bytes to an object of more than 512 bytes that has pointers, and rounds up to 1,024:
// a field more costs every receiver 128 bytes.
func TestReceiverFitsItsSizeClass(t *testing.T) {
	if size := unsafe.Sizeof(multicast.Receiver{}); size > 1024-8 {
		t.Errorf("a Receiver has %d bytes, want at most %d", size, 1024-8)
	}
}

// A receiver with a cache of 16 packets of 16 bytes takes at most 2,750 bytes and 48 for every level, and a trigger
// at its node 320 bytes, all told: the state of 64 nodes themselves is an eighth of that.
func TestFootprint(t *testing.T) {
	if testing.Short() {
		t.Skip("multicast: a tree of a thousand receivers takes seconds; not in a short run")
	}
	r := newRig(t, 64, 4)
	r.join(t, 1000, 10*millisecond)
	r.settle()
	receiver, trigger, level := r.footprint()
	t.Logf("%.0f B/receiver at level %.1f, %.0f B/trigger", receiver, level, trigger)
	if bound := 2750 + 48*level; receiver > bound {
		t.Errorf("a receiver takes %.0f bytes, want at most %.0f", receiver, bound)
	}
	if trigger > 320 {
		t.Errorf("a trigger takes %.0f bytes at its node, want at most 320", trigger)
	}
}

// In steady state nothing allocates: neither nodes nor receivers, whatever comes to them.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	if testing.Short() {
		t.Skip("multicast: two trees of two hundred receivers take seconds; not in a short run")
	}
	var rigs [2]*rig
	for i := range rigs {
		rigs[i] = newRig(t, 8, 4)
		rigs[i].join(t, 200, 10*millisecond)
		rigs[i].settle()
		rigs[i].steady()
	}
	calls := rigs[0].record(rigs[0].steady)
	out := machine.NewOutbox(0, 0, 0)
	out.Keep(make([]byte, 0, 2048))
	// The run that is not measured gives the scratch space in the outbox its size.
	part := calls[:len(calls)/4]
	calls = calls[len(calls)/4:]
	allocs := testing.AllocsPerRun(1, func() {
		rigs[1].replay(part, out)
		part = calls
	})
	t.Logf("%.0f allocations in %d events", allocs, len(calls))
	if allocs > float64(len(calls))/1000 {
		t.Errorf("%.0f allocations in %d events, want next to none", allocs, len(calls))
	}
}
