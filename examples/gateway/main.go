// Gateway carries the UDP stream of any application over a group on loopback: what comes to one port goes over nodes
// and a tree of receivers to one port for each of these. docs/gateway.md says how to try it with a video.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strings"

	"i3bench/cluster"
	"i3bench/gateway"
	"i3bench/i3/multicast"
	"i3bench/testbed"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5000", "where the application sends to")
	to := flag.String("to", "127.0.0.1:6000", "where receivers send to, one each, with commas in between")
	loss := flag.Float64("loss", 0, "up to which share each last hop loses, and half of it each hop between nodes")
	flag.Parse()
	ready := func(at netip.AddrPort) { fmt.Println("listening at", at) }
	run(context.Background(), *listen, strings.Split(*to, ","), *loss, ready)
}

// run carries until the context ends or Ctrl-C, and calls ready when it listens.
func run(ctx context.Context, listen string, to []string, loss float64, ready func(at netip.AddrPort)) {
	network := testbed.NewNetwork(nil, 0, testbed.Loss{Seed: 1, NodeMax: loss / 2, HostMax: loss})
	world := cluster.New(cluster.Config{Network: network})
	bed := must(testbed.New(testbed.Config{
		Open: func() (testbed.Endpoint, error) { return world.Open() }, Network: network, Nodes: 8, Degree: 4, Seed: 1,
	}))
	defer bed.Close()
	for i, addr := range to {
		egress := must(gateway.NewEgress(gateway.EgressConfig{To: []netip.AddrPort{netip.MustParseAddrPort(addr)}}))
		defer egress.Close()
		receiver := must(bed.AddReceiver(i, egress.Events(multicast.Events{})))
		defer receiver.Endpoint.Close()
		receiver.Join()
		<-egress.Joined()
	}
	ingress := must(gateway.NewIngress(gateway.IngressConfig{Listen: netip.MustParseAddrPort(listen)}, bed.Source()))
	defer ingress.Close()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	ready(ingress.Addr())
	<-ctx.Done()
	fmt.Fprintf(os.Stderr, "%+v\n", ingress.Counters())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
