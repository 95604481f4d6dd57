package live

import (
	"os"
	"testing"
)

func TestParseStat(t *testing.T) {
	for _, c := range []struct {
		text       string
		taken, all uint64
		ok         bool
	}{
		{"cpu  10 20 30 40 50 60 70 80 9 9\ncpu0 1 2 3\n", 80, 360, true},
		{"cpu 1 2 3 4 5 6 7 8", 8, 36, true},
		{"cpu 1 2 3 4 5 6 7", 0, 0, false},
		{"cpu 1 2 3 4 5 6 7 x", 0, 0, false},
		{"intr 1 2 3 4 5 6 7 8", 0, 0, false},
		{"", 0, 0, false},
	} {
		if taken, all, ok := parseStat(c.text); taken != c.taken || all != c.all || ok != c.ok {
			t.Errorf("%q: %d of %d, %v", c.text, taken, all, ok)
		}
	}
}

func TestParseSNMP(t *testing.T) {
	for _, c := range []struct {
		text string
		n    uint64
		ok   bool
	}{
		{"Ip: a b\nIp: 1 2\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 1 2 3 4 5\n", 5, true},
		{"Udp: RcvbufErrors InErrors\nUdp: 7 8\nUdpLite: RcvbufErrors\nUdpLite: 9\n", 7, true},
		{"Udp: InErrors RcvbufErrors\nUdp: 7\n", 0, false},
		{"Udp: RcvbufErrors\nUdp: x\n", 0, false},
		{"Udp: InErrors\nUdp: 1\n", 0, false},
		{"Udp: RcvbufErrors\n", 0, false},
		{"", 0, false},
	} {
		if n, ok := parseSNMP(c.text); n != c.n || ok != c.ok {
			t.Errorf("%q: %d, %v", c.text, n, ok)
		}
	}
}

// The files of this machine are read, unless it has none.
func TestMachine(t *testing.T) {
	_, err := os.Stat("/proc/stat")
	if _, all, ok := stolen(); ok != (err == nil) || ok && all == 0 {
		t.Errorf("%d ticks, %v; the file: %v", all, ok, err)
	}
	_, err = os.Stat("/proc/self/net/snmp")
	if _, ok := socketErrors(); ok != (err == nil) {
		t.Errorf("socket errors %v; the file: %v", ok, err)
	}
}
