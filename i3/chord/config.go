package chord

import (
	"errors"
	"fmt"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// Defaults and bounds of a [Config].
const (
	// DefaultPeriod is how often a member looks after its successors.
	DefaultPeriod = machine.Second
	// MinSuccessors is the least number of successors a member keeps.
	MinSuccessors = 2
	// MaxFinds is how many lookups of a member may be under way.
	MaxFinds = 64

	maxRequests = 256 // questions under way
	maxTries    = 3   // how often one is sent before who was asked is taken for dead
	maxHearsay  = 2   // and how often in a lookup
	maxHops     = 32  // members that one lookup asks
	firstWait   = 300 * machine.Millisecond
	minWait     = 50 * machine.Millisecond
	maxWait     = machine.Second
)

// A Config says what a member of a ring is. The zero value of each optional field means its default.
type Config struct {
	// Self is the member's position and the address at which others reach it.
	Self Place
	// Join are addresses of members by which it joins their ring. Without any it is a ring of its own, that
	// others may join.
	Join []netip.AddrPort
	// Seed makes the member's random choices.
	Seed uint64
	// Secret keys the numbers of its questions. Who knows it can answer in the place of others.
	Secret [16]byte
	// Successors is how many it keeps, [MinSuccessors] to [DefaultSuccessors], the same for all members of a
	// ring. More than that many must be there before any fails, and it survives that all but one of them fail at
	// once. Default [DefaultSuccessors].
	Successors int
	// Period is the mean time between two looks at the successors, and between two at a finger. Default
	// [DefaultPeriod].
	Period machine.Duration
	// Found is told the results of [Member.Find]. It may send, but not call the member.
	Found func(now machine.Time, f Finding, out *machine.Outbox)
}

var errNoMembers = errors.New("chord: guest: no members to ask: want the address of one at least")

func (c *Config) setDefaults() error {
	if !usable(c.Self.Addr) {
		return fmt.Errorf("chord: config: self address %v: want an address and port that others can send to", c.Self.Addr)
	}
	if c.Successors == 0 {
		c.Successors = DefaultSuccessors
	}
	if c.Period == 0 {
		c.Period = DefaultPeriod
	}
	if c.Successors < MinSuccessors || c.Successors > DefaultSuccessors {
		return fmt.Errorf("chord: config: %d successors: want %d to %d", c.Successors, MinSuccessors, DefaultSuccessors)
	}
	if c.Period < machine.Millisecond {
		return fmt.Errorf("chord: config: period of %d ns: want at least a millisecond", c.Period)
	}
	for _, a := range c.Join {
		if !usable(a) || a == c.Self.Addr {
			return fmt.Errorf("chord: config: joins by %v: want an address of another member than %v", a, c.Self.Addr)
		}
	}
	return nil
}

// usable reports whether an address comes out of a message as it went in, and packets may be sent to it.
func usable(a netip.AddrPort) bool {
	if !a.IsValid() {
		return false
	}
	b, err := i3.ParseAddr(i3.AppendAddr(nil, a))
	return err == nil && a == b
}

// Counters is what a member has done since it started.
type Counters struct {
	Asked         uint64 // questions sent, repeated ones included
	Repeated      uint64
	Answered      uint64 // questions of others answered
	Told          uint64 // times that others said: I am before you, behind you, no member any more, or not the owner
	Silent        uint64 // members taken for dead
	Joined        uint64 // times that it has joined a ring
	Finds         uint64 // lookups begun, those for itself included
	Failed        uint64 // of these, without a result
	DropMalformed uint64 // payloads that do not decode
	DropStranger  uint64 // answers to no question of its, and claims to be somebody else
	DropFull      uint64 // questions above what may be under way
}
