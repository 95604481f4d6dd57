package chord_test

import (
	"fmt"
	"net/netip"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// Two members become a ring. A driver would carry what they send; here a loop does, without delay.
func ExampleMember() {
	members := map[netip.AddrPort]*chord.Member{}
	start := func(prefix uint64, addr string, join ...netip.AddrPort) *chord.Member {
		self := chord.Place{Prefix: prefix, Addr: netip.MustParseAddrPort(addr)}
		m, err := chord.NewMember(chord.Config{Self: self, Join: join}, 0)
		if err != nil {
			panic(err)
		}
		members[self.Addr] = m
		return m
	}
	a := start(1<<62, "10.0.0.1:3000")
	b := start(3<<62, "10.0.0.2:3000", netip.MustParseAddrPort("10.0.0.1:3000"))

	type letter struct {
		from netip.AddrPort
		machine.Send
	}
	out := machine.NewOutbox(0, 0, 0)
	for now := machine.Time(1); now < machine.Time(5*machine.Second); now = min(a.Deadline(), b.Deadline()) {
		var mail []letter
		take := func(from netip.AddrPort) {
			for _, s := range out.Sends() {
				mail = append(mail, letter{from, machine.Send{To: s.To, Bytes: append([]byte(nil), s.Bytes...)}})
			}
			out.Reset()
		}
		for _, addr := range []string{"10.0.0.1:3000", "10.0.0.2:3000"} {
			addr := netip.MustParseAddrPort(addr)
			members[addr].Expire(now, out)
			take(addr)
		}
		for ; len(mail) > 0; mail = mail[1:] {
			to := mail[0].To
			members[to].Receive(now, []machine.Datagram{{From: mail[0].from, Bytes: mail[0].Bytes}}, out)
			take(to)
		}
	}
	owner, _ := a.Owner(2 << 62)
	fmt.Println("the owner of half-way round is", owner)
	fmt.Println("it knows:", b.Successors())
	// Output:
	// the owner of half-way round is 10.0.0.2:3000
	// it knows: [{4611686018427387904 10.0.0.1:3000} {13835058055282163712 10.0.0.2:3000}]
}
