package chord_test

import (
	"cmp"
	"container/heap"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// A network carries what members send to each other, in virtual time: with delays by where they are, and losses.
type network struct {
	t    testing.TB
	now  machine.Time
	rng  prng.Source
	loss float64
	// elsewhere takes what is for nobody in the network.
	elsewhere func(to netip.AddrPort, size int) bool
	cutOff    *peer         // whose datagrams are lost, and those to it
	island    map[*peer]int // on which one somebody is: datagrams to others are lost
	mail      mailbox
	serial    int
	members   []*peer // all there ever were
	byAddr    map[netip.AddrPort]*peer
	out       *machine.Outbox
	asked     map[ticket][]chord.Place // the owners then
	found     map[ticket]finding
	carried   int
}

// A finding is what a member has found, and whether that was the owner when it asked, or when it heard.
type finding struct {
	chord.Finding
	right bool
}

type ticket struct {
	who    *peer
	number uint32
}

// A peer is a member in a network.
type peer struct {
	*chord.Member // of a member
	machine       machine.Machine
	place         chord.Place
	x, y          float64 // where it is: a unit of distance takes 40 ms
	dead          bool
	woken         machine.Time // for when a call of Expire is under way
}

// A letter is a datagram on its way, or with no bytes a deadline.
type letter struct {
	at     machine.Time
	serial int
	from   netip.AddrPort
	to     *peer
	bytes  []byte
}

type mailbox []letter

func (m mailbox) Len() int { return len(m) }
func (m mailbox) Less(i, j int) bool {
	return m[i].at < m[j].at || m[i].at == m[j].at && m[i].serial < m[j].serial
}
func (m mailbox) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *mailbox) Push(x any)   { *m = append(*m, x.(letter)) }
func (m *mailbox) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

func newNetwork(t testing.TB, seed uint64) *network {
	return &network{
		t: t, now: 1, rng: prng.New(seed, 0), byAddr: map[netip.AddrPort]*peer{},
		out: machine.NewOutbox(0, 0, 0), asked: map[ticket][]chord.Place{}, found: map[ticket]finding{},
	}
}

// add starts a member at a random place that joins by others, or is a ring of its own.
func (n *network) add(by ...*peer) *peer { return n.addAt(n.rng.Uint64(), by...) }

// addAt starts one at a given place.
func (n *network) addAt(prefix uint64, by ...*peer) *peer {
	i := len(n.members)
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 3000)
	p := &peer{place: chord.Place{Prefix: prefix, Addr: addr}, x: n.rng.Float64(), y: n.rng.Float64()}
	cfg := chord.Config{Self: p.place, Seed: n.rng.Uint64()}
	cfg.Found = func(_ machine.Time, f chord.Finding, _ *machine.Outbox) {
		owners := append(n.owners(f.Prefix), n.asked[ticket{p, f.Ticket}]...)
		right := f.OK && slices.Contains(owners, f.Owner)
		n.found[ticket{p, f.Ticket}] = finding{f, right}
	}
	for _, p := range by {
		cfg.Join = append(cfg.Join, p.place.Addr)
	}
	m, err := chord.NewMember(cfg, n.now)
	if err != nil {
		n.t.Fatal(err)
	}
	p.Member, p.machine = m, m
	n.start(p)
	return p
}

func (n *network) start(p *peer) {
	n.members, n.byAddr[p.place.Addr] = append(n.members, p), p
	n.after(p)
}

// after carries away what a member has sent, and sees to its next deadline.
func (n *network) after(p *peer) {
	for _, s := range n.out.Sends() {
		n.carried++
		if n.elsewhere != nil && n.elsewhere(s.To, len(s.Bytes)) {
			continue
		}
		to := n.byAddr[s.To]
		if to == nil {
			n.t.Fatalf("%v sends to %v, which nobody has", p.place.Addr, s.To)
		}
		if p == n.cutOff || to == n.cutOff || n.island[p] != n.island[to] || n.rng.Float64() < n.loss {
			continue
		}
		dx, dy := p.x-to.x, p.y-to.y
		n.post(letter{at: n.now.Add(machine.Duration((dx*dx+dy*dy)*40*float64(machine.Millisecond)) + machine.Millisecond),
			from: p.place.Addr, to: to, bytes: slices.Clone(s.Bytes)})
	}
	n.out.Reset()
	if d := max(p.machine.Deadline(), n.now); d != machine.Never && (p.woken == 0 || d < p.woken) {
		p.woken = d
		n.post(letter{at: d, to: p})
	}
}

func (n *network) post(l letter) {
	n.serial++
	l.serial = n.serial
	heap.Push(&n.mail, l)
}

// run lets time pass.
func (n *network) run(d machine.Duration) {
	for end := n.now.Add(d); ; {
		if len(n.mail) == 0 || n.mail[0].at > end {
			n.now = end
			return
		}
		l := heap.Pop(&n.mail).(letter)
		n.now = l.at
		switch {
		case l.to.dead:
			continue
		case l.bytes != nil:
			l.to.machine.Receive(n.now, []machine.Datagram{{From: l.from, Bytes: l.bytes}}, n.out)
		case l.at == l.to.woken:
			l.to.woken = 0
			l.to.machine.Expire(n.now, n.out)
		default:
			continue
		}
		n.after(l.to)
	}
}

// live returns who is a member and lives, in the order of the ring.
func (n *network) live() (live []*peer) {
	for _, p := range n.members {
		if !p.dead && p.Member != nil && p.Joined() {
			live = append(live, p)
		}
	}
	slices.SortFunc(live, func(p, q *peer) int { return cmp.Compare(p.place.Prefix, q.place.Prefix) })
	return live
}

// ringError returns how the ring differs from what it should be.
func (n *network) ringError() error {
	live := n.live()
	for i, p := range live {
		var want []chord.Place
		for k := 1; k <= len(live) && k <= chord.DefaultSuccessors; k++ {
			want = append(want, live[(i+k)%len(live)].place)
		}
		pred := live[(i+len(live)-1)%len(live)].place
		if r, ok := p.Range(); !ok || r != (chord.Range{Lo: pred.Prefix, Hi: p.place.Prefix}) {
			return fmt.Errorf("%v, number %d of %d, owns %x %v, want it to begin at %v", p.place, i, len(live), r, ok, pred)
		}
		if got := p.Successors(); !slices.Equal(got, want) {
			return fmt.Errorf("%v, number %d of %d, is followed by %v, want %v", p.place, i, len(live), got, want)
		}
	}
	return nil
}

// owners returns who may be found as the owner of a prefix by now: the first member at or after it, and if that has
// just joined and the next one has not heard of it, that one, too.
func (n *network) owners(prefix uint64) []chord.Place {
	live := n.live()
	i := max(0, slices.IndexFunc(live, func(p *peer) bool { return p.place.Prefix >= prefix }))
	p, next := live[i], live[(i+1)%len(live)]
	if r, _ := next.Range(); len(live) > 1 && r.Contains(p.place.Prefix) {
		return []chord.Place{p.place, next.place}
	}
	return []chord.Place{p.place}
}

// oneRing returns what is wrong with the ring as it is: from members to the first of their successors that lives
// there is one way round, in order, and from all others a way to it.
func (n *network) oneRing() error {
	live := n.live()
	number := map[chord.Place]int{}
	for i, p := range live {
		number[p.place] = i
	}
	next := make([]int, len(live))
	for i, p := range live {
		next[i] = -1
		for _, s := range p.Successors() {
			if k, ok := number[s]; ok {
				next[i] = k
				break
			}
		}
		if next[i] < 0 {
			return fmt.Errorf("%v has no successor that lives", p.place)
		}
	}
	at := 0
	for range live {
		at = next[at] // on a ring by now
	}
	on, turns := map[int]bool{}, 0
	for k := at; !on[k]; k = next[k] {
		on[k] = true
		if next[k] <= k {
			turns++
		}
	}
	if turns != 1 {
		return fmt.Errorf("the ring of %v goes round %d times", live[at].place, turns)
	}
	for i := range live {
		k := i
		for range live {
			k = next[k]
		}
		if !on[k] {
			return fmt.Errorf("from %v there is no way to the ring of %v", live[i].place, live[at].place)
		}
	}
	return nil
}

// ask makes a random member look for the owner of a random prefix.
func (n *network) ask() ticket {
	live := n.live()
	p, prefix := live[n.rng.IntN(len(live))], n.rng.Uint64()
	owners := n.owners(prefix)
	number, ok := p.Find(n.now, prefix, n.out)
	if !ok {
		n.t.Errorf("%v refuses a lookup", p.place)
	}
	n.asked[ticket{p, number}] = owners
	n.after(p)
	return ticket{p, number}
}

// find makes so many lookups and returns how many were right, in how many hops at most.
func (n *network) find(finds int) (right, hops int) {
	asked := map[ticket]bool{}
	for range finds {
		asked[n.ask()] = true
		n.run(50 * machine.Millisecond)
	}
	n.run(5 * machine.Second)
	return n.judge(asked)
}

// judge returns how many lookups were right, in how many hops at most.
func (n *network) judge(asked map[ticket]bool) (right, hops int) {
	for id := range asked {
		if f := n.found[id]; f.right {
			right++
			hops = max(hops, f.Hops)
		}
	}
	return right, hops
}
