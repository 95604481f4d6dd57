package host

import (
	"fmt"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/internal/prng"
)

// Defaults of a [Config].
const (
	// DefaultLifetime is T, the lifetime that nodes grant (paper section 4).
	DefaultLifetime = 30 * machine.Second
	// DefaultRetry is how long a host waits for the first answer. Later waits
	// follow the measured round trip.
	DefaultRetry = 500 * machine.Millisecond
)

// Limits that no configuration changes.
const (
	// maxTries is how often a request is sent before the host gives up.
	maxTries = 8
	// doubtAfter is after how many requests without an answer a ring that may be wrong hears of it.
	doubtAfter = 2
	// retryFloor and retryCeil bound the wait for an answer.
	retryFloor = 50 * machine.Millisecond
	retryCeil  = 3 * machine.Second
	// shortestRest and longestRest bound Config.Rest.
	shortestRest, longestRest = 4, 8
	// maxTasks bounds the triggers a host looks after. Above it, new ones are
	// refused and counted; no protocol of this module needs a quarter of it.
	maxTasks = 256
)

// A Config says what a host is. The zero value of each optional field means
// its default.
type Config struct {
	// Self is the address at which other hosts and nodes reach this host.
	Self netip.AddrPort
	// Ring finds the node that owns an identifier. One that may be wrong, such as a [chord.Guest], hears what nodes say
	// of it.
	Ring chord.Ring
	// Seed makes the host's random choices. Hosts with equal seeds choose alike.
	Seed uint64
	// Lifetime is T, the lifetime that nodes grant to triggers. Default
	// [DefaultLifetime].
	Lifetime machine.Duration
	// Hurry divides all refresh intervals, so that lost refreshes do not expire
	// a trigger: k in paper section 4, which uses 3 where packets are lost.
	// Default 1.
	Hurry int
	// Rest is after how many tenths of T, and up to one more, the host refreshes a trigger that nobody else can:
	// 4, the default, to 8. With 4 there are two refreshes in T, so that a trigger survives when all tries
	// of one are lost; with more the next comes a tenth or two of T after it.
	Rest int
	// Retry is the wait for the first answer. Default [DefaultRetry].
	Retry machine.Duration
}

func (c *Config) setDefaults() error {
	if c.Ring == nil {
		return fmt.Errorf("host: config: no ring: want one that knows the nodes")
	}
	if c.Lifetime == 0 {
		c.Lifetime = DefaultLifetime
	}
	if c.Hurry == 0 {
		c.Hurry = 1
	}
	if c.Rest == 0 {
		c.Rest = shortestRest
	}
	if c.Retry == 0 {
		c.Retry = DefaultRetry
	}
	if c.Rest < shortestRest || c.Rest > longestRest {
		return fmt.Errorf("host: config: rest of %d tenths of T: want %d to %d", c.Rest, shortestRest, longestRest)
	}
	if c.Hurry < 0 || c.Lifetime < 0 || c.Retry < 0 {
		return fmt.Errorf("host: config: lifetime %d, hurry %d, retry %d: want none below zero", c.Lifetime, c.Hurry, c.Retry)
	}
	return nil
}

// A Handler is what runs on a host.
type Handler interface {
	// Deliver handles a packet that came through a trigger of this host, or
	// directly from another host. The payload is valid only during the call.
	Deliver(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox)
	// Acked handles a node's answer for a trigger.
	Acked(now machine.Time, a i3.Ack, out *machine.Outbox)
	// Failed is told that nobody answered for a trigger. A maintained trigger is
	// asked for again at its next refresh.
	Failed(now machine.Time, t i3.Trigger, out *machine.Outbox)
}

// Counters is what a host has done since it started.
type Counters struct {
	Delivered     uint64 // packets handed to the handler
	Acks          uint64 // acknowledgements received
	Requests      uint64 // insertions, refreshes, probes and removals sent, retries included
	Retries       uint64 // of these, those sent again
	Challenges    uint64 // challenges answered
	Failures      uint64 // requests that nobody answered
	DropMalformed uint64 // datagrams, from the first byte that does not decode
	DropKind      uint64 // packets of a kind that hosts do not handle
	DropStranger  uint64 // challenges for triggers this host did not ask for
	DropTasks     uint64 // triggers refused because the host looks after too many
	DropNoOwner   uint64 // packets for an identifier whose owner is unknown
	DropLength    uint64 // payloads longer than i3.MaxPayload, which no header can express
}

// A Host is the state machine of one end host. It must not be copied once it
// is in use.
type Host struct {
	handler Handler
	timers  machine.Timers
	tasks   []task
	cfg     *Config // shared by all hosts of one Shared; Self and Seed are not used
	self    netip.AddrPort
	rng     prng.Source
	serial  uint32
	srtt    machine.Duration // smoothed round trip to nodes, 0 before the first
	count   Counters
}

// New returns a host that hands what arrives to handler.
func New(cfg Config, handler Handler) (*Host, error) {
	s, err := Share(cfg)
	if err != nil {
		return nil, err
	}
	h, err := s.Host(cfg.Self, cfg.Seed, handler)
	if err != nil {
		return nil, err
	}
	return &h, nil
}

// A Shared is a configuration, checked, of which any number of hosts have one
// copy. It is immutable.
type Shared struct {
	cfg Config
}

// Share checks a configuration that hosts are to have in common. Its Self and
// Seed are not looked at: each host has its own.
func Share(cfg Config) (*Shared, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	return &Shared{cfg}, nil
}

// Host returns a host at the address self that hands what arrives to handler.
func (s *Shared) Host(self netip.AddrPort, seed uint64, handler Handler) (Host, error) {
	if !self.IsValid() {
		return Host{}, fmt.Errorf("host: config: self address %v: want a valid address and port", self)
	}
	return Host{cfg: &s.cfg, self: self, handler: handler, rng: prng.New(seed, streamHost)}, nil
}

// streamHost separates the host's random numbers from those of what runs on it.
const streamHost = 1

// Self returns the host's address.
func (h *Host) Self() netip.AddrPort { return h.self }

// Counters returns what the host has done so far.
func (h *Host) Counters() Counters { return h.count }

// RTT returns the smoothed round trip to the nodes this host talks to, or zero
// before the first answer.
func (h *Host) RTT() machine.Duration { return h.srtt }

// Touch reads what a timer or an acknowledgement will need, see [machine.Toucher].
func (h *Host) Touch() byte {
	b := h.timers.Touch()
	for i := range h.tasks {
		b += byte(h.tasks[i].serial)
	}
	return b
}

// Deadline returns when the next request must be sent or sent again.
func (h *Host) Deadline() machine.Time { return h.timers.Next() }

// Receive handles a batch of datagrams.
func (h *Host) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		for rest := d.Bytes; len(rest) > 0; {
			p, wire, tail, err := i3.Next(rest)
			if err != nil {
				h.count.DropMalformed++
				break
			}
			if wire == nil {
				break // padding
			}
			rest = tail
			h.packet(now, d.From, p, i3.Payload(wire), out)
		}
	}
}

func (h *Host) packet(now machine.Time, from netip.AddrPort, p i3.Packet, payload []byte, out *machine.Outbox) {
	switch p.Kind {
	case i3.KindData, i3.KindDirect:
		h.count.Delivered++
		h.handler.Deliver(now, from, p, payload, out)
	case i3.KindAck:
		h.acks(now, p, payload, out)
	case i3.KindChallenge:
		h.challenges(now, p, payload, out)
	default:
		h.count.DropKind++
	}
}

// Send sends a payload to whoever holds triggers for id.
func (h *Host) Send(id i3.ID, payload []byte, out *machine.Outbox) {
	if len(payload) > i3.MaxPayload {
		h.count.DropLength++
		return
	}
	owner, ok := h.cfg.Ring.Owner(id.Prefix())
	if !ok {
		h.count.DropNoOwner++
		return
	}
	var head [i3.HeaderSize]byte
	out.SendParts(owner, i3.Packet{
		Kind: i3.KindData, HopLimit: i3.DefaultHopLimit, Length: uint16(len(payload)), ID: id,
	}.AppendTo(head[:0]), payload)
}

// Direct sends a payload to another host. The identifier tells the receiver
// what it is about.
func (h *Host) Direct(to netip.AddrPort, id i3.ID, payload []byte, out *machine.Outbox) {
	if len(payload) > i3.MaxPayload {
		h.count.DropLength++
		return
	}
	var head [i3.HeaderSize]byte
	p := i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: uint16(len(payload)), ID: id}
	out.SendParts(to, p.AppendTo(head[:0]), payload)
}
