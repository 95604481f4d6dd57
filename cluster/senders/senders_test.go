package senders

import (
	"os"
	"runtime"
	"testing"
	"time"

	"i3bench/internal/deliver"
)

func TestMain(m *testing.M) {
	deliver.Main(Roles())
	os.Exit(m.Run())
}

// Each sender delivers what it was to send, to few receivers and in a form of its own.
func TestDelivers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("senders: to deliver needs Linux")
	}
	names := make(map[string]bool)
	for _, s := range All() {
		if names[s.Who()] {
			t.Errorf("senders: %s is there twice", s.Who())
		}
		names[s.Who()] = true
		t.Run(s.Who(), func(t *testing.T) {
			d := s.Setup(3, 100)
			d.Warm = time.Millisecond
			run, err := deliver.Start(d)
			if err != nil {
				t.Fatal(err)
			}
			_ = run.Slice() // Stop says the same
			r, err := run.Stop()
			if err != nil {
				t.Fatal(err)
			}
			if r.Packets == 0 || r.Received != 100 {
				t.Errorf("senders: %+v, want packets, and all of them", r)
			}
			if s.Form == "single" && r.Datagrams != r.Packets {
				t.Errorf("senders: %d packets in %d datagrams, want each in its own", r.Packets, r.Datagrams)
			}
			if s.Form == "trains" && r.Datagrams == r.Packets {
				t.Errorf("senders: %d packets, each in a datagram of its own, want them to share", r.Packets)
			}
		})
	}
}

// What a node's receivers count is what was filled, and nothing else counts.
func TestCount(t *testing.T) {
	packet := make([]byte, 200)
	Fill(packet, 77)
	two := append(append([]byte{}, packet...), packet...)
	for name, c := range map[string]struct {
		datagram []byte
		packets  int
		sum      uint64
	}{
		"one":    {packet, 1, 77},
		"two":    {two, 2, 154},
		"padded": {append(two[:200:200], make([]byte, 30)...), 1, 77},
		"cut":    {packet[:199], 0, 0},
	} {
		if packets, sum := Count(c.datagram); packets != c.packets || sum != c.sum {
			t.Errorf("senders: %s: %d packets, sum %d, want %d and %d", name, packets, sum, c.packets, c.sum)
		}
	}
}
