package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// Two applications hear what a third one says.
func Example() {
	a, b := must(net.ListenPacket("udp4", "127.0.0.1:0")), must(net.ListenPacket("udp4", "127.0.0.1:0"))
	defer a.Close()
	defer b.Close()
	ctx, stop := context.WithCancel(context.Background())
	ended, at := make(chan struct{}), make(chan netip.AddrPort)
	go func() {
		defer close(ended)
		run(ctx, "127.0.0.1:0", []string{a.LocalAddr().String(), b.LocalAddr().String()}, 0.08,
			func(listening netip.AddrPort) { at <- listening })
	}()
	app := must(net.Dial("udp4", (<-at).String()))
	defer app.Close()
	buf := make([]byte, 100)
	for _, word := range []string{"once", "upon", "a time"} {
		fmt.Fprint(app, word)
		for i, conn := range []net.PacketConn{a, b} {
			n, _, err := conn.ReadFrom(buf)
			fmt.Printf("application %d: %s %v\n", i, buf[:n], err)
		}
	}
	stop()
	<-ended
	// Output:
	// application 0: once <nil>
	// application 1: once <nil>
	// application 0: upon <nil>
	// application 1: upon <nil>
	// application 0: a time <nil>
	// application 1: a time <nil>
}
