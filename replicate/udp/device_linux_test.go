package udp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"i3bench/replicate"
)

// The networks of the devices of tests.
var (
	netA = netip.MustParseAddr("10.77.0.0")
	netB = netip.MustParseAddr("10.78.0.0")
)

// at returns an address behind a device.
func at(network netip.Addr, i int) netip.AddrPort {
	return netip.AddrPortFrom(host(network, 256+i), 9000)
}

// TestTooLongForATrain sends datagrams that are longer than the MTU of their way: single ones go in fragments, but a
// train is refused for good.
func TestTooLongForATrain(t *testing.T) {
	s := newSpace(t)
	s.sink(t, "small", netA, 600)
	c := native(t, Config{})
	long := make([]byte, 700)
	for range 2 {
		if err := send1(c, message(at(netA, 1), long, long)); err != replicate.ErrTooLong {
			t.Errorf("a train of 700 bytes on an MTU of 600: %v, want %v", err, replicate.ErrTooLong)
		}
	}
	for name, m := range map[string]replicate.Message{
		"single": message(at(netA, 1), long),
		"short":  message(at(netA, 1), long[:500], long[:500]),
	} {
		if err := send1(c, m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.Caps().MaxSegments < 2 {
		t.Error("trains are off for all that one address does not take")
	}
}

// TestNoRoute sends to a network that there is no way to.
func TestNoRoute(t *testing.T) {
	s := newSpace(t)
	s.sink(t, "only", netA, 1500)
	for _, f := range forms() {
		c := open(t, f, Config{})
		bad, good := message(at(netB, 1), []byte("lost")), message(at(netA, 1), []byte("found"))
		n, err := c.Send([]replicate.Message{good, bad, good})
		if n != 1 || !errors.Is(err, unix.ENETUNREACH) {
			t.Errorf("%s: sent %d, %v: want 1, no route", f.name, n, err)
		}
		if n, err := c.Send([]replicate.Message{good}); n != 1 || err != nil {
			t.Errorf("%s: the others: %d, %v", f.name, n, err)
		}
	}
}

// TestCutByTheKernel sends trains to a device that cannot cut them, and holds what the kernel makes of them, addresses,
// checksums and all, against what they were.
func TestCutByTheKernel(t *testing.T) {
	s := newSpace(t)
	fd := s.tun(t, "plain", netA, 1500, 0)
	c, to := native(t, Config{}), at(netA, 1)
	total := 0
	rapid.Check(t, func(rt *rapid.T) {
		sent := draw(rt, 64)
		if err := send1(c, message(to, sent...)); err != nil {
			rt.Fatal(err)
		}
		for i := 0; i < len(sent); {
			b := make([]byte, 1<<16)
			n, err := unix.Read(fd, b)
			if err != nil {
				rt.Fatalf("datagram %d of %d: read device: %v", i, len(sent), err)
			}
			if b = b[:n]; b[0]>>4 != 4 || b[9] != unix.IPPROTO_UDP {
				continue // the kernel's own
			}
			if got := payload(rt, b, to); !bytes.Equal(got, sent[i]) {
				rt.Fatalf("datagram %d of %d: %d bytes, want %d, or others", i, len(sent), len(got), len(sent[i]))
			}
			i++
		}
		total += len(sent)
	})
	t.Logf("%d datagrams", total)
}

// TestSinkTakesTrainsWhole counts what reaches the device that benchmarks send to: each train as one packet, so that
// their figures are those of a device that cuts trains itself, and none is lost on the way.
func TestSinkTakesTrainsWhole(t *testing.T) {
	s := newSpace(t)
	s.sink(t, "sink", netA, 1500)
	c, l := native(t, Config{}), newLoad("train", 512, []netip.AddrPort{at(netA, 1), at(netA, 2)})
	const calls, queue = 1000, 500
	for range calls {
		l.fill()
		if n, err := c.Send(l.ms); n != len(l.ms) || err != nil {
			t.Fatalf("sent %d, %v", n, err)
		}
	}
	b, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(b), "sink:")
	const dropped = 11 // after eight columns of input: bytes, packets, errors, dropped
	got, err := strconv.Atoi(strings.Fields(line)[dropped])
	if err != nil {
		t.Fatal(err)
	}
	// The kernel greets a new device with a few packets of IPv6, some of them seconds late. A train that was cut would
	// count as many packets as it has datagrams.
	const greetings = 20
	if least := calls*len(l.ms) - queue; got < least || got > least+greetings {
		t.Errorf("the device dropped %d packets, want %d trains but for the %d in its queue, and at most %d of the kernel's",
			got, calls*len(l.ms), queue, greetings)
	}
}

// payload checks a packet of IPv4 and UDP without options and returns what it carries.
func payload(t *rapid.T, b []byte, to netip.AddrPort) []byte {
	length := int(binary.BigEndian.Uint16(b[24:]))
	pseudo := append(append([]byte{}, b[12:20]...), 0, unix.IPPROTO_UDP, b[24], b[25])
	dst := netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), binary.BigEndian.Uint16(b[22:]))
	right := sum(b[:20]) == 0xffff && sum(append(pseudo, b[20:]...)) == 0xffff
	if b[0] != 0x45 || len(b) != 20+length || dst != to || !right {
		t.Fatalf("bad packet of %d bytes to %v: header % x", len(b), dst, b[:28])
	}
	return b[28:]
}

// sum is the Internet checksum, which is 0xffff over what is right.
func sum(b []byte) uint32 {
	var s uint32
	for i, v := range b {
		s += uint32(v) << (8 * (1 - i%2))
		s = s&0xffff + s>>16
	}
	return s
}

// TestClassOfAnAddress opens a class for each way out, and shares the last when there are too many.
func TestClassOfAnAddress(t *testing.T) {
	s := newSpace(t)
	s.sink(t, "a", netA, 1500)
	s.sink(t, "b", netB, 1500)
	c, err := OpenClasses(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before := descriptors(t)
	for i, want := range []struct {
		to    netip.Addr
		class int
	}{
		{at(netB, 1).Addr(), 0}, {at(netA, 1).Addr(), 1}, {at(netB, 2).Addr(), 0}, {at(netA, 1).Addr(), 1},
		{netip.MustParseAddr("192.0.2.1"), 0}, {netip.MustParseAddr("::ffff:10.77.1.9"), 1},
	} {
		if got := c.Class(want.to); got != want.class {
			t.Errorf("look-up %d: class of %v is %d, want %d", i, want.to, got, want.class)
		}
	}
	if after := descriptors(t); after != before+2 {
		t.Errorf("%d descriptors more for one class more, want 2: a socket and its eventfd", after-before)
	}
	c.most = 2
	lo := message(netip.AddrPortFrom(loopback.Addr(), c.Local().Port()), []byte("from the last"))
	if got := c.Class(lo.To.Addr()); got != 1 {
		t.Errorf("class of a third way out is %d, want 1", got)
	}
	// Whatever socket sends, the first receives, and from one port.
	if err := send1(c, lo); err != nil {
		t.Fatal(err)
	}
	got, heads := receive(t, c, results(4, 100), 1)
	if string(got[0]) != "from the last" || heads[0].From.Port() != c.Local().Port() {
		t.Errorf("got %q from %v, want port %d", got[0], heads[0].From, c.Local().Port())
	}
}

// TestRouteChanges takes a route away and gives another: the address changes its class after the error.
func TestRouteChanges(t *testing.T) {
	s := newSpace(t)
	s.sink(t, "a", netA, 1500)
	s.sink(t, "b", netB, 1500)
	s.run(t, "ip route add 192.0.2.0/24 dev a")
	c, err := OpenClasses(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := netip.MustParseAddrPort("192.0.2.1:9")
	m := message(to, []byte("x"))
	c.Class(at(netB, 1).Addr())
	if k := c.Class(to.Addr()); k != 1 {
		t.Fatalf("class %d, want 1", k)
	}
	s.run(t, "ip route del 192.0.2.0/24 dev a")
	if err := send1(c, m); !errors.Is(err, unix.ENETUNREACH) {
		t.Fatalf("without a route: %v", err)
	}
	s.run(t, "ip route add 192.0.2.0/24 dev b")
	if err := send1(c, m); err != nil || c.Class(to.Addr()) != 0 {
		t.Errorf("with a new route: %v, class %d, want 0", err, c.Class(to.Addr()))
	}
}

// A tally is what became of messages behind a fast device and a slow one.
type tally struct {
	sent, full [2]int // fast, slow
	took       time.Duration
}

// push sends calls of seven messages for a fast device to one for a slow one, as a planner does: what is refused is
// dropped, and the others go on.
func push(t *testing.T, c Conn, calls int) (got tally) {
	var ms []replicate.Message
	for i := range 64 {
		network := netA
		if i%8 == 7 {
			network = netB
		}
		ms = append(ms, message(at(network, i), make([]byte, 560)))
	}
	begin := time.Now()
	for range calls {
		for i := 0; i < len(ms); {
			n, err := c.Send(ms[i:])
			for range n {
				got.sent[slow(ms[i].To)]++
				i++
			}
			if err == nil {
				continue
			}
			if err != replicate.ErrFull {
				t.Fatal(err)
			}
			got.full[slow(ms[i].To)]++
			i++
		}
	}
	got.took = time.Since(begin)
	return got
}

func slow(to netip.AddrPort) int {
	if to.Addr().As4()[1] == netB.As4()[1] {
		return 1
	}
	return 0
}

// TestSlowDeviceStopsOnlyItself sends through a device of 10 Mbit/s with a long queue and one that is fast. With
// classes all that is for the fast one is sent; with one socket the slow one's queue takes up its allowance, and little
// is.
func TestSlowDeviceStopsOnlyItself(t *testing.T) {
	s := newSpace(t)
	s.sink(t, "fast", netA, 1500)
	s.sink(t, "slow", netB, 1500)
	s.run(t, "tc qdisc add dev slow root tbf rate 10mbit burst 5000 latency 10s")
	cfg := Config{Buffer: 128 << 10}
	const calls = 2000
	one, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	shared := push(t, one, calls)
	_ = one.Close()
	many, err := OpenClasses(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer many.Close()
	apart := push(t, many, calls)
	rate := func(g tally) float64 { return float64(g.sent[0]) / g.took.Seconds() }
	t.Logf("fast device: %.0f/s with one socket, %.0f/s with classes", rate(shared), rate(apart))
	t.Logf("one socket: %+v; classes: %+v", shared, apart)
	if apart.full[0] != 0 || apart.sent[0] != calls*56 {
		t.Errorf("classes: %d for the fast device sent, %d refused: want %d, 0", apart.sent[0], apart.full[0], calls*56)
	}
	if apart.sent[1] == 0 || apart.full[1] == 0 {
		t.Errorf("classes: %d for the slow device sent, %d refused: want some of both", apart.sent[1], apart.full[1])
	}
	if shared.sent[0] > calls*56/2 {
		t.Errorf("one socket: %d of %d for the fast device sent: then classes would be good for nothing",
			shared.sent[0], calls*56)
	}
	st := many.Stats()
	if held := many.held.Load(); held == 0 || st.Refused != uint64(apart.full[1]) || st.Refused < 2*(st.Refused-held) {
		t.Errorf("%d refused, %d of them without a system call: want most", st.Refused, held)
	}
}
