package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"i3bench/replicate"
)

// headerSize is what every copy has of its own.
const headerSize = 48

// A sink is where the benchmarks send to and nothing arrives.
type sink struct {
	space *space // nil: none could be made
	base  netip.AddrPort
}

// newSink returns a device that drops in a namespace of its own, or else a socket of loopback whose buffer is full.
func newSink(b *testing.B) *sink {
	if s := trySpace(b); s != nil {
		network := netip.MustParseAddr("10.77.0.0")
		s.sink(b, "sink", network, 1500)
		return &sink{s, netip.AddrPortFrom(host(network, 256), 9000)}
	}
	b.Log("sink: a socket of loopback that is full, in place of a device that drops")
	pc, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = pc.Close() })
	_ = pc.(*net.UDPConn).SetReadBuffer(1)
	return &sink{nil, netip.AddrPortFrom(netip.MustParseAddr("127.77.1.0"), unmapped(pc.LocalAddr()).Port())}
}

// enter puts the goroutine of a benchmark where the sink is, on a thread of its own.
func (s *sink) enter(b *testing.B) {
	if s.space != nil {
		s.space.enter(b)
		return
	}
	runtime.LockOSThread()
}

func (s *sink) addrs(fan int) []netip.AddrPort {
	to := make([]netip.AddrPort, fan)
	for i := range to {
		to[i] = netip.AddrPortFrom(host(s.base.Addr(), i), s.base.Port())
	}
	return to
}

// A load is calls of Send that are all alike but for the addresses and the headers of their copies.
type load struct {
	to       []netip.AddrPort
	ms       []replicate.Message
	headers  []byte // 64 bytes for each copy
	segments int
	next     int
	number   uint64
}

// shape returns how many datagrams a train of the form has, and how many messages a call.
func shape(form string, size int) (segments, messages int) {
	if form == "train" {
		return min(defaultTrain, MaxDatagram/(headerSize+size)), 8
	}
	return 1, defaultBatch
}

func newLoad(form string, size int, to []netip.AddrPort) *load {
	segments, messages := shape(form, size)
	l := &load{to: to, segments: segments, headers: make([]byte, segments*messages*64)}
	payload := make([]byte, size)
	for i := range messages {
		m := replicate.Message{Size: segments * (headerSize + size), Copies: segments}
		if segments > 1 {
			m.Segment = headerSize + size
		}
		for k := range segments {
			h := l.headers[(i*segments+k)*64:]
			m.Vectors = append(m.Vectors, replicate.VectorOf(h[:headerSize]), replicate.VectorOf(payload))
		}
		l.ms = append(l.ms, m)
	}
	return l
}

// fill makes the next call's copies.
func (l *load) fill() {
	for i := range l.ms {
		l.ms[i].To = l.to[l.next]
		if l.next++; l.next == len(l.to) {
			l.next = 0
		}
	}
	for at := 0; at < len(l.headers); at += 64 {
		binary.NativeEndian.PutUint64(l.headers[at:], l.number)
		l.number++
	}
}

// A writer sends the copies of a call and returns how many were sent.
type writer func() (copies int)

// newWriter returns what sends in a form: plain is a write of the net package for every copy, as a program would do
// that knows no better; xnet the portable form of this package; classes is sendmmsg with classes of one way out.
func newWriter(b *testing.B, form string, size, fan int, s *sink) writer {
	to := s.addrs(fan)
	if form == "plain" {
		return plainWriter(b, size, to)
	}
	f := forms()[0]
	if form == "classes" {
		f.open = classes
	}
	c := open(b, f, Config{Portable: form == "xnet"})
	l := newLoad(form, size, to)
	return func() (copies int) {
		l.fill()
		for ms := l.ms; len(ms) > 0; {
			n, err := c.Send(ms)
			copies += n * l.segments
			if ms = ms[n:]; err != nil {
				if !errors.Is(err, replicate.ErrFull) {
					b.Fatal(err)
				}
				ms = ms[1:]
			}
		}
		return copies
	}
}

func plainWriter(b *testing.B, size int, to []netip.AddrPort) writer {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetWriteBuffer(defaultBuffer)
	d := make([]byte, headerSize+size) // the payload stays; only the header is written for each
	next, number := 0, uint64(0)
	return func() (copies int) {
		for range defaultBatch {
			binary.NativeEndian.PutUint64(d, number)
			number++
			if _, err := conn.WriteToUDPAddrPort(d, to[next]); err == nil {
				copies++
			}
			if next++; next == len(to) {
				next = 0
			}
		}
		return copies
	}
}

// BenchmarkSend measures what a copy costs in each form, to a sink that drops. An operation is a call of Send: of 64
// datagrams, or of 8 trains.
func BenchmarkSend(b *testing.B) {
	s := newSink(b)
	for _, form := range []string{"plain", "xnet", "sendmmsg", "train"} {
		for _, size := range []int{64, 512, 1200} {
			for _, fan := range []int{1, 8, 32, 1024} {
				b.Run(fmt.Sprintf("form=%s/size=%d/fan=%d", form, size, fan), func(b *testing.B) {
					s.enter(b)
					write, copies := newWriter(b, form, size, fan, s), 0
					b.ReportAllocs()
					begin, cpu := time.Now(), threadCPU(b)
					for b.Loop() {
						copies += write()
					}
					cpu = threadCPU(b) - cpu
					b.ReportMetric(float64(copies)/time.Since(begin).Seconds(), "copies/s")
					b.ReportMetric(float64(copies)/float64(cpu)*1e9, "copies/cpu-s")
				})
			}
		}
	}
}

// slice is how long a form runs before another has its turn.
const slice = 40 * time.Millisecond

// rate runs a writer for a slice and returns its copies per second of processor time.
func rate(b *testing.B, write writer) float64 {
	copies, cpu := 0, threadCPU(b)
	for begin := time.Now(); time.Since(begin) < slice; {
		copies += write()
	}
	return float64(copies) / float64(threadCPU(b)-cpu) * 1e9
}

// limit compiles the program that sends the same from C.
func limit(b *testing.B) string {
	cc, err := exec.LookPath("cc")
	if err != nil {
		b.Skipf("udp: no C compiler for the limit: %v", err)
	}
	exe := filepath.Join(b.TempDir(), "fan")
	if out, err := exec.Command(cc, "-O2", "-o", exe, "limit/fan.c").CombinedOutput(); err != nil {
		b.Skipf("udp: %v: %s", err, out)
	}
	return exe
}

// limitRate runs the program for a slice in the namespace of this thread.
func limitRate(b *testing.B, exe, form string, size int, addrs string) float64 {
	segments, messages := shape(form, size)
	cmd := exec.Command(exe, form, fmt.Sprint(size), fmt.Sprint(segments), fmt.Sprint(messages),
		fmt.Sprint(slice.Milliseconds()))
	cmd.Stdin = strings.NewReader(addrs)
	out, err := cmd.Output()
	var copies, cpu, refused float64
	if err == nil {
		_, err = fmt.Sscan(string(out), &copies, &cpu, &refused)
	}
	if err != nil || copies == 0 || cpu == 0 {
		b.Fatalf("limit: %q, %v", out, err)
	}
	return copies / cpu * 1e9
}

// BenchmarkLimit holds the two forms against the same loops in C and against plain writes of the net package. All take
// turns in one run; what is reported are medians of copies per second of processor time, and of their ratios by turn.
func BenchmarkLimit(b *testing.B) {
	exe, s := limit(b), newSink(b)
	for _, c := range []struct {
		form      string
		size, fan int
	}{
		{"train", 64, 32}, {"train", 512, 1}, {"train", 512, 8}, {"train", 512, 32}, {"train", 512, 256},
		{"train", 1200, 32}, {"sendmmsg", 512, 1}, {"sendmmsg", 512, 32}, {"sendmmsg", 512, 256},
		{"sendmmsg", 512, 2048}, {"classes", 512, 2048},
	} {
		b.Run(fmt.Sprintf("form=%s/size=%d/fan=%d", c.form, c.size, c.fan), func(b *testing.B) {
			s.enter(b)
			ours, plain := newWriter(b, c.form, c.size, c.fan, s), newWriter(b, "plain", c.size, c.fan, s)
			var list strings.Builder
			for _, a := range s.addrs(c.fan) {
				fmt.Fprintln(&list, a.Addr(), a.Port())
			}
			var rates [5][]float64
			for b.Loop() {
				own, peer := rate(b, ours), rate(b, plain)
				most := limitRate(b, exe, c.form, c.size, list.String())
				for i, v := range []float64{own, peer, most, own / most, own / peer} {
					rates[i] = append(rates[i], v)
				}
			}
			for i, name := range []string{"copies/cpu-s", "plain/cpu-s", "c/cpu-s", "of-c", "times-plain"} {
				slices.Sort(rates[i])
				b.ReportMetric(rates[i][len(rates[i])/2], name)
			}
		})
	}
}
