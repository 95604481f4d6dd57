package udp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"i3bench/internal/hist"
	"i3bench/replicate"
)

// The receivers of a planner that sends through classes: all but the last are behind a device that is read, and so is
// the last in good phases. In bad ones it is behind a device that is stuck.
const (
	isolationFan  = 64
	isolationSize = 1000
)

// A stretch is what became of the packets of a phase that were for the receivers behind the device that is read.
type stretch struct {
	offered uint64 // for each
	got     uint64
	latency hist.Histogram
}

// A sinkhole is a device that is read: what its receivers got, and how late.
type sinkhole struct {
	fd    int
	clock func() time.Duration
	all   []stretch
	got   atomic.Uint64
	over  atomic.Bool
	done  sync.WaitGroup
}

// drain reads the device until it is over.
func (h *sinkhole) drain() {
	defer h.done.Done()
	frame := make([]byte, 64<<10)
	for !h.over.Load() {
		n, err := unix.Read(h.fd, frame)
		if err == nil {
			h.take(frame[:n])
			continue
		}
		const pause = 20 // ms until it looks whether it is over
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}, pause)
	}
}

// What comes before the payload in a frame: struct virtio_net_hdr, and the headers of IP and UDP.
const (
	virtioHeader = 10
	frameHeader  = virtioHeader + 20 + 8
)

// take counts the datagrams of a frame, of which there are several if it says how long each is.
func (h *sinkhole) take(frame []byte) {
	if len(frame) < frameHeader+16 {
		return
	}
	to := binary.BigEndian.Uint32(frame[virtioHeader+16:])
	if base := netA.As4(); to == binary.BigEndian.Uint32(base[:])+256+isolationFan-1 {
		return // the one that is not looked at
	}
	segment := int(binary.NativeEndian.Uint16(frame[4:]))
	if segment == 0 {
		segment = len(frame)
	}
	now := h.clock()
	for rest := frame[frameHeader:]; len(rest) >= 16; rest = rest[min(segment, len(rest)):] {
		s := &h.all[binary.LittleEndian.Uint64(rest)]
		s.got++
		s.latency.Record(int64(now) - int64(binary.LittleEndian.Uint64(rest[8:])))
		h.got.Add(1)
	}
}

// An issuer offers packets by the clock through a planner and a Conn.
type issuer struct {
	hole    *sinkhole
	planner *replicate.Planner
	conn    Conn
	to      []netip.AddrPort
	packets [][]byte // of a tick at most
	before  replicate.Counters
}

// maxPerTick bounds what is offered in a tick, in which all packets for a receiver are one train.
const maxPerTick = 16

// offer offers packets at a rate for a time. They are of the given stretch.
func (s *issuer) offer(at int, rate float64, d time.Duration) {
	const tick = 500 * time.Microsecond
	due, owed := s.hole.clock(), 0.0
	for end := due + d; due < end; {
		due += tick
		if rest := due - s.hole.clock(); rest > 0 {
			t := unix.NsecToTimespec(int64(rest))
			_ = unix.Nanosleep(&t, nil)
		}
		n := 0
		for owed += rate * tick.Seconds(); owed >= 1 && n < len(s.packets); owed, n = owed-1, n+1 {
			binary.LittleEndian.PutUint64(s.packets[n], uint64(at))
			binary.LittleEndian.PutUint64(s.packets[n][8:], uint64(due))
			for _, to := range s.to {
				s.planner.Add(to, nil, s.packets[n])
			}
			s.hole.all[at].offered++
		}
		s.planner.Flush(s.conn)
	}
}

// newIssuer makes the devices, the planner, and what is made by open.
func newIssuer(tb testing.TB, stretches int, open func(Config) (Conn, error)) *issuer {
	tb.Helper()
	s := newSpace(tb)
	fd := s.tun(tb, "fast", netA, 1500, unix.IFF_VNET_HDR)
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tunChecksum|tunUSO4|tunUSO6); err != nil {
		tb.Skipf("udp: a TUN device without segmentation is too slow to be read: %v", err)
	}
	s.run(tb, "ip link set fast txqueuelen 20000")
	s.sink(tb, "stuck", netB, 1500)
	s.run(tb, "tc qdisc add dev stuck root tbf rate 1kbit burst 2000 limit 100000000")
	begin := time.Now()
	h := &sinkhole{fd: fd, clock: func() time.Duration { return time.Since(begin) }, all: make([]stretch, stretches)}
	i := &issuer{hole: h}
	var err error
	if i.planner, err = replicate.NewPlanner(replicate.Config{}); err != nil {
		tb.Fatal(err)
	}
	if i.conn, err = open(Config{Buffer: 128 << 10}); err != nil {
		tb.Fatal(err)
	}
	for k := range isolationFan {
		i.to = append(i.to, at(netA, k))
	}
	for range maxPerTick {
		i.packets = append(i.packets, make([]byte, isolationSize))
	}
	h.done.Add(1)
	go h.drain()
	tb.Cleanup(func() { _ = i.conn.Close() })
	return i
}

// settle waits until nothing more arrives.
func (s *issuer) settle() {
	for before := uint64(1<<64 - 1); before != s.hole.got.Load(); time.Sleep(20 * time.Millisecond) {
		before = s.hole.got.Load()
	}
}

// stop ends the reading when nothing more arrives.
func (s *issuer) stop() {
	s.settle()
	s.hole.over.Store(true)
	s.hole.done.Wait()
}

// isolate lets good and bad phases take turns at a part of the rate that arrives when nobody waits, and returns the
// medians over pairs. It fails if anything was dropped for others, or is missing for the last.
func isolate(tb testing.TB, s *issuer, part float64, pairs int, d time.Duration) (share, tail [2]float64) {
	begin := s.hole.clock()
	s.offer(0, 1e9, d)
	rate := part * float64(s.hole.got.Load()) / (s.hole.clock() - begin).Seconds() / (isolationFan - 1)
	s.settle()
	s.before = s.planner.Counters()
	bad := at(netB, 1)
	shares, tails := [2][]float64{}, [2][]float64{}
	sent := uint64(0)
	for k := range 2 * pairs {
		stuck := (k + k/2) % 2 // 0 1 1 0
		s.to[isolationFan-1] = at(netA, isolationFan-1)
		if stuck == 1 {
			s.to[isolationFan-1] = bad
		}
		before := s.hole.all[0].offered
		s.offer(0, rate, d/8)
		s.offer(1+k, rate, d)
		if stuck == 1 {
			sent += s.hole.all[0].offered - before + s.hole.all[1+k].offered
		}
	}
	s.stop()
	for k := range 2 * pairs {
		st, stuck := &s.hole.all[1+k], (k+k/2)%2
		shares[stuck] = append(shares[stuck], float64(st.got)/float64(st.offered*(isolationFan-1)))
		tails[stuck] = append(tails[stuck], float64(st.latency.Quantile(0.99)))
	}
	for i := range 2 {
		slices.Sort(shares[i])
		slices.Sort(tails[i])
		share[i], tail[i] = shares[i][pairs/2], tails[i][pairs/2]
	}
	s.account(tb, bad, sent)
	tb.Logf("%.0f copies/s: got %.4f instead of %.4f, p99 %v instead of %v; stuck: %+v of %d", rate*isolationFan,
		share[1], share[0], time.Duration(tail[1]), time.Duration(tail[0]), s.planner.Tally(bad), sent)
	return share, tail
}

// account holds what the planner counted against what was offered: the planner drops what the stuck device does not
// take, and counts it on the address behind it.
func (s *issuer) account(tb testing.TB, bad netip.AddrPort, sent uint64) {
	tb.Helper()
	t, c := s.planner.Tally(bad), s.planner.Counters()
	others := c.Dropped() - s.before.Dropped() - t.Dropped
	if t.Sent+t.Dropped != sent || t.Dropped == 0 || others > 0 || c.DropFull != c.Dropped() {
		tb.Errorf("stuck: %+v of %d, %d dropped for others, %+v: want all of it counted, some dropped, and nobody else's",
			t, sent, others, c)
	}
}

// One of 64 receivers is behind a device that takes nothing: the others get all, in time, and what it did not get is
// counted on its address. The judgement is generous, since tests share the machine; the benchmark has figures.
func TestStuckDeviceIsolation(t *testing.T) {
	const pairs, attempts = 3, 3 // where the property does not hold, no attempt is good
	good, tried := false, 0
	for ; tried < attempts && !good && !t.Failed(); tried++ {
		t.Run(fmt.Sprintf("attempt=%d", tried+1), func(t *testing.T) {
			defer func() { good = good || t.Skipped() }()
			share, tail := isolate(t, newIssuer(t, 1+2*pairs, classes), 0.25, pairs, 200*time.Millisecond)
			if share[1] >= 0.9*share[0] && tail[1] <= 4*tail[0]+float64(20*time.Millisecond) {
				good = true
				return
			}
			t.Logf("goodput %.4f and p99 %v, %.4f and %v without the stuck device",
				share[1], time.Duration(tail[1]), share[0], time.Duration(tail[0]))
		})
	}
	if !good {
		t.Errorf("a device that is stuck spoils it for others, %d times of %d", tried, attempts)
	}
}

// BenchmarkStuckDeviceIsolation judges what TestStuckDeviceIsolation tests, at half of what arrives when nobody waits.
func BenchmarkStuckDeviceIsolation(b *testing.B) {
	b.Run("bad=device/fan=64", func(b *testing.B) {
		for b.Loop() {
			const pairs = 20
			share, tail := isolate(b, newIssuer(b, 1+2*pairs, classes), 0.5, pairs, 200*time.Millisecond)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(100*share[1]/share[0], "%goodput-kept")
			b.ReportMetric(tail[1]/tail[0], "p99-ratio")
			b.ReportMetric(tail[0]/1e3, "p99-good-us")
			b.ReportMetric(tail[1]/1e3, "p99-bad-us")
		}
	})
}
