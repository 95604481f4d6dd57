package cluster_test

import (
	"strings"
	"testing"

	"i3bench/cluster/senders"
	"i3bench/internal/deliver"
	"i3bench/internal/deliverylines"
)

// roles are the processes that deliver.
func roles() map[string]deliver.Role {
	r := senders.Roles()
	r["asked"] = askedRole
	return r
}

// BenchmarkDelivery is what reaches receivers on loopback for a second of the sender's processor time: of a node
// between a source and the receivers, and of loops that anybody could write. Sizes are of payloads; receivers with gro
// take whole trains from the kernel. Other peers are in replicate/peer.
func BenchmarkDelivery(b *testing.B) {
	for _, s := range senders.All() {
		for _, fan := range []int{1, 8, 64, 256, 1024} {
			for _, size := range []int{64, 512, 1200} {
				row := deliverylines.Row{Kind: deliverylines.Delivered, Who: s.Who(), Fan: fan, Size: size}
				b.Run(strings.TrimPrefix(row.Name(), "Delivery/"), func(b *testing.B) {
					deliver.Benchmark(b, s.Setup(fan, size))
				})
			}
		}
	}
}
