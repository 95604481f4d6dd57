package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"i3bench/replicate"
)

// native opens the Linux form, whose inside a test looks at.
func native(tb testing.TB, cfg Config) *socket {
	tb.Helper()
	return open(tb, forms()[0], cfg).(*socket)
}

// three is a train of three datagrams.
func three(to netip.AddrPort) replicate.Message {
	return message(to, []byte("a train "), []byte("has cars"), []byte("."))
}

// send1 sends one message and returns the error.
func send1(c Conn, m replicate.Message) error {
	_, err := c.Send([]replicate.Message{m})
	return err
}

// TestErrors has the system call fail in every way, and requires the error of the contract for it.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		errno        syscall.Errno
		plain, train error // what is wanted
	}{
		{unix.EAGAIN, replicate.ErrFull, replicate.ErrFull},
		{unix.ENOBUFS, replicate.ErrFull, replicate.ErrFull},
		{unix.ENOMEM, replicate.ErrFull, replicate.ErrFull},
		{unix.EMSGSIZE, unix.EMSGSIZE, replicate.ErrTooLong},
		{unix.EIO, unix.EIO, replicate.ErrNoTrains},
		{unix.EINVAL, unix.EINVAL, replicate.ErrNoTrains},
		{unix.ENETUNREACH, unix.ENETUNREACH, unix.ENETUNREACH},
		{unix.EPERM, unix.EPERM, unix.EPERM},
		{unix.ECONNREFUSED, unix.ECONNREFUSED, unix.ECONNREFUSED},
	} {
		for _, train := range []bool{false, true} {
			var lines []string
			s := native(t, Config{Local: loopback, Log: func(l string) { lines = append(lines, l) }})
			m, want := message(s.Local(), []byte("single")), c.plain
			if train {
				m, want = three(s.Local()), c.train
			}
			s.tx.call = func(int, *mmsghdr, int) (int, syscall.Errno) { return 0, c.errno }
			if err := send1(s, m); !errors.Is(err, want) {
				t.Errorf("%v, train %v: %v, want %v", c.errno, train, err, want)
			}
			off := want == replicate.ErrNoTrains
			if got := s.Caps().MaxSegments == 1; got != off || (len(lines) == 1) != off || s.Stats().TrainsOff == 1 != off {
				t.Errorf("%v, train %v: trains off %v, logged %q: want %v", c.errno, train, got, lines, off)
			}
			if off {
				if err := send1(s, m); err != replicate.ErrNoTrains || len(lines) != 1 {
					t.Errorf("%v: second train: %v, logged %q", c.errno, err, lines)
				}
			}
			s.tx.call = sendmmsg
			if err := send1(s, message(s.Local(), []byte("single"))); err != nil {
				t.Errorf("%v: a single datagram later: %v", c.errno, err)
			}
		}
	}
}

// TestPartOfACall has the system call take fewer than it is handed, and be interrupted.
func TestPartOfACall(t *testing.T) {
	s := native(t, Config{Local: loopback})
	calls := 0
	s.tx.call = func(fd int, msgs *mmsghdr, n int) (int, syscall.Errno) {
		if calls++; calls%2 == 0 {
			return 0, unix.EINTR
		}
		return sendmmsg(fd, msgs, min(n, 3))
	}
	var ms []replicate.Message
	for i := range 10 {
		ms = append(ms, message(s.Local(), []byte{byte(i)}))
	}
	ms[7].Vectors = []replicate.Vector{replicate.VectorOf(make([]byte, MaxDatagram+1))}
	if n, err := s.Send(ms); n != 7 || !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("sent %d, %v: want 7 and that the next is too long", n, err)
	}
	if n, err := s.Send(ms[8:]); n != 2 || err != nil {
		t.Errorf("sent %d, %v of the rest", n, err)
	}
	got, _ := receive(t, s, results(16, 10), 9)
	for i, want := range []byte{0, 1, 2, 3, 4, 5, 6, 8, 9} {
		if got[i][0] != want {
			t.Errorf("datagram %d is number %d, want %d", i, got[i][0], want)
		}
	}
}

// TestKernelRefusesTrains takes away what the kernel wants for trains: checksums.
func TestKernelRefusesTrains(t *testing.T) {
	lines := 0
	s := native(t, Config{Local: loopback, Log: func(string) { lines++ }, Control: func(fd uintptr) error {
		return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
	}})
	m := three(s.Local())
	for range 2 {
		if err := send1(s, m); err != replicate.ErrNoTrains || s.Caps().MaxSegments != 1 || lines != 1 {
			t.Fatalf("%v, caps %+v, %d lines: want no trains, said once", err, s.Caps(), lines)
		}
	}
	m.Segment = 0
	if err := send1(s, m); err != nil {
		t.Errorf("the same bytes in one datagram: %v", err)
	}
}

// TestWrongSourceIsNoReason sends a train from an address that no host has: the kernel refuses that with the number
// that also says that it has no trains.
func TestWrongSourceIsNoReason(t *testing.T) {
	s := native(t, Config{})
	to := netip.AddrPortFrom(loopback.Addr(), s.Local().Port())
	for source, want := range map[string]error{"203.0.113.9": unix.ENETUNREACH, "224.0.0.9": unix.EINVAL} {
		for _, m := range []replicate.Message{message(to, []byte("single")), three(to)} {
			n, err := s.SendFrom(netip.MustParseAddr(source), []replicate.Message{m})
			if n != 0 || !errors.Is(err, want) {
				t.Errorf("from %s: sent %d, %v: want %v", source, n, err, want)
			}
		}
	}
	if s.Caps().MaxSegments < 2 {
		t.Error("trains are off after a wrong source")
	}
	if err := send1(s, three(to)); err != nil {
		t.Errorf("a train afterwards: %v", err)
	}
	if got, _ := receive(t, s, results(8, 100), 3); string(got[2]) != "." {
		t.Errorf("got %q", got)
	}
}

// TestSegmentBound holds the bound that is offered against the kernel's.
func TestSegmentBound(t *testing.T) {
	s := native(t, Config{Local: loopback, Segments: MaxSegments, GRO: true})
	ds := make([][]byte, MaxSegments+1)
	for i := range ds {
		ds[i] = []byte{byte(i), byte(i)}
	}
	if err := send1(s, message(s.Local(), ds...)); err != ErrBounds {
		t.Errorf("a train of %d: %v, want %v", len(ds), err, ErrBounds)
	}
	if err := send1(s, message(s.Local(), ds[:MaxSegments]...)); err != nil {
		t.Errorf("a train of %d: %v", MaxSegments, err)
	}
	receive(t, s, results(8, MaxDatagram), MaxSegments)
	s.tx.segments = 2 * MaxSegments // offer what the kernel does not have
	if err := send1(s, message(s.Local(), ds...)); err != replicate.ErrNoTrains {
		t.Errorf("a train of %d that the kernel sees: %v, want %v", len(ds), err, replicate.ErrNoTrains)
	}
}

// TestSources has one socket send from many addresses, and receive for many.
func TestSources(t *testing.T) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			c := open(t, f, Config{Destinations: true, GRO: true})
			rapid.Check(t, func(rt *rapid.T) {
				host := func(what string) netip.Addr {
					n := rapid.Uint16().Draw(rt, what)
					return netip.AddrFrom4([4]byte{127, 9, byte(n >> 8), byte(n)})
				}
				from, to := host("from"), host("to")
				m := message(netip.AddrPortFrom(to, c.Local().Port()), []byte("hello"))
				if rapid.Bool().Draw(rt, "train") && c.Caps().MaxSegments > 1 {
					m = three(m.To)
				}
				if _, err := c.SendFrom(from, []replicate.Message{m}); err != nil {
					rt.Fatal(err)
				}
				_, heads := receive(t, c, results(4, 100), m.Datagrams())
				if h := heads[0]; h.From != netip.AddrPortFrom(from, c.Local().Port()) || h.To != to {
					rt.Fatalf("from %v to %v, want %v, %v", h.From, h.To, from, to)
				}
			})
		})
	}
}

// TestSteering sends words to a group, and requires each to reach the socket of its range.
func TestSteering(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 16, 100} {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			for _, steer := range []Steering{ToFirst(), ByWord(4)} {
				group, err := OpenGroup(Config{Local: loopback}, n, steer)
				if err != nil {
					t.Fatal(err)
				}
				defer closeAll(group)
				steered(t, group, steer)
			}
		})
	}
}

// steered sends the words at the edges of all ranges, and a datagram that has no word.
func steered(t *testing.T, group []Conn, steer Steering) {
	n := len(group)
	words := []uint32{0, 1<<32 - 1}
	for i := range uint64(n) {
		edge := uint32((i<<32 + uint64(n) - 1) / uint64(n))
		words = append(words, edge, edge-1, edge+1)
	}
	want := make([][]uint32, n)
	for _, w := range words {
		d := binary.BigEndian.AppendUint32([]byte("head"), w)
		if err := send1(group[n-1], message(group[0].Local(), append(d, "tail"...))); err != nil {
			t.Fatal(err)
		}
		part := 0
		if steer.byWord {
			part = Part(w, n)
		}
		want[part] = append(want[part], w)
	}
	for i, c := range group {
		got, _ := receive(t, c, results(64, 100), len(want[i]))
		for k, d := range got {
			if w := binary.BigEndian.Uint32(d[4:]); w != want[i][k] {
				t.Fatalf("socket %d of %d has word %#x, want %#x", i, n, w, want[i][k])
			}
		}
		if k, _ := c.Recv(results(1, 100)); k != 0 {
			t.Fatalf("socket %d of %d has more", i, n)
		}
	}
	if err := send1(group[n-1], message(group[0].Local(), []byte("short"))); err != nil {
		t.Fatal(err)
	}
	receive(t, group[0], results(1, 100), 1)
}

// TestFull fills a socket whose device takes nothing, by a kernel that says so.
func TestFull(t *testing.T) {
	s := native(t, Config{Local: loopback})
	room := 2
	s.tx.call = func(fd int, msgs *mmsghdr, n int) (int, syscall.Errno) {
		if room == 0 {
			return 0, unix.EAGAIN
		}
		n = min(n, room)
		room -= n
		return sendmmsg(fd, msgs, n)
	}
	m := message(s.Local(), []byte("x"))
	if n, err := s.Send([]replicate.Message{m, m, m, m}); n != 2 || err != replicate.ErrFull {
		t.Errorf("sent %d, %v: want 2, %v", n, err, replicate.ErrFull)
	}
	if st := s.Stats(); st.Sent != 2 || st.Refused != 1 {
		t.Errorf("stats %+v", st)
	}
}

// TestNoAllocation asserts that neither sending nor receiving allocates, in success and failure.
func TestNoAllocation(t *testing.T) {
	s := native(t, Config{Local: loopback, GRO: true, Destinations: true})
	single, train := message(s.Local(), []byte("single")), three(s.Local())
	bad := single
	bad.Vectors = []replicate.Vector{replicate.VectorOf(make([]byte, MaxDatagram+1))}
	ms := []replicate.Message{single, train, single, train, bad}
	rs := results(8, 1000)
	var source netip.Addr
	allocs := testing.AllocsPerRun(200, func() {
		if n, err := s.SendFrom(source, ms); n != 4 || err == nil {
			t.Fatalf("send: %d, %v", n, err)
		}
		source = s.Local().Addr()
		if ready, err := s.Wait(time.Second); !ready || err != nil {
			t.Fatalf("wait: %v, %v", ready, err)
		}
		for got := 0; got < 4; {
			n, err := s.Recv(rs)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a call, want 0", allocs)
	}
}

// TestGranted asks for buffers and hears what they are.
func TestGranted(t *testing.T) {
	s := native(t, Config{Local: loopback, Buffer: 100 << 10})
	if send, receive := s.Granted(); send != 200<<10 || receive != 200<<10 {
		t.Errorf("granted %d and %d bytes, want twice of what was asked for, as the kernel counts", send, receive)
	}
}

// descriptors returns what this process has open.
func descriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestNoDescriptorLeaks opens and closes everything, with success and without.
func TestNoDescriptorLeaks(t *testing.T) {
	use := func() {
		for _, f := range forms() {
			c, err := f.open(Config{Local: loopback})
			if err != nil {
				t.Fatal(err)
			}
			if again, err := f.open(Config{Local: c.Local()}); err == nil {
				t.Error("two sockets of one port")
				_ = again.Close()
			} else if !strings.Contains(err.Error(), "in use") {
				t.Errorf("open a port in use: %v", err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		group, err := OpenGroup(Config{Local: loopback}, 4, ByWord(0))
		if err != nil {
			t.Fatal(err)
		}
		closeAll(group)
	}
	use() // what the runtime opens once for all
	before := descriptors(t)
	for range 10 {
		use()
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}
