package node

import (
	"fmt"
	"net/netip"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/matcher"
)

// Defaults of a [Config].
const (
	// DefaultLifetime is T, after which a trigger expires unless refreshed
	// (paper section 4).
	DefaultLifetime = 30 * machine.Second
	// DefaultMaxPerID is D+1 for the paper's D = 8.
	DefaultMaxPerID = 9
	// DefaultMaxTriggers bounds the table.
	DefaultMaxTriggers = 1 << 20
)

// Limits that no configuration changes.
const (
	// cookieEpoch is how long a nonce stays current; it is accepted for one
	// more.
	cookieEpoch = 60 * machine.Second
	// sweepEvery is how often expired triggers are reclaimed, sweepMax how many
	// entries one such call visits. Matching ignores expired triggers at once.
	sweepEvery = machine.Second
	sweepMax   = 8192
	// maxLifetime bounds Config.Lifetime: the table's coarse time has room for
	// 49 days in all.
	maxLifetime = 24 * 3600 * machine.Second
	// maxLocal bounds the chain of identifiers that a packet follows inside one
	// node. Constraints rule out cycles; this is the second wall.
	maxLocal = 16
	// maxCopies bounds the copies made from one received batch, so that one hot
	// identifier cannot starve the others for long.
	maxCopies = 8192
)

// A Config says what a node is. The zero value of each optional field means
// its default.
type Config struct {
	// Self is the node's own address, which its ring position maps to.
	Self netip.AddrPort
	// Range is the prefixes the node owns, and Ring finds the owners of all others, where both are known beforehand.
	Range chord.Range
	Ring  chord.Ring
	// Member is the node's place on a ring that forms itself, of the same address. Then Range and Ring are not set: the
	// node runs the member, and owns what that owns. Before it has joined, requests and data are dropped.
	Member *chord.Member
	// Secret keys the nonces of challenges and the hash of the trigger table.
	// Who knows it can insert triggers for others' addresses.
	Secret [32]byte
	// Epoch is told to hosts with every acknowledgement; it must differ after
	// the node lost its memory.
	Epoch uint32
	// MaxPerID caps the triggers of one identifier: D+1. Above it an insertion
	// is refused with StatusFull. Default [DefaultMaxPerID].
	MaxPerID int
	// MaxTriggers caps the node's table. Above it an insertion is refused with
	// StatusNoRoom. Default [DefaultMaxTriggers].
	MaxTriggers int
	// Lifetime is how long a trigger lives after an insertion or a refresh.
	// Default [DefaultLifetime].
	Lifetime machine.Duration
	// Mirrors makes the node keep mirrors of the triggers of the two members before it on a ring that forms itself, and
	// give its own to the two that follow, so that a node that crashes takes no trigger along.
	Mirrors bool
	// MaxMirrors caps the mirrors in the table, besides MaxTriggers. Above it, they are refused. Default twice
	// MaxTriggers.
	MaxMirrors int
	// Limits bounds what one source may have of the node.
	Limits Limits
	// Pushback makes the node tell others of their links that lead to nothing, and
	// remove its own of which it is told. It keeps 80 to 160 bytes more for a link.
	Pushback bool
}

func (c *Config) setDefaults() error {
	if !c.Self.IsValid() {
		return fmt.Errorf("node: config: self address %v: want a valid address and port", c.Self)
	}
	if err := c.setRing(); err != nil {
		return err
	}
	if c.MaxPerID == 0 {
		c.MaxPerID = DefaultMaxPerID
	}
	if c.MaxTriggers == 0 {
		c.MaxTriggers = DefaultMaxTriggers
	}
	if c.Lifetime == 0 {
		c.Lifetime = DefaultLifetime
	}
	if c.MaxMirrors == 0 {
		c.MaxMirrors = max(0, min(maxSources*c.MaxTriggers, matcher.MaxMaxTriggers-c.MaxTriggers))
	}
	if c.Mirrors && c.Member == nil {
		return fmt.Errorf("node: config: mirrors on a fixed ring: want a member")
	}
	if c.MaxMirrors < 0 {
		return fmt.Errorf("node: config: %d mirrors: want none below zero", c.MaxMirrors)
	}
	if c.MaxPerID < 1 || c.MaxPerID > 1<<16-1 {
		return fmt.Errorf("node: config: %d triggers per identifier: want 1 to 65535", c.MaxPerID)
	}
	if c.Lifetime < machine.Millisecond || c.Lifetime > maxLifetime {
		return fmt.Errorf("node: config: lifetime %d ns: want one millisecond to a day", c.Lifetime)
	}
	return c.Limits.setDefaults(c.MaxPerID)
}

// setRing makes a member the ring.
func (c *Config) setRing() error {
	switch {
	case c.Member == nil && c.Ring == nil:
		return fmt.Errorf("node: config: no ring: want one that knows the other nodes, or a member")
	case c.Member == nil:
		return nil
	case c.Ring != nil || c.Range != (chord.Range{}):
		return fmt.Errorf("node: config: a member and a ring or range: want one or the other")
	case c.Member.Self().Addr != c.Self:
		return fmt.Errorf("node: config: a member at %v: want the node's own address %v", c.Member.Self().Addr, c.Self)
	}
	c.Ring = c.Member
	return nil
}

// Counters is what a node has done since it started. Every packet that goes
// in either leaves, as copies or as an answer, or is counted under a Drop.
type Counters struct {
	Packets         uint64 // packets in received datagrams
	Data            uint64 // of these, data
	Matched         uint64 // matches, those on the way of a local chain included
	Copies          uint64 // copies handed to the driver
	HostCopies      uint64 // of these, to hosts
	Misdirected     uint64 // data for another node, passed on to it
	Inserted        uint64
	Refreshed       uint64
	Probed          uint64
	Removed         uint64
	Expired         uint64
	Challenged      uint64 // requests answered by a challenge
	Full            uint64 // insertions refused: the identifier is full
	NoRoom          uint64 // insertions refused: the table is full
	Refused         uint64 // entries refused: constraint, fold or secret
	NotOwner        uint64 // entries refused: another node's identifier
	DropMalformed   uint64 // datagrams, from the first byte that does not decode
	DropKind        uint64 // packets of a kind that nodes do not handle
	DropTargets     uint64 // requests with host targets at different addresses
	DropNoMatch     uint64 // data for an identifier without triggers
	DropHopLimit    uint64 // data that visited too many nodes, or too long a local chain
	DropBudget      uint64 // copies above the budget of one batch
	DropReturned    uint64 // data for an identifier of the node that it came from, as far as this one knows
	DropNoOwner     uint64 // data for an identifier whose owner is unknown
	HandedOver      uint64 // triggers given to a node that owns them now
	TakenOver       uint64 // triggers taken from the node that owned them before
	HandoverFailed  uint64 // times that it gave up asking for them
	HandoverRefused uint64 // of those handed over, triggers that it did not take
	Mirrored        uint64 // mirrors taken from those who own them
	MirrorsRemoved  uint64 // of these, that those have no more
	MirrorsRefused  uint64 // that it did not take
	MirrorsTaken    uint64 // that are its own by now
	MirrorsGiven    uint64 // triggers given to those who keep mirrors of them, and removals
	MirrorPasses    uint64 // times that it has been through all triggers of another
	Lent            uint64 // data for a node that has joined, matched for it before it has its triggers
	Borrowed        uint64 // data passed on to the node that lends
	LeaveFailed     uint64 // times that it has left with triggers that nobody has taken over
	DropStranger    uint64 // handovers of, or for, a node that has no business with them
	DropUnready     uint64 // requests, and questions of nodes, before the node has the triggers of what it owns
	DropNoRing      uint64 // data and requests before the node has joined its ring
	DropOutbox      uint64 // copies and answers that found the outbox full
	DropRate        uint64 // requests above Limits.Requests of their source
	DropPace        uint64 // copies above Limits.Packets of their trigger
	Pushbacks       uint64 // packets of others' links to identifiers without triggers of which it told them
	Pruned          uint64 // links removed, since they lead to identifiers without triggers
	DropPushback    uint64 // pushbacks for no link, of a wrong node or too soon
	OverSource      uint64 // insertions refused: the source has Limits.MaxPerSource triggers
	OverTarget      uint64 // insertions refused: Limits.MaxPerTarget triggers lead to the target
	OverKey         uint64 // insertions refused: Limits.MaxPerKey triggers have the prefix and key
	OverShare       uint64 // insertions refused: the source has Limits.MaxShare triggers of the identifier
}
