package main

import (
	"strings"
	"testing"

	"i3bench/internal/deliverylines"
)

const rounds = `goos: linux
BenchmarkDelivery/what=node/form=trains/gro=true/fan=8/size=512-2   16  4000000 deliveries/cpu-s  1362218 deliveries/s
BenchmarkDelivery/what=node/form=trains/gro=true/fan=64/size=512    16  5000000 deliveries/cpu-s
BenchmarkDelivery/what=nats/fan=8/size=512        16  1000000 deliveries/cpu-s
BenchmarkDelivery/what=nats-deep/fan=8/size=512   16  1600000 deliveries/cpu-s
BenchmarkDelivery/what=node/form=trains/gro=true/fan=8/size=512-2   16  4400000 deliveries/cpu-s
BenchmarkDelivery/what=nats-deep/fan=8/size=512   16  2000000 deliveries/cpu-s
BenchmarkDelivery/what=udp/gro=false/fan=64/size=512      16  200000 deliveries/cpu-s
BenchmarkLimit/form=sendmmsg/size=512/fan=2048  3  9 ns/op  8e6 c/cpu-s  6e6 copies/cpu-s  0.75 of-c  3e6 plain/cpu-s
PASS
`

const reported = `delivered for a second of the sender's processor time, on loopback:
  ratio of medians (lowest-highest round)                 fan=8             fan=64
node, GRO / best of NATS, 512 B                2.33 (2.20-2.50)                  -
node, GRO / a Go write a copy, 512 B                          -   25.0 (25.0-25.0)

sent to a device that drops, for a second of processor time:
  ratio of medians (lowest-highest round)              fan=2048
Go sendmmsg / C sendmmsg (limit), 512 B        0.75 (0.75-0.75)
`

func TestReport(t *testing.T) {
	lines, err := deliverylines.Read(strings.NewReader(rounds))
	if err != nil {
		t.Fatal(err)
	}
	if got := report(deliverylines.Collect(lines)); got != reported {
		t.Errorf("deliveryratio: reported\n%s\nwant\n%s", got, reported)
	}
}
