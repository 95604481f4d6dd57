package multicast_test

import (
	"encoding/binary"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// A boaster is a receiver that claims to be at the source, whatever it is asked: nothing is lost on its way, which is
// as wide as any.
type boaster struct {
	machine.Machine
	lies int
}

// nearest is a distance of less than nothing, a tenth of a second.
const nearest = 1<<64 - 100_000_000

func (l *boaster) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	l.Machine.Receive(now, batch, out)
	for _, s := range out.Sends() {
		for p, payload := range packets(s.Bytes) {
			m, body, err := multicast.ParseMessage(payload)
			if p.Kind != i3.KindDirect || err != nil {
				continue
			}
			switch m.Type {
			case multicast.TypeReply:
				binary.BigEndian.PutUint64(body[32:], nearest)
			case multicast.TypeReport:
				binary.BigEndian.PutUint64(body[32:], nearest)
				best := uint32(0)
				if multicast.Metric(body[40]) == multicast.Bandwidth {
					best = multicast.Unlimited
				}
				binary.BigEndian.PutUint32(body[44:], best)
			default:
				continue
			}
			l.lies++
		}
	}
}

// lie makes a receiver a boaster, and of the data for its identifier its node loses all but every n-th packet; 0: all.
func (b *bed) lie(r *receiver, n int) *boaster {
	l := &boaster{Machine: r.Machine}
	r.Endpoint.Start(l)
	count := 0
	b.Nodes()[b.nodeOf(r.own())].Endpoint.SetFilter(func(d machine.Datagram) bool {
		for p, payload := range packets(d.Bytes) {
			m, _, err := multicast.ParseMessage(payload)
			if p.Kind != i3.KindData || err != nil || p.ID != r.own() {
				continue
			}
			if m.Type == multicast.TypeData || m.Type == multicast.TypeHeartbeat && n == 0 {
				if count++; n == 0 || count%n != 0 {
					return false
				}
			}
		}
		return true
	})
	return l
}

// stream makes the source send a packet in every gap until cond holds, and fails the test if it does not in time.
func (b *bed) stream(what string, limit machine.Duration, cond func() bool) {
	b.tb.Helper()
	for end := b.world.Now().Add(limit); !cond(); {
		if b.world.Now() > end {
			b.tb.Fatalf("%s: not within %v s\n%s", what, limit.Seconds(), b.tree())
		}
		b.send(1, 20*millisecond)
	}
}

// TestAttackA12DistanceLies: a member claims to be the best place there is, and what is to pass its identifier gets
// lost, most of it or all. Whoever joins there leaves and finds another place; without a trial they stay.
func TestAttackA12DistanceLies(t *testing.T) {
	for _, c := range []struct {
		name   string
		search multicast.SearchPolicy
		every  int // packet passes
		stay   bool
	}{
		{"distance", multicast.SearchPolicy{Trial: 64}, 4, false},
		{"distance, all lost", multicast.SearchPolicy{Trial: 64}, 0, false},
		{"distance, unchecked", multicast.SearchPolicy{}, 4, true},
		{"loss", multicast.SearchPolicy{Metric: multicast.Loss}, 2, false},
		{"loss, all lost", multicast.SearchPolicy{Metric: multicast.Loss}, 0, false},
		{"loss, unchecked", multicast.SearchPolicy{Metric: multicast.Loss, Trial: -1}, 2, true},
		{"bandwidth", multicast.SearchPolicy{Metric: multicast.Bandwidth}, 4, false},
		{"bandwidth, all lost", multicast.SearchPolicy{Metric: multicast.Bandwidth}, 0, false},
		{"bandwidth, unchecked", multicast.SearchPolicy{Metric: multicast.Bandwidth, Trial: -1}, 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{seed: 61, nodes: 8, degree: 4, group: multicast.Config{Search: c.search}})
			b.send(1, 20*millisecond)
			rs := b.grow(4) // the source's places are taken
			b.send(100, 20*millisecond)
			bad := b.lie(rs[1], c.every)
			victims := b.add(4, 5, 6)
			under := func(r *receiver) bool { return r.Machine.Level() > 0 && r.Machine.Chain()[1] == rs[1].own() }
			for _, r := range victims {
				r.Join()
				b.stream(r.name+" is deceived", 20*second, func() bool { return under(r) })
			}
			b.send(400, 20*millisecond)
			stayed := 0
			for _, r := range victims {
				if under(r) {
					stayed++
				}
				if n := r.Machine.Measures().Shortfalls; c.stay != (n == 0) || n > multicast.DefaultMoves {
					t.Errorf("%s left %d places", r.name, n)
				}
			}
			if c.stay && stayed < len(victims) || !c.stay && stayed > 0 {
				t.Errorf("%d of %d are still with the liar, stay: %v\n%s", stayed, len(victims), c.stay, b.tree())
			}
			if bad.lies == 0 {
				t.Error("nobody asked the liar")
			}
			if c.stay {
				return
			}
			rs[1].gone = true // what it is owed it has kept from itself
			b.quiesce(20 * second)
			b.judge()
		})
	}
}

// Where every place falls short a receiver moves as often as it may, to those that it has excluded when there is no
// other, and stays then.
func TestMovesAreBounded(t *testing.T) {
	const moves = 4
	search := multicast.SearchPolicy{Trial: 32, Moves: moves}
	b := newBed(t, setup{seed: 62, nodes: 8, degree: 2, group: multicast.Config{Search: search}})
	b.send(1, 20*millisecond)
	b.grow(2)
	r := b.add(5)[0]
	n := 0
	r.drop = func(p i3.Packet, payload []byte) bool { // its own last hop is what is bad
		m, _, err := multicast.ParseMessage(payload)
		n++
		return p.Kind == i3.KindData && err == nil && m.Type == multicast.TypeData && n%4 != 0
	}
	r.Join()
	b.send(3000, 20*millisecond)
	if got := r.Machine.Measures().Shortfalls; got != moves {
		t.Errorf("%d places left, want %d", got, moves)
	}
	b.quiesce(20 * second)
	b.judge()
}

// TestAttackA10RepairBlackHole: the member that loses least is asked first for every lost packet, and answers nothing.
// Repairs come from others, soon. To the letter of the paper the same member is asked again and again: none comes.
func TestAttackA10RepairBlackHole(t *testing.T) {
	for _, c := range []struct {
		name    string
		repair  multicast.RepairPolicy
		succeed bool
	}{
		{"rel-loss", multicast.RepairPolicy{}, true},
		{"rel-random", multicast.RepairPolicy{Scheme: multicast.Spread}, true},
		{"rel-loss, literal", multicast.PaperRepair(multicast.LowestLoss), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, setup{seed: 63, nodes: 8, degree: 8, group: multicast.Config{Repair: c.repair}})
			rs := b.grow(7)
			hole, asked := rs[2], 0
			hole.drop = func(p i3.Packet, payload []byte) bool {
				m, _, err := multicast.ParseMessage(payload)
				drop := p.Kind == i3.KindData && err == nil && m.Type == multicast.TypeRequest
				if drop {
					asked++
				}
				return drop
			}
			b.send(130, 20*millisecond)
			for i, r := range rs { // the others lose one packet in eight, so the black hole is in the lowest class
				if r == hole {
					continue
				}
				r.drop = func(p i3.Packet, payload []byte) bool {
					m, _, err := multicast.ParseMessage(payload)
					return p.Kind == i3.KindData && err == nil && m.Type == multicast.TypeData && m.Seq%8 == uint64(i)
				}
			}
			b.send(400, 20*millisecond)
			b.quiesce(5 * second)
			missing := 0
			for _, r := range rs {
				missing += r.Machine.Missing()
				for _, took := range r.repaired {
					if c.succeed && took > second {
						t.Errorf("%s: a repair took %.2f s", r.name, took.Seconds())
					}
				}
			}
			if asked == 0 {
				t.Error("nobody asked the black hole")
			}
			if c.succeed != (missing == 0) {
				t.Errorf("%d packets are missing, succeed: %v", missing, c.succeed)
			}
			if c.succeed {
				b.judge()
			}
		})
	}
}
