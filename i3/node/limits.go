package node

import (
	"fmt"
	"math"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// Defaults of [Limits].
const (
	// DefaultMaxPerSource is a 256th of the default table: several hosts of 256 triggers each behind one address.
	DefaultMaxPerSource = 4096
	// DefaultMaxPerTarget is four times what a host looks after.
	DefaultMaxPerTarget = 1024
	// DefaultMaxPerKey lets an anycast group of one prefix and key have so many members.
	DefaultMaxPerKey = 4096
	// DefaultRequests entries a second are at most a twentieth of a core, and twice as many may come at once.
	DefaultRequests = 4096
	// relays is how many links of one identifier a source of the multicast has.
	relays = 4
)

// Limits bounds what one source may have of a node. A source is an IPv4 address, or an IPv6 network of 64 bits. A
// trigger of a host counts for the host's address, which is proven; one of an identifier target counts for the address
// that first asked for it, which is not, and therefore on an account of its own. Zero means a field's default, and a
// negative value none.
type Limits struct {
	// MaxPerSource caps the triggers that count for one source. Above it, StatusNoRoom. Default [DefaultMaxPerSource].
	MaxPerSource int
	// MaxPerTarget caps the triggers that lead to one target: a host's address and port, or an identifier. Above it,
	// StatusNoRoom. Default [DefaultMaxPerTarget].
	MaxPerTarget int
	// MaxPerKey caps the triggers of one prefix and key, 192 bits, whatever their suffixes. Above it, StatusNoRoom.
	// Default [DefaultMaxPerKey]. There is no cap for a 64-bit prefix: prefixes can be chosen at will, so it would
	// stop nobody, and they can be seen in public identifiers, so whoever wanted one for himself could fill it.
	MaxPerKey int
	// MaxShare caps how many of one identifier's triggers count for one source, so that no source takes all places in
	// a tree. Above it, StatusFull. Default half of MaxPerID, rounded up, or if that is more, as many as a source with
	// four relays needs, but for one place.
	MaxShare int
	// Requests is the rate of entries in the requests of one source. Above it, they are dropped. Default
	// [DefaultRequests] a second. What may come at once is at least one request, of [i3.MaxEntries].
	Requests Rate
	// Packets is the rate of packets that one trigger forwards. Above it, its copies are dropped. Default none, and
	// then it costs nothing.
	Packets Rate
}

// A Rate is that of a token bucket.
type Rate struct {
	// PerSecond is how many tokens come each second.
	PerSecond int
	// Burst is how many there are at most. Default twice PerSecond.
	Burst int
}

// Unlimited returns the limits of a node whose hosts are known and trust each other, as in an experiment.
func Unlimited() Limits {
	return Limits{MaxPerSource: -1, MaxPerTarget: -1, MaxPerKey: -1, MaxShare: -1, Requests: Rate{PerSecond: -1}}
}

func (l *Limits) setDefaults(maxPerID int) error {
	setDefault(&l.MaxPerSource, DefaultMaxPerSource)
	setDefault(&l.MaxPerTarget, DefaultMaxPerTarget)
	setDefault(&l.MaxPerKey, DefaultMaxPerKey)
	setDefault(&l.MaxShare, max((maxPerID+1)/2, min(relays, maxPerID-1)))
	setDefault(&l.Requests.PerSecond, DefaultRequests)
	if err := l.Requests.setDefaults("requests"); err != nil {
		return err
	}
	l.Requests.Burst = max(l.Requests.Burst, i3.MaxEntries)
	return l.Packets.setDefaults("packets")
}

func (r *Rate) setDefaults(what string) error {
	if r.PerSecond <= 0 {
		return nil
	}
	setDefault(&r.Burst, min(2*r.PerSecond, math.MaxInt32))
	if r.PerSecond > int(machine.Second) || r.Burst < 1 || r.Burst > math.MaxInt32 {
		return fmt.Errorf("node: config: %d %s a second, %d at once: want at most 10^9 a second, and 1 to 2^31-1",
			r.PerSecond, what, r.Burst)
	}
	return nil
}

func setDefault(v *int, value int) {
	if *v == 0 {
		*v = value
	}
}
