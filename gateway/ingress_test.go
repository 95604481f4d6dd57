package gateway_test

import (
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"i3bench/gateway"
	"i3bench/i3/multicast"
)

// A group is a source that keeps what it is given.
type group struct {
	mu     sync.Mutex
	got    []string
	refuse bool
	slow   chan struct{} // if not nil, each packet waits for it
}

func (g *group) Send(payload []byte) uint64 {
	if g.slow != nil {
		<-g.slow
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuse {
		return 0
	}
	g.got = append(g.got, string(payload))
	return uint64(len(g.got))
}

func (g *group) packets() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.got)
}

// ingress opens an ingress and a socket that sends to it; both are closed with the test.
func ingress(t *testing.T, cfg gateway.IngressConfig, to gateway.Sender) (*gateway.Ingress, *net.UDPConn) {
	t.Helper()
	cfg.Listen = loopback
	in, err := gateway.NewIngress(cfg, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in, dial(t, in.Addr())
}

// say sends datagrams.
func say(t *testing.T, conn *net.UDPConn, datagrams ...string) {
	t.Helper()
	for _, d := range datagrams {
		if _, err := conn.Write([]byte(d)); err != nil {
			t.Fatal(err)
		}
	}
}

// accounted checks that every datagram received is somewhere.
func accounted(t *testing.T, c gateway.IngressCounters, queued uint64) {
	t.Helper()
	if c.Received != c.Sent+c.DropSize+c.DropQueue+c.DropRefused+c.DropClosed+queued {
		t.Errorf("%+v: %d received, which are not all accounted for", c, c.Received)
	}
}

// Datagrams of all sizes that fit are packets, byte for byte: empty ones, ones that end with zeros, seven packets of
// MPEG-TS, and the longest. One byte more is dropped and counted, as is what is longer than any buffer.
func TestIngressSizes(t *testing.T) {
	const ts = 7 * 188
	if gateway.MaxPayload < ts {
		t.Fatalf("datagrams of up to %d bytes are carried, seven packets of MPEG-TS have %d", gateway.MaxPayload, ts)
	}
	var tee []string
	g := &group{}
	in, app := ingress(t, gateway.IngressConfig{Tee: func(d []byte) { tee = append(tee, string(d)) }}, g)
	long := strings.Repeat("x", gateway.MaxPayload)
	fit := []string{"a", "", "zeros\x00\x00\x00", strings.Repeat("t", ts), long, "b"}
	say(t, app, fit[:5]...)
	say(t, app, long+"x", strings.Repeat("y", 9000))
	say(t, app, fit[5])
	if !until(func() bool { return in.Counters().Received == 8 && len(g.packets()) == len(fit) }) {
		t.Fatalf("%+v", in.Counters())
	}
	if c := in.Counters(); c.DropSize != 2 || c.Bytes != 1+8+ts+gateway.MaxPayload+1 {
		t.Errorf("%+v: want 2 too long", c)
	}
	in.Close() // the tee is not called any more
	if !slices.Equal(g.packets(), fit) || !slices.Equal(tee, fit) {
		t.Errorf("packets %.40q, tee %.40q, want %.40q", g.packets(), tee, fit)
	}
	accounted(t, in.Counters(), 0)
}

// In a group with a key there is room for less: the tag.
func TestIngressTagged(t *testing.T) {
	g := &group{}
	in, app := ingress(t, gateway.IngressConfig{Tagged: true}, g)
	fits := strings.Repeat("x", gateway.MaxPayload-multicast.TagSize)
	say(t, app, fits, fits+"x")
	if !until(func() bool { return in.Counters().Received == 2 && len(g.packets()) == 1 }) {
		t.Fatalf("%+v", in.Counters())
	}
	if c := in.Counters(); c.DropSize != 1 || g.packets()[0] != fits {
		t.Errorf("%+v: want one too long", c)
	}
}

// A burst leaves at the pace: so many at once, the rest in its time, none lost.
func TestIngressPacesBurst(t *testing.T) {
	const n, rate, burst = 60, 200, 10
	g := &group{}
	_, app := ingress(t, gateway.IngressConfig{Rate: rate, Burst: burst}, g)
	begun := time.Now()
	for i := range n {
		say(t, app, strconv.Itoa(i))
	}
	if !until(func() bool { return len(g.packets()) == n }) {
		t.Fatalf("%d packets of %d", len(g.packets()), n)
	}
	if took, least := time.Since(begun), time.Second*(n-burst)/rate; took < least {
		t.Errorf("%d datagrams took %v, want at least %v", n, took, least)
	}
	for i, p := range g.packets() {
		if p != strconv.Itoa(i) {
			t.Fatalf("packet %d is %q", i, p)
		}
	}
}

// The queue has a bound; what comes when it is full is dropped and counted, and what is in it goes out.
func TestIngressQueueIsBounded(t *testing.T) {
	g := &group{slow: make(chan struct{})}
	in, app := ingress(t, gateway.IngressConfig{Queue: 4}, g)
	say(t, app, "first") // which the source does not take yet
	time.Sleep(20 * time.Millisecond)
	for i := range 20 {
		say(t, app, strconv.Itoa(i))
	}
	close(g.slow)
	if !until(func() bool { c := in.Counters(); return c.Received == 21 && c.Sent+c.DropQueue == 21 }) {
		t.Fatalf("%+v", in.Counters())
	}
	c := in.Counters()
	if c.DropQueue == 0 || c.MostQueued != 4 {
		t.Errorf("%+v: want some dropped, 4 queued at most", c)
	}
	accounted(t, c, 0)
}

// What a source does not take is counted.
func TestIngressRefused(t *testing.T) {
	in, app := ingress(t, gateway.IngressConfig{}, &group{refuse: true})
	say(t, app, "no", "no")
	if !until(func() bool { return in.Counters().DropRefused == 2 }) {
		t.Errorf("%+v: want 2 refused", in.Counters())
	}
	accounted(t, in.Counters(), 0)
}

// Close sends what had arrived, also what still lay in the socket, and for the time of grace at most.
func TestIngressClose(t *testing.T) {
	for _, c := range []struct {
		name        string
		grace       time.Duration
		least, most int
	}{{"in time", patience, 50, 50}, {"out of time", 100 * time.Millisecond, 10, 49}} {
		t.Run(c.name, func(t *testing.T) {
			g := &group{}
			in, app := ingress(t, gateway.IngressConfig{Rate: 100, Burst: 10, Grace: c.grace}, g)
			for i := range 50 {
				say(t, app, strconv.Itoa(i))
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
			if n := len(g.packets()); n < c.least || n > c.most {
				t.Errorf("%d packets of 50, want %d to %d", n, c.least, c.most)
			}
			if got := in.Counters(); got.Received != 50 || got.Sent+got.DropClosed != 50 {
				t.Errorf("%+v: want 50 received, and sent or dropped", got)
			}
			in.Close() // does nothing
		})
	}
}

// What the kernel drops, since nobody reads, is counted where the system tells.
func TestIngressSocketDrops(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("gateway: only Linux tells what a socket dropped")
	}
	g := &group{slow: make(chan struct{})}
	in, app := ingress(t, gateway.IngressConfig{Queue: 1}, g)
	defer in.Close()
	say(t, app, "first")
	time.Sleep(20 * time.Millisecond) // the ingress stands still in Send
	const n = 30_000
	big := strings.Repeat("x", gateway.MaxPayload)
	for range n {
		say(t, app, big)
	}
	close(g.slow)
	if !until(func() bool { c := in.Counters(); return c.DropSocket > 0 && c.Received+c.DropSocket == n+1 }) {
		t.Errorf("%+v: want %d received or dropped by the kernel", in.Counters(), n+1)
	}
}
