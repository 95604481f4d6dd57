package multicast_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/prng"
	"i3bench/testbed"
)

// groupKey is the key of the groups in these tests.
var groupKey = [32]byte{7: 7, 31: 31}

// volume returns how often an attack is tried: as often as was promised with make attacks, else for a moment.
func volume(short, full int) int {
	if os.Getenv("I3BENCH_ATTACKS") != "" {
		return full
	}
	return short
}

// A victim is a receiver with somebody below it, a lost packet, and an attacker who knows all their identifiers.
type victim struct {
	*receiver
	rng *rand.Rand
	out *machine.Outbox
}

func newVictim(t *testing.T, key [32]byte) *victim {
	t.Helper()
	b := newBed(t, setup{seed: 5, degree: 1, group: multicast.Config{Key: key}})
	rs := b.grow(3)
	v := &victim{receiver: rs[1], rng: rand.New(rand.NewPCG(9, 9)), out: machine.NewOutbox(0, 0, 0)}
	b.send(3, 20*millisecond)
	v.drop = func(p i3.Packet, payload []byte) bool { // from now on it gets nothing
		return p.Kind == i3.KindData || p.Kind == i3.KindDirect
	}
	b.send(1, millisecond)
	v.bed = &bed{tb: &quiet{TB: t}, Bed: b.Bed, world: b.world} // what is forged is not what was sent
	return v
}

// attackTypes are the messages that an outsider would like members to believe.
var attackTypes = []multicast.Type{
	multicast.TypeData, multicast.TypeHeartbeat, multicast.TypeRefreshAck, multicast.TypeRepair, multicast.TypeGone,
	multicast.TypeLeaving, multicast.TypeAdopt, multicast.TypeHint, multicast.TypeQuery, multicast.TypeRequest,
	multicast.TypeRekey, multicast.TypeEnd,
}

// forge makes a message that a member would believe if it had the right tag, and the packet that it comes in.
func (v *victim) forge(typ multicast.Type) (p i3.Packet, message []byte) {
	chain := v.Machine.Chain()
	above, own := chain[len(chain)-2], chain[len(chain)-1]
	p = i3.Packet{Kind: i3.KindData, HopLimit: 1, ID: own}
	m := multicast.Message{Type: typ, Seq: v.Machine.Highest() + v.rng.Uint64N(1<<16), Time: v.rng.Int64()}
	var body []byte
	switch typ {
	case multicast.TypeHeartbeat:
		m.Seq += v.rng.Uint64N(1 << 50)
		m.Epoch = v.rng.Uint32N(3)
	case multicast.TypeEnd:
		m.Seq = v.Machine.Highest() + 1 + v.rng.Uint64N(9)
	case multicast.TypeGone:
		m.Seq = v.Machine.Highest()
	case multicast.TypeData, multicast.TypeRepair:
		body, m.Seq = []byte("what the source never said"), v.Machine.Highest()+1+v.rng.Uint64N(9)
	case multicast.TypeRefreshAck:
		m.Flags, body = multicast.FlagOwner, above.AppendTo(nil)
	case multicast.TypeLeaving:
		body = append(above.AppendTo(nil), make([]byte, 16)...)
	case multicast.TypeAdopt, multicast.TypeHint:
		body = above.AppendTo(nil)
	case multicast.TypeRekey:
		m.Seq, body = 0, v.elsewhere(chain[0], above)
	case multicast.TypeQuery:
		p.ID = multicast.JoinSet(above)
		body = append(i3.AppendAddr(nil, v.bed.Nodes()[0].Endpoint.Addr()), make([]byte, 30)...)
	case multicast.TypeRequest:
		p.ID, m.Seq = multicast.RepairGroup(above, 0), 2
		body = multicast.Request{Group: above, Requester: v.bed.Nodes()[0].Endpoint.Addr()}.AppendTo(nil)
	}
	return p, append(m.AppendTo(nil), body...)
}

// elsewhere is the body of a rekey to a place of the attacker's own below the group.
func (v *victim) elsewhere(group, old i3.ID) (body []byte) {
	trap := i3.NewID(v.rng.Uint64(), i3.RightKey(group), v.rng.Uint64()).Private()
	for _, id := range []i3.ID{old, group, trap, i3.NewID(old.Prefix(), i3.RightKey(trap), old.Suffix()).Private()} {
		body = id.AppendTo(body)
	}
	return body
}

// accepts gives the victim a message and reports whether it was believed: no counter of what is dropped has changed.
func (v *victim) accepts(p i3.Packet, message []byte) bool {
	before := dropped(v.Machine.Counters())
	p.Length = uint16(len(message))
	d := machine.Datagram{From: v.bed.Nodes()[0].Endpoint.Addr(), Bytes: append(p.AppendTo(nil), message...)}
	v.Machine.Receive(v.bed.world.Now(), []machine.Datagram{d}, v.out)
	v.out.Reset()
	return dropped(v.Machine.Counters()) == before
}

func dropped(c multicast.Counters) uint64 {
	return c.DropMalformed + c.DropUnexpected + c.DropTag + c.DropReplay + c.DropHeldDown + c.DropPending + c.Duplicates
}

// guessTag makes of a message one that says it has a tag: a guess, that of another group, or none after all.
func (v *victim) guessTag(p i3.Packet, message []byte) []byte {
	b := bytes.Clone(message)
	switch v.rng.IntN(4) {
	case 0:
		return b // as in a group without a key
	case 1:
		key := groupKey
		key[v.rng.IntN(32)] ^= 1 << v.rng.IntN(8)
		return multicast.Seal(key, v.bed.Group(), p, b)
	case 2:
		return multicast.Seal(groupKey, multicast.RootOf(v.bed.Group()), p, b)
	}
	b[1] |= multicast.FlagTagged
	for range multicast.TagSize {
		b = append(b, byte(v.rng.Uint32()))
	}
	return b
}

// TestAttackForgedMessages: who knows the identifiers of a tree, but not the group's key, is believed nothing. Without
// a key it is, each of these.
func TestAttackForgedMessages(t *testing.T) {
	v := newVictim(t, groupKey)
	before := v.Machine.Counters()
	n, accepted := volume(20_000, 1_000_000), 0
	for i := range n {
		p, message := v.forge(attackTypes[i%len(attackTypes)])
		if v.rng.IntN(8) == 0 {
			p.Kind = i3.KindDirect
		}
		if v.accepts(p, v.guessTag(p, message)) {
			accepted++
		}
	}
	after := v.Machine.Counters()
	if tags := after.DropTag - before.DropTag; accepted > 0 || tags != uint64(n) {
		t.Errorf("%d of %d accepted, %d tags wrong", accepted, n, tags)
	}
	if after.DropTag = before.DropTag; after != before || v.Machine.Highest() != 3 {
		t.Errorf("counters %+v, were %+v; highest number %d", after, before, v.Machine.Highest())
	}
	t.Logf("%d of %d attempts accepted", accepted, n)
	for _, typ := range attackTypes {
		open := newVictim(t, [32]byte{})
		if p, message := open.forge(typ); !open.accepts(p, message) {
			t.Errorf("without a key a message of type %d is not accepted: the attack tries nothing", typ)
		}
	}
}

// TestAttackForgedReply: nobody is led to a place of the attacker's own by a reply or report to a query, however many
// there are.
func TestAttackForgedReply(t *testing.T) {
	for _, metric := range []multicast.Metric{multicast.Delay, multicast.Loss} {
		for _, key := range [][32]byte{{}, groupKey} {
			forgeReplies(t, metric, key)
		}
	}
}

func forgeReplies(t *testing.T, metric multicast.Metric, key [32]byte) {
	t.Helper()
	group := multicast.Config{Key: key, Search: multicast.SearchPolicy{Metric: metric}}
	b := newBed(t, setup{seed: 6, group: group})
	b.grow(2)
	r := b.add(2)[0]
	trap := i3.NewID(2, i3.Key{1}, 3)
	below := i3.Trigger{ID: trap, Target: i3.ToID(i3.NewID(4, i3.RightKey(trap), 5))}
	newProber(b).ask(i3.KindInsert, i3.Insert{Trigger: below}) // nobody joins where nobody is
	r.Join()
	for range volume(2_000, 100_000) {
		if r.attached > 0 {
			break
		}
		for _, step := range []uint64{1, 2} { // a key makes the numbers unknown, too; what if they were not
			m := multicast.Message{Type: multicast.TypeReply, Seq: step << 8, Time: int64(b.world.Now())}
			body := multicast.Reply{ID: trap, SourceDistance: -int64(second)}.AppendTo(m.AppendTo(nil))
			if metric != multicast.Delay {
				m.Type = multicast.TypeReport
				body = multicast.Report{ID: trap, SourceDistance: -int64(second), Metric: metric}.AppendTo(m.AppendTo(nil))
			}
			p := i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: uint16(len(body)), ID: trap}
			d := machine.Datagram{From: b.Nodes()[0].Endpoint.Addr(), Bytes: append(p.AppendTo(nil), body...)}
			r.Endpoint.Do(func(now machine.Time, out *machine.Outbox) {
				r.Machine.Receive(now, []machine.Datagram{d}, out)
			})
		}
		b.world.Sleep(millisecond / 10)
	}
	b.until("attached", 5*second, func() bool { return r.attached > 0 })
	caught, safe := slices.Contains(r.Machine.Chain(), trap), key != [32]byte{}
	if caught == safe {
		t.Errorf("metric %d, with key %v: the chain leads over the attacker's identifier: %v", metric, safe, caught)
	}
}

// TestKeyMembership: with a key everything works as without, through losses, departures and crashes, and no message of
// a member has a wrong tag.
func TestKeyMembership(t *testing.T) {
	for seed := uint64(1); seed <= 2; seed++ {
		s := setup{seed: seed, nodes: 12, degree: 3, delays: newPlane(seed, 12, 20*time.Millisecond)}
		s.group = multicast.Config{Key: groupKey, Relays: 1, Host: host.Config{Lifetime: lifetime, Hurry: 3}}
		s.loss = testbed.PaperLoss(seed)
		c := &churn{bed: newBed(t, s), rng: prng.New(seed, 1), degree: 3}
		c.run(100)
		c.judge()
		if n := c.sum(func(m multicast.Counters) uint64 { return m.DropTag }); n > 0 {
			t.Errorf("%d messages of members were dropped for their tags", n)
		}
		t.Logf("seed %d: %d receivers, %d repaired, %d notices and heartbeats taken for replays", seed, len(c.rs),
			c.sum(func(m multicast.Counters) uint64 { return m.Repaired }),
			c.sum(func(m multicast.Counters) uint64 { return m.DropReplay }))
	}
}
