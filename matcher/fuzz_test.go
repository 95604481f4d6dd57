package matcher_test

import (
	"math/rand/v2"
	"testing"

	"i3bench/i3"
	"i3bench/matcher"
)

// The identifiers of the fuzzer: few, so that prefixes and suffixes meet often.
// Most of the groups have a double that only a comparison of all words tells
// from them.
var (
	fuzzGroups = [8]i3.ID{
		equalTags[0][0], equalTags[0][1], equalTags[1][0], equalTags[1][1], equalTags[2][0], equalTags[2][1],
		{}, i3.NewID(1<<63, i3.Key{}, 0),
	}
	fuzzSuffixes = [16]uint64{0, 1, 2, 3, 4, 7, 8, 1 << 31, 1 << 32, 1<<32 + 1,
		1 << 62, 1 << 63, 1<<63 + 1, ^uint64(0) - 1, ^uint64(0), 0xaaaaaaaaaaaaaaaa}
)

// A script reads operations from bytes.
type script struct {
	data []byte
	pos  int
}

func (s *script) more() bool { return s.pos < len(s.data) }

func (s *script) byte() byte {
	if !s.more() {
		return 0
	}
	s.pos++
	return s.data[s.pos-1]
}

// id returns one of 128 identifiers.
func (s *script) id() i3.ID {
	b := s.byte()
	return fuzzGroups[b&7].WithSuffix(fuzzSuffixes[b>>3&15])
}

// query returns an identifier of a packet: one of the 128, or one bit beside it.
func (s *script) query() i3.ID {
	id, b := s.id(), s.byte()
	if b&64 != 0 {
		id = id.WithSuffix(id.Suffix() ^ 1<<(b&63))
	}
	return id
}

// config returns small limits.
func (s *script) config() matcher.Config {
	b := s.byte()
	return matcher.Config{MaxPerID: 1 + int(b&15), MaxTriggers: 4 << (b >> 4 & 7)}
}

// step runs one operation.
func (m *model) step(s *script) {
	m.ops++
	switch op := s.byte() % 16; op {
	default: // 0..6
		id, b := s.id(), s.byte()
		m.insert(id, matcher.Target(b&31), m.now+matcher.Tick(b>>5))
	case 7:
		m.remove(s.id(), matcher.Target(s.byte()&31))
	case 8:
		m.match(s.query())
	case 9:
		ids := make([]i3.ID, s.byte()%150)
		for i := range ids {
			ids[i] = s.query()
		}
		m.matchBatch(ids)
	case 10:
		rs := make([]matcher.Refresh, s.byte()%100)
		for i := range rs {
			id, b := s.id(), s.byte()
			rs[i] = matcher.Refresh{ID: id, Target: matcher.Target(b & 31), Expire: m.now + matcher.Tick(b>>5)}
		}
		m.refreshBatch(rs)
	case 11:
		m.count(s.id())
	case 12:
		m.advance(s.byte())
	case 13:
		m.sweepStep(1 + int(s.byte()%32))
	case 14:
		m.sweepAll()
	case 15:
		m.check()
	}
}

// advance moves the time, now and then backwards: the table does not promise
// anything about it, but what a call returns is defined by its now alone.
func (m *model) advance(b byte) {
	if b >= 250 && m.now > 0 {
		m.now--
		clear(m.mustGo)
		return
	}
	m.now += matcher.Tick(b & 3)
}

// finish drains the tables.
func (m *model) finish() {
	m.check()
	m.now += 1000
	for range 2 { // the pass under way, and a whole one
		places := m.tables[0].Len() + 1<<12
		for steps := 0; !m.sweepStep(3); steps++ {
			if steps > places {
				m.fatalf("sweep does not come to an end")
			}
		}
	}
	m.check()
	if n := m.tables[0].Len(); n != 0 {
		m.fatalf("%d triggers left after everything expired and two passes", n)
	}
}

// FuzzOperations runs arbitrary sequences of operations on tables and oracle.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{0x21, 0, 0, 0x21, 0, 4, 0x22, 8, 0, 0x41, 12, 3, 14, 15})
	rng := rand.New(rand.NewPCG(7, 7))
	for range 8 {
		f.Add(randomBytes(rng, 600))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &script{data: data[:min(len(data), 8192)]}
		m := newModel(t, s.config())
		for s.more() {
			m.step(s)
		}
		m.finish()
	})
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// TestRandomOperations is the fuzzer's job done for long with fixed seeds.
func TestRandomOperations(t *testing.T) {
	const runs, opsPerRun = 40, 5500
	for run := range runs {
		rng := rand.New(rand.NewPCG(uint64(run), 192))
		s := &script{data: randomBytes(rng, 64*opsPerRun)}
		m := newModel(t, matcher.Config{MaxPerID: 1 + run%12, MaxTriggers: 8 << (run % 6)})
		for m.ops < opsPerRun {
			if !s.more() {
				t.Fatalf("run %d: out of bytes after %d operations", run, m.ops)
			}
			m.step(s)
		}
		m.finish()
	}
	t.Logf("%d operations", runs*opsPerRun)
}
