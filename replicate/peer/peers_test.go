package peer

import (
	"fmt"
	"os"
	"testing"
	"time"

	"i3bench/internal/deliver"
)

func TestMain(m *testing.M) {
	deliver.Main(map[string]deliver.Role{"nats": natsServer})
	os.Exit(m.Run())
}

// deep is a queue in which a server always finds much to put together, at most so many bytes of it for a receiver.
const (
	deep      = 8192
	deepBytes = 4 << 20
)

// peers are who is measured, each with what it needs.
var peers = []struct {
	what  string
	setup deliver.Setup
}{
	{"nats", deliver.Setup{Sender: "nats", Own: true, Local: natsClients}},
	{"nats-deep", deliver.Setup{Sender: "nats", Own: true, Local: natsClients, Window: deep}},
}

// BenchmarkDelivery measures each peer with few and with many receivers, and small to large packets, under the names of
// cluster's benchmark.
func BenchmarkDelivery(b *testing.B) {
	for _, peer := range peers {
		for _, fan := range []int{1, 8, 64, 256} { // a row of 1,024 takes many seconds
			for _, size := range []int{64, 512, 1200} {
				b.Run(fmt.Sprintf("what=%s/fan=%d/size=%d", peer.what, fan, size), func(b *testing.B) {
					s := peer.setup
					s.Fan, s.Size, s.Window = fan, size, min(s.Window, deepBytes/size) // 0 stays 0
					deliver.Benchmark(b, s)
				})
			}
		}
	}
}

// TestDelivers runs each peer for a moment: what it delivers must be what was sent.
func TestDelivers(t *testing.T) {
	for _, peer := range peers {
		t.Run(peer.what, func(t *testing.T) {
			s := peer.setup
			s.Fan, s.Size, s.Warm = 3, 100, time.Millisecond
			run, err := deliver.Start(s)
			if err != nil {
				t.Fatal(err)
			}
			_ = run.Slice() // Stop says the same
			r, err := run.Stop()
			if err != nil {
				t.Fatal(err)
			}
			if r.Packets == 0 || r.Received != 100 {
				t.Errorf("%+v, want packets, and all of them", r)
			}
		})
	}
}
