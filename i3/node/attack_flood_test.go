package node_test

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// A siege is a node with honest triggers that is flooded with others, from ever new addresses, so that no quota of a
// source stops it.
type siege struct {
	*rig
	rng     *rand.Rand
	cookies *i3.Cookies
	honest  []i3.Trigger
	chosen  int // of the next identifiers, so many are chosen against a hash without a key
	sent    int
	turn    int // of the honest trigger that is renewed next
	late    []time.Duration
	grown   int // bytes of the heap that the flood took
	batch   []machine.Datagram
	bytes   []byte
}

// newSiege returns a node with a table of some size, of which an eighth is honest.
func newSiege(t *testing.T, size int, key [16]byte) *siege {
	cfg := config()
	cfg.Limits, cfg.MaxTriggers = node.Limits{}, size
	copy(cfg.Secret[16:], key[:])
	s := &siege{
		rig: newRig(t, cfg), rng: rand.New(rand.NewPCG(7, 7)), cookies: i3.NewCookies(cfg.Secret),
		batch: make([]machine.Datagram, 1),
	}
	s.out = machine.NewOutbox(16, 4096, 16)
	for i := range size / 8 {
		id := i3.NewID(2*s.rng.Uint64N(1<<62), draw(s.rng), s.rng.Uint64())
		s.honest = append(s.honest, toHost(id, host(i)))
		s.send(host(i), s.append(nil, i3.KindInsert, s.proof(i)))
		s.now = s.now.Add(10 * machine.Microsecond)
	}
	if s.node.Triggers() != size/8 {
		t.Fatalf("%d honest triggers of %d: %+v", s.node.Triggers(), size/8, s.node.Counters())
	}
	return s
}

// proof returns an honest entry with the nonce of now.
func (s *siege) proof(i int) i3.Insert {
	epoch := uint32(s.now / machine.Time(60*machine.Second))
	return i3.Insert{Trigger: s.honest[i], Nonce: s.cookies.Nonce(epoch, s.honest[i])}
}

func (s *siege) append(b []byte, kind i3.Kind, in i3.Insert) []byte {
	p := i3.Packet{Kind: kind, HopLimit: 1, Length: i3.EntrySize, ID: in.Trigger.ID}
	return in.AppendTo(p.AppendTo(b))
}

func (s *siege) send(from netip.AddrPort, datagram []byte) {
	s.bytes, s.batch[0] = datagram, machine.Datagram{From: from, Bytes: datagram}
	s.out.Reset()
	s.node.Receive(s.now, s.batch, s.out)
}

// renew removes one honest trigger after the other, each every 15 s, and inserts it again in the same datagram: so it
// stands behind what has come meanwhile. It must have been there.
func (s *siege) renew() {
	before, in := s.node.Counters(), s.proof(s.turn)
	s.send(host(s.turn), s.append(s.append(s.bytes[:0], i3.KindRemove, in), i3.KindInsert, in))
	if c := s.node.Counters(); c.Removed != before.Removed+1 || c.Inserted != before.Inserted+1 {
		s.Fatalf("an honest trigger was lost: %+v, then %+v", before, c)
	}
	s.turn = (s.turn + 1) % len(s.honest)
	s.now = s.now.Add(15 * machine.Second / machine.Duration(len(s.honest)))
	if s.node.Deadline() <= s.now {
		s.node.Expire(s.now, s.out)
	}
}

// lookup measures how long a packet to an honest trigger takes, any one of them.
func (s *siege) lookup() {
	id := s.honest[s.rng.IntN(len(s.honest))].ID
	s.bytes = i3.Packet{Kind: i3.KindData, HopLimit: 32, ID: id}.AppendTo(s.bytes[:0])
	s.batch[0] = machine.Datagram{From: bob, Bytes: s.bytes}
	s.out.Reset()
	begun := time.Now()
	s.node.Receive(s.now, s.batch, s.out)
	s.late = append(s.late, time.Since(begun))
	if len(s.out.Forwards()) != 1 {
		s.Fatalf("an honest packet has %d copies", len(s.out.Forwards()))
	}
}

// flood inserts one trigger of a stranger, to an identifier: that takes no challenge.
func (s *siege) flood() {
	s.sent++
	id := i3.NewID(2*s.rng.Uint64N(1<<62), draw(s.rng), s.rng.Uint64())
	if s.chosen > 0 {
		s.chosen--
		for open := asm.NewKey(0, 0); asm.HashOne(&id, &open)%64 != 7; {
			id = i3.NewID(2*s.rng.Uint64N(1<<62), id.Key(), 0)
		}
	}
	link, _ := chain(id, s.rng.Uint64(), 0)
	from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, byte(s.sent >> 10), byte(s.sent >> 2), byte(s.sent)}), 1)
	s.send(from, s.append(s.bytes[:0], i3.KindInsert, i3.Insert{Trigger: link}))
}

// p99 returns the median of the 99th percentiles of nine parts of what was measured, which one pause of the machine
// does not move, and forgets it.
func (s *siege) p99() time.Duration {
	var parts []time.Duration
	for part := range slices.Chunk(s.late, (len(s.late)+8)/9) {
		slices.Sort(part)
		parts = append(parts, part[len(part)*99/100])
	}
	slices.Sort(parts)
	s.late = s.late[:0]
	return parts[len(parts)/2]
}

// heap returns how many bytes of the heap are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// besiege measures a quiet node, floods it and measures on.
func besiege(t *testing.T, size, inserts int, key [16]byte) (s *siege, quiet, flooded time.Duration) {
	s = newSiege(t, size, key)
	for range 20_000 {
		for range 16 {
			s.renew()
		}
		s.lookup()
	}
	quiet = s.p99()
	s.late = slices.Grow(s.late, inserts/40+1)
	s.chosen, s.grown = inserts/10, -heap()
	most := 0
	for i := range inserts {
		s.flood()
		if i%40 == 0 {
			s.renew()
			s.lookup()
			most = max(most, s.node.Triggers())
		}
	}
	if s.grown += heap(); most > size || s.node.Targets() > size {
		t.Errorf("%d triggers, %d targets in a table of %d", most, s.node.Targets(), size)
	}
	return s, quiet, s.p99()
}

// TestAttackA7TableFlood: of ten times as many inserts as there is room for, a tenth of them chosen against a hash
// without a key. The table stays within its bound, no honest trigger is lost, and honest packets are found as fast as
// before. With a key that is known the same attack makes it slow.
func TestAttackA7TableFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: two floods take a while, under the race detector most of a minute")
	}
	size, inserts := volume(1<<14, 1<<20), volume(160_000, 10_000_000)
	s, quiet, flooded := besiege(t, size, inserts, [16]byte{7, 7, 7})
	stats := s.node.Table()
	sources, targets, keys := s.node.Counts()
	t.Logf("%d inserts into a table of %d: p99 %v, flooded %v", inserts, size, quiet, flooded)
	t.Logf("%d cells for a search at most, a table of %d bytes, and %d of heap more; counts of %d sources, %d targets, "+
		"%d keys", stats.ProbeMax, stats.Bytes, s.grown, sources, targets, keys)
	if stats.ProbeMax > 16 || stats.Bytes > 300*size || s.grown > 400*size || max(sources, targets, keys) > size {
		t.Error("one of these is more than it should be")
	}
	if c := s.node.Counters(); c.NoRoom == 0 || c.DropRate+c.OverSource > 0 {
		t.Errorf("the flood did not fill the table, or was stopped before it: %+v", c)
	}
	for range s.honest {
		s.renew() // fails if one is not there
	}
	if volume(0, 1) == 1 && flooded > 2*quiet { // a time is no promise on a busy machine
		t.Errorf("p99 of honest packets %v, and %v before the flood", flooded, quiet)
	}
	known, quiet, flooded := besiege(t, size, inserts, [16]byte{})
	t.Logf("with a known key: p99 %v, flooded %v; %d cells", quiet, flooded, known.node.Table().ProbeMax)
	if known.node.Table().ProbeMax <= 16 {
		t.Error("the identifiers were not chosen well: with a known key they do no harm")
	}
}

// TestAttackA7OneSource: what one source can put into the table is its quota, however often it tries.
func TestAttackA7OneSource(t *testing.T) {
	cfg := config()
	cfg.Limits = node.Limits{}
	r := newRig(t, cfg)
	for i := range volume(20_000, 1_000_000) {
		link, _ := chain(local(uint64(i)), 6, 0)
		r.receive(mallory, request(i3.KindInsert, 1, i3.Insert{Trigger: link}))
		r.now = r.now.Add(10 * machine.Microsecond)
	}
	c := r.node.Counters()
	if t.Logf("%+v", c); r.node.Triggers() > node.DefaultMaxPerSource || c.OverSource+c.DropRate == 0 {
		t.Errorf("%d triggers of one source, want at most %d", r.node.Triggers(), node.DefaultMaxPerSource)
	}
}

// TestAttackA7OneKey: a million suffixes of one prefix and key, asked for by as many sources, are held to the cap.
func TestAttackA7OneKey(t *testing.T) {
	cfg := config()
	cfg.Limits = node.Limits{}
	r := newRig(t, cfg)
	for i := range volume(20_000, 1_000_000) {
		link, _ := chain(local(1).WithSuffix(uint64(i)), 6, 0)
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
		r.receive(from, request(i3.KindInsert, 1, i3.Insert{Trigger: link}))
	}
	if c := r.node.Counters(); r.node.Triggers() != node.DefaultMaxPerKey || c.OverKey == 0 {
		t.Errorf("%d triggers of one prefix and key, want %d: %+v", r.node.Triggers(), node.DefaultMaxPerKey, c)
	}
}
