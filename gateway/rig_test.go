package gateway_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"i3bench/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen. It is no bound on speed: the machine may be busy.
const patience = 2 * time.Minute

// until waits for a condition and reports whether it came true.
func until(cond func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if cond() {
			return true
		}
	}
	return cond()
}

// A digest is what there is to compare of a stream of datagrams: their bytes, and where each ends.
type digest struct {
	bytes, ends hash.Hash
	count, size uint64
}

func newDigest() *digest { return &digest{bytes: sha256.New(), ends: sha256.New()} }

func (d *digest) add(datagram []byte) {
	d.bytes.Write(datagram)
	d.ends.Write(binary.BigEndian.AppendUint64(nil, uint64(len(datagram))))
	d.count++
	d.size += uint64(len(datagram))
}

// String tells two streams apart: equal ones, and only these, have equal strings.
func (d *digest) String() string {
	return fmt.Sprintf("%d datagrams, %d bytes, SHA-256 %x, of their ends %x",
		d.count, d.size, d.bytes.Sum(nil), d.ends.Sum(nil))
}

// A sink is an application that receives datagrams.
type sink struct {
	conn *net.UDPConn
	addr netip.AddrPort
	done chan struct{}

	mu   sync.Mutex
	got  *digest
	kept []string // the first datagrams
}

// newSink opens a sink, which is closed with the test.
func newSink(t *testing.T) *sink {
	t.Helper()
	conn, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20) // the system may grant less
	s := &sink{
		conn: conn, addr: addrOf(conn), done: make(chan struct{}), got: newDigest(),
	}
	go s.run()
	t.Cleanup(func() {
		conn.Close()
		<-s.done
	})
	return s
}

// keep is how many datagrams a sink keeps.
const keep = 100

func (s *sink) run() {
	defer close(s.done)
	buf := make([]byte, 1<<16)
	for {
		n, _, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.got.add(buf[:n])
		if len(s.kept) < keep {
			s.kept = append(s.kept, string(buf[:n]))
		}
		s.mu.Unlock()
	}
}

// count returns how many datagrams have come.
func (s *sink) count() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.count
}

// digest returns what has come.
func (s *sink) digest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

// texts returns the first datagrams.
func (s *sink) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.kept...)
}

// dropped returns what the kernel dropped because the sink was too slow.
func (s *sink) dropped() (n uint64) {
	raw, err := s.conn.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { n = gateway.SocketDrops(int(fd)) })
	}
	return n
}

// dial returns a socket of an application that sends to an address.
func dial(t *testing.T, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// loopback is any free port.
var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// listen returns a socket of an application, for examples.
func listen() (*net.UDPConn, error) {
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(loopback))
}

// addrOf returns the address of such a socket.
func addrOf(conn *net.UDPConn) netip.AddrPort { return conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// send sends datagrams, for examples.
func send(to netip.AddrPort, datagrams ...string) error {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, d := range datagrams {
		if _, err := conn.Write([]byte(d)); err != nil {
			return err
		}
	}
	return nil
}
