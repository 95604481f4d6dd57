package cluster

import (
	"net"
	"net/netip"
	"testing"

	"i3bench/i3/machine"
)

// A socket hands the kernel the received buffer, the template and the outbox as they lie: no payload is copied.
func TestSocketCopiesNothing(t *testing.T) {
	w := New(Config{Shards: -1})
	e, err := w.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	template, body := []byte("template"), make([]byte, 1200)
	out := machine.NewOutbox(4, 100, 4)
	out.Send(e.Addr(), []byte("control"))
	out.Forward(e.Addr(), template, body)
	out.Forward(e.Addr(), nil, body)
	if sent, failed := e.carrier.send(e, out); sent != 3 || failed != 0 {
		t.Fatalf("%d sent, %d refused", sent, failed)
	}
	s := e.carrier.(*socket)
	want := [][][]byte{{out.Sends()[0].Bytes}, {template, body}, {body}}
	for i, pieces := range want {
		got := s.msgs[i].Buffers
		if len(got) != len(pieces) {
			t.Fatalf("datagram %d has %d pieces, expected %d", i, len(got), len(pieces))
		}
		for k, piece := range pieces {
			if &got[k][0] != &piece[0] || len(got[k]) != len(piece) {
				t.Errorf("datagram %d, piece %d is a copy", i, k)
			}
		}
	}
}

// What a socket remembers of addresses is bounded, and right before and after it forgets.
func TestSocketAddresses(t *testing.T) {
	s := &socket{addrs: make(map[netip.AddrPort]*net.UDPAddr)}
	for i := range 2*maxAddrs + 10 {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(i>>16+1))
		for range 2 {
			if got := s.addr(a); got.AddrPort() != a {
				t.Fatalf("%v became %v", a, got)
			}
		}
		if len(s.addrs) > maxAddrs {
			t.Fatalf("%d addresses are remembered, at most %d", len(s.addrs), maxAddrs)
		}
	}
}
