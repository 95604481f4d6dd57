package multicast

import (
	"cmp"
	"fmt"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// A RefreshScheme says when a receiver refreshes the links of its chain
// (paper section 4).
type RefreshScheme uint8

const (
	// OwnerFirst refreshes one's own link at [0.4 T, 0.5 T), the two above it at
	// [0.5 T, 0.75 T) and the rest at [0.75 T, T): the paper's refresh-level with
	// a slot for the owner, whom its formula forgets. The own link is never
	// suppressed, so that forged acknowledgements cannot silence its owner.
	OwnerFirst RefreshScheme = iota
	// ByLevel is the paper's refresh-level: the own link and the two above it at
	// [T/2, 3T/4), the rest at [3T/4, T).
	ByLevel
	// Uniform is the paper's refresh-unif: all links at [T/2, T).
	Uniform
)

// A RepairScheme says which member of a repair group is asked (section 5).
type RepairScheme uint8

const (
	// LowestLoss is the paper's rel-loss: the member with the lowest loss rate.
	LowestLoss RepairScheme = iota
	// Spread is the paper's rel-random: a member drawn by the sequence number.
	Spread
)

// A RepairPolicy says how a receiver asks for lost packets.
type RepairPolicy struct {
	Scheme RepairScheme
	// Reorder is how long a gap may be reordering before it is a loss. Three
	// later packets end the wait. Default 20 ms.
	Reorder machine.Duration
	// Wait bounds the random delay before the first request: U[0, Wait). The
	// paper uses 300 ms; the default is none, since anycast alone prevents
	// implosion.
	Wait machine.Duration
	// Retry is the fixed time after which a request is sent again: 800 ms in the
	// paper. The default, zero, follows the measured time of repairs.
	Retry machine.Duration
	// Literal keeps every retry as the first request was and makes whoever lost
	// the packet too ask its parent's group at once, as Figure 10 does. The
	// default asks a second member first, and retries climb the tree.
	Literal bool
}

// PaperRepair is the repair policy of the paper's section 6.3.
func PaperRepair(s RepairScheme) RepairPolicy {
	return RepairPolicy{Scheme: s, Wait: 300 * machine.Millisecond, Retry: 800 * machine.Millisecond, Literal: true}
}

// Defaults of a [Config].
const (
	// DefaultHeartbeatMin and DefaultHeartbeatMax bound the time from the last
	// packet of a source to its next heartbeat, which doubles while it is idle.
	DefaultHeartbeatMin = 50 * machine.Millisecond
	DefaultHeartbeatMax = machine.Second
	// DefaultCache is how many packets a host keeps for repairs.
	DefaultCache = 4096
	// DefaultReorder is the wait before a gap is a loss.
	DefaultReorder = 20 * machine.Millisecond
)

// A Config says what a source or a receiver is. The zero value of each optional
// field means its default.
type Config struct {
	// Host is the end host it runs on.
	Host host.Config
	// Group is the group's identifier, private, whose prefix places it near the
	// source. Whoever knows it may join and send.
	Group i3.ID
	// Key is the group's key, random, which all members have and nobody else. With it
	// every message ends in a tag that only members can make, and members drop all
	// others. Zero means none: whoever knows an identifier of the tree can then
	// speak for any member. See docs/wire.md, section 8.
	Key [32]byte
	// Name, for a receiver that knows no more of the group than its public name, is
	// in place of Group and Key: Join asks the source for them first.
	Name *Name
	// Door, for a source, makes the group known by a public name. Receivers ignore it.
	Door *Door
	// Near is the prefixes that live on the i3 node closest to the host.
	Near chord.Range
	// Epoch tells incarnations of a source apart; it grows. Less than 2^24.
	// Receivers ignore it.
	Epoch uint32
	// Number tells the sources of a group apart: 0, the default, is that at the root,
	// which every group has; another only sends to the group and answers requests for its
	// packets. Receivers ignore it.
	Number uint8
	// Rank is the place of a stand-by among those of its group, each of which has its
	// own, less than 16: who has the lowest takes the role of a silent source first.
	Rank uint8
	// Agents says that others besides the source may answer searches that begin at the
	// root: receivers that are agents, see Agent. Whoever joins asks one of them, by
	// anycast. All members of a group have the same.
	Agents bool
	// Agent makes a receiver an agent: a number from 1 on, each of its own. The source
	// is number 0. Sources ignore it.
	Agent uint8
	// MaxSources is how many sources' streams a receiver follows, that at the root
	// among them. Packets of others are dropped and counted. Default 1, at most
	// [MaxSources]; with more, [Events] should have Follow.
	MaxSources int
	// Skew is added to the driver's time wherever a timestamp is put on the wire
	// or compared with one: the offset of the host's clock.
	Skew machine.Duration
	// Refresh is the refresh scheme. See also [Receiver.SetRefresh].
	Refresh RefreshScheme
	// Repair is the repair policy.
	Repair RepairPolicy
	// Search is the search policy.
	Search SearchPolicy
	// Probe is how a receiver looks for a nearer parent. Default: it does not.
	Probe ProbePolicy
	// Relays is how many identifiers the source keeps below the group's, on the same
	// node, for receivers to join at: each takes one of the group's D places and adds
	// D as near to the source, and one for which there is no place is not used.
	// Places next to the root are taken by whoever came first and decide how long the
	// whole tree is; more of them let later receivers be near it too. Default 0, the
	// paper's tree; at most [MaxRelays]. Receivers ignore it.
	Relays int
	// HeartbeatMin and HeartbeatMax bound the source's heartbeat interval.
	// Receivers use the latter to notice silence.
	HeartbeatMin, HeartbeatMax machine.Duration
	// Cache is how many packets are kept for repairs, a power of two.
	Cache int
	// Events tells the application what happens.
	Events Events

	root   i3.ID    // above Group; filled in with the defaults
	tagKey [32]byte // of Key and Group; filled in with the defaults
	keyed  bool     // there is a Key
	gauged bool     // there is more to measure than delays
}

// Events are calls that a receiver makes. Any may be nil. They run inside the
// machine's call and must not call the machine.
type Events struct {
	// Attached: the receiver's link is in the tree, at the given level.
	Attached func(now machine.Time, level int)
	// Joined: the first packet came down the tree. All packets above seq are
	// owed. It is called again if the source starts anew, or after a gap that is
	// too long to repair; what was owed until then and has not come never will, but
	// for a stream that Follow has given events of its own.
	Joined func(now machine.Time, seq uint64)
	// Deliver hands over one packet, each once, as they come. sent is the source's
	// timestamp, on its clock, and zero for a repaired packet. The payload is
	// valid only during the call.
	Deliver func(now machine.Time, seq uint64, sent int64, payload []byte)
	// Repaired: a packet that was lost is here, so long after the loss was noticed.
	Repaired func(now machine.Time, seq uint64, took machine.Duration)
	// Lost: a packet is given up, for nobody has it any more.
	Lost func(now machine.Time, seq uint64)
	// Refreshed: the receiver refreshes the link to the identifier at this level of
	// its chain because its timer ran out.
	Refreshed func(now machine.Time, level int)
	// Moved: the receiver has moved to another parent, and is at the given level now.
	// Who only follows one above it that has moved is not told.
	Moved func(now machine.Time, level int)
	// Follow: the stream of a source, and of one incarnation of it, begins: they
	// are the first byte of its epoch and the rest. What it returns, if not nil, is told
	// of this stream's packets (Joined, Deliver, Repaired, Lost) instead of these. With
	// Follow a source's role may pass to another and what is missing of the last one's stream is
	// still repaired; without it is given up.
	Follow func(now machine.Time, epoch uint32) *Events
	// Leads: a stand-by has become the source, or another has.
	Leads func(now machine.Time, leads bool)
	// Left: the receiver has taken itself out of the tree.
	Left func(now machine.Time)
	// Failed: the search for a parent found none; the receiver is idle again.
	Failed func(now machine.Time)
}

func (c *Config) setDefaults() error {
	if err := c.checkGroup(); err != nil {
		return err
	}
	c.derive()
	c.fillIn()
	return c.check()
}

// fillIn gives every field that is zero its default.
func (c *Config) fillIn() {
	c.Search.fillIn()
	c.gauged = c.Search.measures()
	if c.HeartbeatMin == 0 {
		c.HeartbeatMin = DefaultHeartbeatMin
	}
	if c.HeartbeatMax == 0 {
		c.HeartbeatMax = max(DefaultHeartbeatMax, c.HeartbeatMin)
	}
	if c.Cache == 0 {
		c.Cache = DefaultCache
	}
	if c.MaxSources == 0 {
		c.MaxSources = 1
	}
	if c.Repair.Reorder == 0 {
		c.Repair.Reorder = DefaultReorder
	}
	if c.Probe.MinGain == 0 {
		c.Probe.MinGain = DefaultMinGain
	}
	if c.Probe.MaxHeads == 0 {
		c.Probe.MaxHeads = DefaultMaxHeads
	}
	if c.Host.Lifetime == 0 {
		c.Host.Lifetime = host.DefaultLifetime
	}
	if c.Host.Hurry == 0 {
		c.Host.Hurry = 1
	}
}

// check wants what the fields allow.
func (c *Config) check() error {
	if err := c.Search.check(); err != nil {
		return err
	}
	if err := cmp.Or(c.checkRoles(), c.checkDraw()); err != nil {
		return err
	}
	switch {
	case c.Relays < 0 || c.Relays > MaxRelays:
		return fmt.Errorf("multicast: config: %d relays: want 0 to %d", c.Relays, MaxRelays)
	case c.Cache < 1 || c.Cache&(c.Cache-1) != 0:
		return fmt.Errorf("multicast: config: cache of %d packets: want a power of two", c.Cache)
	case c.Probe.Period < 0 || c.Probe.MinGain < 0:
		return fmt.Errorf("multicast: config: probe period %d, gain %d ns: want none below zero",
			c.Probe.Period, c.Probe.MinGain)
	case c.Probe.Period > 0 && c.Search.Metric != Delay:
		return fmt.Errorf("multicast: config: probe period %d: want 0 but with the metric Delay", c.Probe.Period)
	case c.Probe.MaxHeads < 1 || c.Probe.MaxHeads > maxHeads:
		return fmt.Errorf("multicast: config: %d heads move together: want 1 to %d", c.Probe.MaxHeads, maxHeads)
	case c.HeartbeatMin < 0 || c.HeartbeatMax < c.HeartbeatMin:
		return fmt.Errorf("multicast: config: heartbeat from %d to %d ns: want 0 < min <= max",
			c.HeartbeatMin, c.HeartbeatMax)
	}
	return nil
}

// checkRoles wants what the fields of sources, stand-bys and agents allow.
func (c *Config) checkRoles() error {
	switch {
	case c.Epoch >= 1<<numberShift:
		return fmt.Errorf("multicast: config: epoch %d: want less than %d", c.Epoch, 1<<numberShift)
	case c.Rank >= ranks:
		return fmt.Errorf("multicast: config: rank %d: want less than %d", c.Rank, ranks)
	case c.Number > 0 && (c.Relays > 0 || c.Door != nil):
		return fmt.Errorf("multicast: config: %d relays, or a door, of source %d: want none but at the root",
			c.Relays, c.Number)
	case c.Agent > 0 && !c.Agents:
		return fmt.Errorf("multicast: config: agent %d: want a group with agents", c.Agent)
	case c.MaxSources < 1 || c.MaxSources > MaxSources:
		return fmt.Errorf("multicast: config: %d sources: want 1 to %d", c.MaxSources, MaxSources)
	}
	return nil
}

// checkGroup wants one way, and one alone, to know the group.
func (c *Config) checkGroup() error {
	switch {
	case c.Name != nil && (!c.Group.IsZero() || c.Key != [32]byte{}):
		return fmt.Errorf("multicast: config: group %v beside a name: want one or the other", c.Group)
	case c.Name != nil:
		return c.Name.check()
	case c.Group.IsZero() || c.Group.IsPublic():
		return fmt.Errorf("multicast: config: group %v: want a private identifier", c.Group)
	case c.Door != nil && (c.Door.Secret == [32]byte{} || c.Door.Rate < 0):
		return fmt.Errorf("multicast: config: door: rate %d: want a secret, and a rate of 0 or more",
			c.Door.Rate)
	}
	return nil
}

// derive fills in what follows from the group's identifier and key.
func (c *Config) derive() {
	c.root, c.tagKey, c.keyed = RootOf(c.Group), tagKey(&c.Key, c.Group), c.Key != [32]byte{}
}

// MaxRelays bounds [Config.Relays].
const MaxRelays = 4

// Limits that no configuration changes.
const (
	// maxHopPercent bounds SearchPolicy.HopPercent, so that no sum overflows.
	maxHopPercent = 1000
	// maxWidth bounds the search.
	maxWidth = 8
	// maxLevel bounds the depth of a search. Who joins below it is one level
	// deeper, and the hop limit brings no packet farther: each level may be on
	// another node, and the group's identifier is on one, too.
	maxLevel = i3.DefaultHopLimit - 2
	// maxSeen bounds the replies that a search remembers.
	maxSeen = 512
	// maxJump bounds the packets that can be missing at once. A longer gap is not
	// one that anybody could account for: the stream begins anew after it.
	maxJump = 1 << 16
	// maxSeq is the largest sequence number: a timer's key has no room for more.
	maxSeq = 1<<keyKind - 1
	// maxLosses bounds the packets a receiver asks for at a time. When more are
	// missing the oldest are given up and reported as Lost.
	maxLosses = 4096
	// maxPending bounds the requests that a receiver has passed upward. Above it
	// requests for packets it lost itself go unanswered; the requester retries.
	maxPending = 1024
)

// Counters is what a source or receiver has done since it started. All counts
// are of messages unless said otherwise.
type Counters struct {
	Delivered        uint64 // packets handed to the application
	RefreshAcks      uint64 // refresh acknowledgements received
	Refreshes        uint64 // links refreshed because a timer ran out
	Queries          uint64 // distance queries processed (Table 2b)
	Sent             uint64 // data packets sent by the source
	Heartbeats       uint64 // sent by the source
	Searches         uint64 // searches begun
	QueriesSent      uint64 // distance queries sent, one for each set
	Attaches         uint64 // links inserted
	Refused          uint64 // links refused because the parent was full
	Repaired         uint64 // of these, packets that were lost and repaired
	Duplicates       uint64 // data and repairs of packets that were there already
	Abandoned        uint64 // packets given up
	Reordered        uint64 // packets that were late, not lost
	Requests         uint64 // repair requests sent for oneself, retries included
	Escalated        uint64 // repair requests sent upward for a subtree, retries included
	Passed           uint64 // repair requests passed to a second member
	RequestsReceived uint64 // repair requests received
	Repairs          uint64 // repairs sent to one host
	SubtreeRepairs   uint64 // repairs sent to a subtree
	Gone             uint64 // requests answered with Gone
	Adoptions        uint64 // identifiers taken over from a silent owner
	Silences         uint64 // times the tree was silent and the chain re-inserted
	DropMalformed    uint64 // messages that do not decode
	DropUnexpected   uint64 // messages for another role or state
	DropTag          uint64 // messages with a wrong tag, or none where the group has a key, or any where it has none
	DropReplay       uint64 // messages with the right tag that are too old, see docs/wire.md
	DropHeldDown     uint64 // requests for what was repaired a moment ago
	DropPending      uint64 // requests for subtrees while too many are pending
	DropSource       uint64 // packets and heartbeats of more sources than are followed
}
