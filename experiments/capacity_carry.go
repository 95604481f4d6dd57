package experiments

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"i3bench/cluster"
	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/internal/cputime"
	"i3bench/internal/prng"
)

// traffic is who sends how much to whom, by the order in which endpoints were opened.
type traffic struct {
	endpoints int
	edges     map[edge]*flow
}

// A carried is what the driver did while it carried traffic and nothing else.
type carried struct {
	moves     int64         // datagrams that machines wanted sent
	processor time.Duration // of the program
	wall      time.Duration
}

// carry measures what the driver needs for a datagram: so many go round at a time on sockets between endpoints as many
// as those of the traffic, each from one to the next with the shares that the traffic has. The machines do no more than
// that, so that what they and the generator need is not in it.
func (t traffic) carry(tokens int, d time.Duration, seed uint64) (c carried, err error) {
	w := cluster.New(cluster.Config{Seed: seed, SocketBuffer: manyHosts})
	var ends []*cluster.Endpoint
	defer func() {
		for _, e := range ends {
			err = errors.Join(err, e.Close())
		}
	}()
	for range t.endpoints {
		e, err := w.Open()
		if err != nil {
			return c, err
		}
		ends = append(ends, e)
	}
	var moves atomic.Int64
	walkers := t.walkers(ends, &moves, seed)
	for i, m := range walkers {
		ends[i].Start(m)
	}
	for i := range tokens {
		m := walkers[i%len(walkers)]
		ends[i%len(walkers)].Do(func(_ machine.Time, out *machine.Outbox) { m.step(out) })
	}
	time.Sleep(carryWarm)
	before, cpu, begin := moves.Load(), cputime.Now(), time.Now()
	time.Sleep(d)
	c = carried{moves: moves.Load() - before, processor: cputime.Now() - cpu, wall: time.Since(begin)}
	if c.moves == 0 {
		return c, errors.New("capacity: no datagram arrived")
	}
	return c, nil
}

// carryWarm is how long datagrams go round before they count.
const carryWarm = 100 * time.Millisecond

// walkers returns a machine for each endpoint.
func (t traffic) walkers(ends []*cluster.Endpoint, moves *atomic.Int64, seed uint64) []*walker {
	ways := make([]*walker, len(ends))
	for i := range ways {
		ways[i] = &walker{moves: moves, rng: prng.New(seed, uint64(i))}
	}
	keys := make([]edge, 0, len(t.edges))
	for k := range t.edges {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b edge) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	for _, k := range keys {
		ways[k.from].add(t.edges[k], ends[k.to].Addr())
	}
	for _, w := range ways {
		if len(w.to) == 0 { // who sent nothing has nothing to receive either, but for the tokens at the begin
			w.add(&flow{1, i3.HeaderSize}, ends[0].Addr())
		}
	}
	return ways
}

// A walker passes each datagram on to an endpoint that it draws.
type walker struct {
	upTo  []int // datagrams to the ways up to this one
	to    []netip.AddrPort
	size  []int
	rng   prng.Source
	moves *atomic.Int64
}

func (w *walker) add(f *flow, to netip.AddrPort) {
	before := 0
	if n := len(w.upTo); n > 0 {
		before = w.upTo[n-1]
	}
	w.upTo = append(w.upTo, before+f.datagrams)
	w.to = append(w.to, to)
	w.size = append(w.size, min(max(i3.HeaderSize, f.bytes/f.datagrams), i3.MaxDatagram))
}

// step sends one datagram.
func (w *walker) step(out *machine.Outbox) {
	k := sort.SearchInts(w.upTo, 1+w.rng.IntN(w.upTo[len(w.upTo)-1]))
	p := i3.Packet{Kind: i3.KindData, HopLimit: 1, Length: uint16(w.size[k] - i3.HeaderSize)}
	b := p.AppendTo(out.Scratch())
	b = slices.Grow(b, int(p.Length))[:w.size[k]]
	out.Send(w.to[k], b)
	out.Keep(b)
}

// Receive passes on what arrived.
func (w *walker) Receive(_ machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	n := 0
	for _, d := range batch {
		for rest := d.Bytes; len(rest) > 0; n++ {
			_, wire, after, err := i3.Next(rest)
			if err != nil || wire == nil {
				break
			}
			rest = after
			w.step(out)
		}
	}
	w.moves.Add(int64(n))
}

// Deadline returns that there is no timer.
func (w *walker) Deadline() machine.Time { return machine.Never }

// Expire does nothing.
func (w *walker) Expire(machine.Time, *machine.Outbox) {}
