package node_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/cputime"
)

// bounds are the limits that benchmarks compare: none, the default quotas, and these with every rate, so high that it
// drops nothing.
var bounds = []struct {
	name   string
	limits node.Limits
}{
	{"none", node.Unlimited()},
	{"quotas", node.Limits{Requests: node.Rate{PerSecond: -1}}},
	{"all", node.Limits{Requests: node.Rate{PerSecond: 1e9}, Packets: node.Rate{PerSecond: 1e9}}},
}

// benchRig returns a node with so many triggers for each of 64 identifiers.
func benchRig(b *testing.B, degree int, limits node.Limits, target func(id i3.ID, i int) i3.Trigger) *rig {
	cfg := config()
	cfg.MaxPerID, cfg.Limits = degree, limits
	cfg.Limits.MaxShare = -1 // all are of one host
	r := newRig(b, cfg)
	r.out = machine.NewOutbox(0, 0, 0)
	for n := range uint64(64) {
		for i := range degree {
			r.insert(target(local(n), i))
		}
	}
	return r
}

// BenchmarkForward is the data path up to the driver: one packet in, D copies noted. Payloads are 1,200 bytes, which
// nothing here touches.
func BenchmarkForward(b *testing.B) {
	for _, kind := range []struct {
		name   string
		target func(id i3.ID, i int) i3.Trigger
	}{
		{"host", func(id i3.ID, i int) i3.Trigger { return toHost(id, host(i)) }},
		{"chain", func(id i3.ID, i int) i3.Trigger {
			link, _ := chain(id, remote(uint64(i)).Prefix(), 0)
			return link
		}},
	} {
		for _, degree := range []int{1, 8, 32} {
			r := benchRig(b, degree, node.Unlimited(), kind.target)
			for _, size := range []int{1, 64} {
				b.Run(fmt.Sprintf("target=%s/D=%d/batch=%d", kind.name, degree, size), func(b *testing.B) {
					benchForward(b, r, degree, size)
				})
			}
		}
	}
}

// BenchmarkForwardLimits is the same with and without limits: quotas must cost nothing here.
func BenchmarkForwardLimits(b *testing.B) {
	for _, bound := range bounds {
		r := benchRig(b, 8, bound.limits, func(id i3.ID, i int) i3.Trigger { return toHost(id, host(i)) })
		for _, size := range []int{1, 64} {
			b.Run(fmt.Sprintf("limits=%s/D=8/batch=%d", bound.name, size), func(b *testing.B) {
				benchForward(b, r, 8, size)
			})
		}
	}
}

func benchForward(b *testing.B, r *rig, degree, size int) {
	batch := make([]machine.Datagram, size)
	for i := range batch {
		batch[i] = machine.Datagram{From: bob, Bytes: data(local(uint64(i)), string(make([]byte, 1200)))}
	}
	before := r.node.Counters().Copies
	b.ReportAllocs()
	report := cputime.Start(b)
	for b.Loop() {
		rewind(batch)
		r.out.Reset()
		r.node.Receive(r.now, batch, r.out)
	}
	report(b.N, "op")
	if got := r.node.Counters().Copies - before; got != uint64(b.N*size*degree) {
		b.Fatalf("%d copies of %d batches, want %d", got, b.N, b.N*size*degree)
	}
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(b.N*size)/seconds, "packets/s")
	b.ReportMetric(float64(b.N*size*degree)/seconds, "copies/s")
}

// BenchmarkInsert inserts new triggers into a table of up to 65,536: of hosts, with the challenge, which is two
// requests, and without it, and of identifier targets, which have none. The target is 10 us with the challenge and 5 us
// without.
func BenchmarkInsert(b *testing.B) {
	const n = 1 << 16
	plain, proven, chained := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	for i := range plain {
		tr := toHost(local(uint64(i)), host(i%251))
		link, _ := chain(local(uint64(i)), 6, 0)
		plain[i] = request(i3.KindInsert, 1, i3.Insert{Trigger: tr})
		proven[i] = request(i3.KindInsert, 1, i3.Insert{Trigger: tr, Nonce: nonceAt(start, tr)})
		chained[i] = request(i3.KindInsert, 1, i3.Insert{Trigger: link, Owner: i3.Key{1}})
	}
	for _, c := range []struct {
		name     string
		requests [][][]byte
	}{
		{"target=host/challenge=no", [][][]byte{proven}},
		{"target=host/challenge=yes", [][][]byte{plain, proven}},
		{"target=id/challenge=no", [][][]byte{chained}},
	} {
		for _, bound := range bounds {
			b.Run(c.name+"/limits="+bound.name, func(b *testing.B) { benchInsert(b, bound.limits, c.requests) })
		}
	}
}

func benchInsert(b *testing.B, limits node.Limits, requests [][][]byte) {
	n := len(requests[0])
	cfg := config()
	cfg.Limits = limits
	var r *rig
	batch := make([]machine.Datagram, 1)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if i%n == 0 {
			b.StopTimer()
			r = newRig(b, cfg)
			b.StartTimer()
		}
		for _, list := range requests {
			batch[0] = machine.Datagram{From: host(i % 251), Bytes: list[i%n]}
			r.out.Reset()
			r.node.Receive(r.now, batch, r.out)
		}
		i++
	}
	if c := r.node.Counters(); int(c.Inserted) != (i-1)%n+1 {
		b.Fatalf("%d inserted since the last new node, want %d", c.Inserted, (i-1)%n+1)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inserts/s")
}

// BenchmarkInsertMirrors inserts new triggers at a node of a ring, with and without mirrors: as many as an answer
// holds, and then both successors ask what has changed. The targets are those of BenchmarkInsert.
func BenchmarkInsertMirrors(b *testing.B) {
	for _, on := range []bool{false, true} {
		for _, challenge := range []bool{false, true} {
			b.Run(fmt.Sprintf("challenge=%v/mirrors=%v", challenge, on), func(b *testing.B) {
				benchInsertMirrors(b, on, challenge)
			})
		}
	}
}

func benchInsertMirrors(b *testing.B, on, challenge bool) {
	const n = 1 << 15
	var m *mirrorBench
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			b.StopTimer()
			m = newMirrorBench(b, on, n)
			b.StartTimer()
		}
		if challenge {
			m.receive(m.plain[i%n], bob)
		}
		m.receive(m.proven[i%n], bob)
		if on && i%i3.MaxHanded == 0 {
			m.ask()
		}
	}
	if c := m.r.node.Counters(); on && c.MirrorsGiven+2*2*i3.MaxHanded < 2*(c.Inserted-m.before) {
		b.Fatalf("%d inserted and %d given to both", c.Inserted-m.before, c.MirrorsGiven)
	}
}

// A mirrorBench is a node of a ring, what hosts ask of it, and how far those are that keep mirrors.
type mirrorBench struct {
	r             *rig
	plain, proven [][]byte
	batch         [1]machine.Datagram
	keepers       [2]netip.AddrPort
	before        uint64 // insertions
	serial        uint64
	epoch         uint32
}

func newMirrorBench(b *testing.B, on bool, n int) *mirrorBench {
	f := newFloodOn(newRingBedOf(b, 4, func(cfg *node.Config) { cfg.Mirrors = on }), 10, 60)
	m := &mirrorBench{r: f.rigs[f.all[2].Addr], keepers: [2]netip.AddrPort{f.all[3].Addr, f.all[0].Addr}}
	m.r.now, m.before = f.now, m.r.node.Counters().Inserted
	m.epoch = m.r.ack(local(1)).Epoch
	own := chord.Range{Lo: f.all[1].Prefix, Hi: f.all[2].Prefix}
	for i := range uint64(n) {
		id := i3.NewID(own.At((i+1)<<40)&^1, i3.Key{byte(i), byte(i >> 8), byte(i >> 16)}, 0)
		tr := toHost(id, host(int(i%251)))
		m.plain = append(m.plain, request(i3.KindInsert, 1, i3.Insert{Trigger: tr}))
		m.proven = append(m.proven, request(i3.KindInsert, 1, m.r.proven(tr)))
	}
	return m
}

func (m *mirrorBench) receive(d []byte, from netip.AddrPort) {
	m.batch[0] = machine.Datagram{From: from, Bytes: d}
	m.r.out.Reset()
	m.r.node.Receive(m.r.now, m.batch[:], m.r.out)
}

// ask is both keepers' question for what has changed.
func (m *mirrorBench) ask() {
	q := mirrorPacket(1, i3.Mirror{Serial: m.serial, Epoch: m.epoch, Room: i3.MaxHanded})
	for _, k := range m.keepers {
		m.receive(q, k)
	}
	a, _, _ := asMirror(m.r.out.Sends()[0].Bytes)
	m.serial = a.Serial
}

// BenchmarkRefresh refreshes triggers of a table of 65,536, alone and in full batches of one host.
func BenchmarkRefresh(b *testing.B) {
	for _, size := range []int{1, i3.MaxEntries} {
		for _, bound := range bounds {
			b.Run(fmt.Sprintf("entries=%d/limits=%s", size, bound.name), func(b *testing.B) {
				benchRefresh(b, bound.limits, size)
			})
		}
	}
}

func benchRefresh(b *testing.B, limits node.Limits, size int) {
	cfg := config()
	cfg.Limits = limits
	r := newRig(b, cfg)
	const n = 1 << 16
	var requests [][]byte
	for i := 0; i+size <= n; i += size {
		ins := make([]i3.Insert, size)
		for j := range ins {
			ins[j] = r.proven(toHost(local(uint64(i+j)), host(i/size%251)))
		}
		requests = append(requests, request(i3.KindInsert, 1, ins...))
		r.receive(bob, requests[len(requests)-1])
	}
	batch, i := make([]machine.Datagram, 1), 0
	before := r.node.Counters().Refreshed
	for b.Loop() {
		batch[0] = machine.Datagram{From: bob, Bytes: requests[i%len(requests)]}
		r.out.Reset()
		r.node.Receive(r.now, batch, r.out)
		i++
	}
	if got := int(r.node.Counters().Refreshed - before); got != b.N*size {
		b.Fatalf("%d refreshed, want %d", got, b.N*size)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/refresh")
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "refreshes/s")
}

// BenchmarkReject drops what does not decode: the cost of a flood of garbage.
func BenchmarkReject(b *testing.B) {
	r := newRig(b, config())
	for _, name := range []string{"text", "reserved in trigger", "one entry too many"} {
		b.Run("what="+strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			batch := []machine.Datagram{{From: bob, Bytes: malformed()[name]}}
			for b.Loop() {
				r.node.Receive(r.now, batch, r.out)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

var _ machine.Machine = (*node.Node)(nil)
