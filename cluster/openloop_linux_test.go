package cluster_test

import (
	"errors"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"i3bench/cluster/senders"
	"i3bench/internal/deliver"
	"i3bench/replicate"
	"i3bench/replicate/udp"
)

// A source offers packets by the clock and waits for nobody: what is due in a tick goes out at its end, and what it
// could not send in time goes out late, with the time at which it was due.
type source struct {
	clock  func() time.Duration
	conn   udp.Conn
	to     netip.AddrPort
	slices []slice
	rate   atomic.Int64 // packets in a second
	slice  atomic.Int32 // in which packets are due
	sent   atomic.Uint64
	failed atomic.Uint64 // packets that the kernel did not take from it
	over   atomic.Bool
	done   sync.WaitGroup
	buffer []byte
}

// tick is how often the source sends: packets for the same receiver then come in twos and threes, as they would from
// a source that is somewhere else.
const tick = 500 * time.Microsecond

// maxTrain is how many packets it sends at once.
const maxTrain = 32

// start begins to send, which is nothing until there is a rate.
func (s *source) start() error {
	var err error
	if s.conn, err = udp.Open(udp.Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}); err != nil {
		return err
	}
	s.buffer = make([]byte, maxTrain*packetSize)
	for i := range maxTrain {
		senders.Fill(s.buffer[i*packetSize:][:packetSize], 0)
	}
	s.done.Add(1)
	go s.run()
	return nil
}

// close ends it.
func (s *source) close() {
	s.over.Store(true)
	s.done.Wait()
	_ = s.conn.Close()
}

// run sends in every tick what is due in it.
func (s *source) run() {
	defer s.done.Done()
	runtime.LockOSThread() // its thread sleeps, not the runtime, which would be late by a millisecond
	defer runtime.UnlockOSThread()
	due, owed := s.clock(), 0.0
	for !s.over.Load() {
		due += tick
		if rest := due - s.clock(); rest > 0 {
			t := unix.NsecToTimespec(int64(rest))
			_ = unix.Nanosleep(&t, nil)
		}
		owed += float64(s.rate.Load()) * tick.Seconds()
		for owed >= 1 {
			n := min(int(owed), maxTrain)
			s.send(n, due)
			owed -= float64(n)
		}
	}
}

// send sends a train of packets.
func (s *source) send(n int, due time.Duration) {
	at := int(s.slice.Load())
	for i := range n {
		stampPacket(s.buffer[i*packetSize:][:packetSize], at, due)
	}
	m := replicate.Message{
		To: s.to, Vectors: []replicate.Vector{replicate.VectorOf(s.buffer[:n*packetSize])},
		Size: n * packetSize, Segment: packetSize, Copies: n,
	}
	if k, err := s.conn.Send([]replicate.Message{m}); k != 1 || err != nil {
		s.failed.Add(uint64(n))
		return
	}
	s.slices[at].offered.Add(uint64(n))
	s.sent.Add(uint64(n))
}

// A stage is a source, a node in a process of its own, a crowd behind it, and one receiver that may misbehave.
type stage struct {
	source  *source
	node    *deliver.Guest
	desk    netip.AddrPort
	crowd   *crowd
	culprit *culprit
	slices  int // that have been used
}

// setStage opens all. The node has socket buffers of so many bytes, 0 for its default; the culprit is one of fan.
func setStage(tb testing.TB, fan, buffer int) *stage {
	tb.Helper()
	begin := time.Now()
	clock := func() time.Duration { return time.Since(begin) }
	s := &stage{}
	tb.Cleanup(func() { s.strike(tb) })
	var err error
	if s.crowd, err = openCrowd(fan-1, clock); err != nil {
		tb.Fatal(err)
	}
	s.source = &source{clock: clock, slices: s.crowd.slices}
	if s.culprit, err = openCulprit(s.source.sent.Load); err != nil {
		tb.Fatal(err)
	}
	job := deliver.Job{Fan: fan, Size: packetSize, Arg: strconv.Itoa(buffer), To: []netip.AddrPort{s.culprit.addr}}
	for _, p := range s.crowd.plugs {
		job.To = append(job.To, p.Local())
	}
	if s.node, err = deliver.Launch("asked", 1, job); err == nil {
		s.source.to, s.desk, err = places(s.node.Where())
	}
	if err = errors.Join(err, s.source.start()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// strike ends all that is open. Only then may slices be looked at.
func (s *stage) strike(tb testing.TB) {
	if s.source != nil && s.source.conn != nil {
		s.source.close()
	}
	if s.node != nil {
		if err := s.node.Stop(); err != nil {
			tb.Error(err)
		}
	}
	if s.culprit != nil {
		s.culprit.close()
	}
	if s.crowd != nil {
		s.crowd.close()
	}
	*s = stage{}
}

// next begins a slice and returns its number. Packets that are due from now on are of it.
func (s *stage) next() int {
	s.slices++
	s.source.slice.Store(int32(s.slices))
	return s.slices
}

// aside lets time pass in which packets are of no slice that is looked at.
func (s *stage) aside(d time.Duration) {
	s.source.slice.Store(0)
	time.Sleep(d)
}

// rest stops the source and waits until nothing arrives any more.
func (s *stage) rest() {
	s.source.rate.Store(0)
	const quiet = 200 * time.Millisecond // a busy machine may hold the node up for some time
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		before := s.crowd.got.Load()
		if time.Sleep(quiet); s.crowd.got.Load() == before {
			return
		}
	}
}

// goodput returns how many packets a second the crowd gets of a time.
func (s *stage) goodput(d time.Duration) float64 {
	begin, before := time.Now(), s.crowd.got.Load()
	time.Sleep(d)
	return float64(s.crowd.got.Load()-before) / time.Since(begin).Seconds()
}

// ramp offers more and more until no more arrives, and returns the peak of what the crowd gets in a second. Each step
// takes so long.
func (s *stage) ramp(step time.Duration) (peak float64) {
	members := float64(len(s.crowd.plugs))
	s.source.slice.Store(0)
	short := 0
	for rate := 500.0; rate < 1e6; rate *= 1.25 {
		s.source.rate.Store(int64(rate))
		time.Sleep(step / 4)
		got := s.goodput(step)
		peak = max(peak, got)
		if short++; got > 0.8*rate*members {
			short = 0
		}
		if short == 2 { // not only held up by others
			break
		}
	}
	s.rest()
	return peak
}
