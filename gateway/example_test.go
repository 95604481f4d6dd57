package gateway_test

import (
	"fmt"
	"net/netip"

	"i3bench/gateway"
	"i3bench/i3/multicast"
)

// An egress sends what a receiver gets to an application. Packet 2 is lost and repaired later; the application does not
// notice.
func ExampleEgress() {
	app, err := listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer app.Close()
	egress, err := gateway.NewEgress(gateway.EgressConfig{To: []netip.AddrPort{addrOf(app)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer egress.Close()
	receiver := egress.Events(multicast.Events{}) // what a receiver is made with, who calls:
	receiver.Joined(0, 0)
	receiver.Deliver(0, 1, 0, []byte("a"))
	receiver.Deliver(0, 3, 0, []byte("c"))
	receiver.Deliver(0, 2, 0, []byte("b"))
	buf := make([]byte, gateway.MaxPayload)
	for range 3 {
		n, _ := app.Read(buf)
		fmt.Printf("%s, ", buf[:n])
	}
	fmt.Println(egress.Counters().Waited, "waited")
	// Output: a, b, c, 1 waited
}

// A printer is a group whose source prints what it is to send.
type printer chan string

func (p printer) Send(payload []byte) uint64 {
	p <- string(payload)
	return 1
}

// An ingress makes packets of a group of the datagrams of an application.
func ExampleIngress() {
	source := make(printer, 2)
	ingress, err := gateway.NewIngress(gateway.IngressConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0")}, source)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ingress.Close()
	if err := send(ingress.Addr(), "to", "everyone"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(<-source, <-source)
	// Output: to everyone
}
