package replicate

import (
	"fmt"
	"net/netip"
)

// Bounds and defaults of a [Config].
const (
	DefaultCopies    = 8192
	DefaultPending   = 1024
	DefaultAddresses = 1 << 16
	DefaultDatagram  = 1400
)

// Config says what a [Planner] may do. Zero values mean the defaults.
type Config struct {
	// Copies is how many copies a round may have. Those above it are dropped, so that one hot
	// identifier delays the others by no more than these.
	Copies int
	// Pending is how many copies an address may have in a round. Above it the oldest is dropped.
	Pending int
	// Addresses is how many addresses are remembered. At the bound those without pending
	// copies are forgotten, with their counters.
	Addresses int
	// Datagram is up to how many bytes several packets share a datagram, and how long the
	// datagrams of a train may be: what every path takes whole.
	Datagram int
	// Single forbids that packets share a datagram, Exact that datagrams of a train are filled up with zeros. Both are
	// for receivers that do not know the wire format.
	Single, Exact bool
}

// setDefaults replaces zeros, and returns an error that names the field that is out of range.
func (c *Config) setDefaults() error {
	for _, f := range []struct {
		name            string
		field           *int
		def, least, top int
	}{
		{"Copies", &c.Copies, DefaultCopies, 1, 1 << 20},
		{"Pending", &c.Pending, DefaultPending, 1, 1 << 20},
		{"Addresses", &c.Addresses, DefaultAddresses, 1, 1 << 24},
		{"Datagram", &c.Datagram, DefaultDatagram, 1, len(zeros)},
	} {
		if *f.field == 0 {
			*f.field = f.def
		}
		if *f.field < f.least || *f.field > f.top {
			return fmt.Errorf("replicate: planner: %s %d: want %d to %d", f.name, *f.field, f.least, f.top)
		}
	}
	return nil
}

// zeros fill datagrams up.
var zeros [9000]byte

// A Planner collects the copies of a round and hands them to a [Port] in the cheapest form: those
// for one address together, several packets in a datagram, several datagrams in a train.
// It copies no payload. It is for one goroutine.
type Planner struct {
	cfg    Config
	copies []pending // of the round
	ways   []way
	index  map[netip.AddrPort]uint32
	active []uint32 // ways with copies, in the order of their first ones
	last   uint32   // the way of the last copy
	round  uint64
	count  Counters

	// While a round is sent.
	datagrams []datagram // of one address
	messages  []Message
	plans     []plan // one for each message
	vectors   []Vector
	again     []datagram // of a train that is sent in pieces
	pieces    []Message
}

// A plan is what a message is made of.
type plan struct {
	owner  uint32 // the way
	first  uint32 // copy
	zeroed int    // bytes that fill up
}

// A pending is a copy: head and body, and the next for its address.
type pending struct {
	head, body Vector
	next       uint32
}

// A way is an address and what is known of it.
type way struct {
	to          netip.AddrPort
	first, last uint32 // of its copies
	count       int
	follows     uint32 // the way that was used after this one: most likely it will be again
	noTrains    bool
	refused     uint8  // how often in succession
	muted       uint64 // until this round
	tally       Tally
}

// A Tally is what became of the copies for one address.
type Tally struct{ Sent, Dropped uint64 }

// Counters is what a planner has done. After each Flush, Planned is the sum of Sent and of
// all that begin with Drop.
type Counters struct {
	Planned     uint64 // copies it was handed
	Sent        uint64 // copies a port took
	DropBudget  uint64 // copies above Config.Copies in a round
	DropOldest  uint64 // copies pushed out by later ones for the same address
	DropFull    uint64 // copies for which the port had no room
	DropRefused uint64 // copies that the port refused: unreachable, forbidden
	DropMuted   uint64 // copies for an address that was refused again and again

	Datagrams uint64 // that the port took, those of trains counted one by one
	Trains    uint64 // trains that the port took
	Messages  uint64 // trains and single datagrams that the port took
	PadBytes  uint64 // zeros among what it took
	Calls     uint64 // of the port
	Cut       uint64 // trains that had to be sent in pieces
	Forgotten uint64 // addresses forgotten
}

// Dropped returns the sum of all drops.
func (c *Counters) Dropped() uint64 {
	return c.DropBudget + c.DropOldest + c.DropFull + c.DropRefused + c.DropMuted
}

// NewPlanner returns a planner without copies.
func NewPlanner(cfg Config) (*Planner, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	return &Planner{
		cfg:    cfg,
		copies: make([]pending, 1, 64), // the first means none
		ways:   make([]way, 1, 64),     // and so does this one
		index:  make(map[netip.AddrPort]uint32),
	}, nil
}

// Counters returns what the planner has done so far.
func (p *Planner) Counters() Counters { return p.count }

// Tally returns what became of the copies for an address since it was last forgotten.
func (p *Planner) Tally(to netip.AddrPort) Tally { return p.ways[p.index[to]].tally }

// Pending returns the number of copies in this round.
func (p *Planner) Pending() int {
	n := 0
	for _, i := range p.active {
		n += p.ways[i].count
	}
	return n
}

// Add plans a copy of the packet made of head and body, of which one may be empty, for
// an address. It keeps both until the next Flush, and copies neither. It
// reports whether the copy was planned; if not, the round is full.
func (p *Planner) Add(to netip.AddrPort, head, body []byte) bool {
	p.count.Planned++
	i := p.wayOf(to)
	w := &p.ways[i]
	if len(p.copies) > p.cfg.Copies {
		p.count.DropBudget++
		w.tally.Dropped++
		return false
	}
	if w.muted > p.round {
		p.count.DropMuted++
		w.tally.Dropped++
		return true
	}
	n := uint32(len(p.copies))
	c := pending{body: VectorOf(body)}
	if len(head) > 0 {
		c.head = VectorOf(head)
	}
	p.copies = append(p.copies, c)
	switch w.count {
	case 0:
		p.active = append(p.active, i)
		w.first = n
	case p.cfg.Pending:
		w.first = p.copies[w.first].next
		w.count--
		p.count.DropOldest++
		w.tally.Dropped++
		fallthrough
	default:
		p.copies[w.last].next = n
	}
	if w.count++; w.count == 1 {
		w.first = n // Config.Pending is 1
	}
	w.last = n
	return true
}

// wayOf returns the number of the way of an address. Most often it is that which followed the one before
// the last time: the targets of an identifier come in the same order every time.
func (p *Planner) wayOf(to netip.AddrPort) uint32 {
	i := p.ways[p.last].follows
	if i == 0 || p.ways[i].to != to {
		var ok bool
		if i, ok = p.index[to]; !ok {
			i = p.meet(to)
		}
		p.ways[p.last].follows = i
	}
	p.last = i
	return i
}

// meet returns a way for an address that has none.
func (p *Planner) meet(to netip.AddrPort) uint32 {
	if len(p.ways) > p.cfg.Addresses {
		p.forget()
	}
	i := uint32(len(p.ways))
	p.ways = append(p.ways, way{to: to})
	p.index[to] = i
	return i
}

// forget drops the ways without copies. If all have some, one more is remembered than should be; a
// round has no more than its copies.
func (p *Planner) forget() {
	kept := p.ways[:1]
	clear(p.index)
	p.active = p.active[:0]
	for _, w := range p.ways[1:] {
		w.follows = 0
		if w.count == 0 {
			p.count.Forgotten++
			continue
		}
		i := uint32(len(kept))
		kept = append(kept, w)
		p.index[w.to] = i
		p.active = append(p.active, i)
	}
	p.ways, p.last = kept, 0
	p.ways[0].follows = 0
}
