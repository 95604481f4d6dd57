package multicast

import "i3bench/i3/machine"

// A gauge is what a receiver knows of the way from the source to it, apart from its
// length. Only those that build trees for another metric than the delay, or judge
// their places, have one.
type gauge struct {
	loss      uint32 // lost of a million, or Unknown
	bandwidth uint32 // kbit/s, or Unknown

	last  arrival
	gap   int64  // ns a million bits take, smoothed; 0 before the first pair
	pairs uint32 // of packets that were sent close together, in this place

	trial trial
	count Measures
}

// Measures is how much a receiver has measured since it started.
type Measures struct {
	Trains     uint64 // of echoes, sent by the node of a place to join at
	Shortfalls uint64 // places left because what came fell short of the promise
}

// Measures returns how much it has measured so far.
func (r *Receiver) Measures() Measures {
	if g := r.gauge(); g != nil {
		return g.count
	}
	return Measures{}
}

// An arrival is the last packet that came down the tree.
type arrival struct {
	seq  uint64
	sent int64 // on the source's clock
	at   machine.Time
}

// value returns what the receiver reports of itself; nil knows nothing.
func (g *gauge) value(m Metric) uint32 {
	switch {
	case g == nil:
		return Unknown
	case m == Loss:
		return g.loss
	}
	return g.bandwidth
}

const (
	// closeTogether is how many times closer together than they arrive two packets
	// must have been sent for the way to be what keeps them apart.
	closeTogether = 8
	// enoughPairs is how many of these pairs are a measurement.
	enoughPairs = 8
	// packetHead is the bytes of a data packet before its payload.
	packetHead = 48 + HeaderSize
)

// data takes a packet that came down the tree. Two that the source sent one right
// after the other come as far apart as the narrowest part of the way sends the
// second, so that the bandwidth shows wherever the source sends several at a time.
func (g *gauge) data(now machine.Time, m Message, size int) {
	before := g.last
	g.last = arrival{m.Seq, m.Time, now}
	g.trial.received(m.Seq)
	apart, sent := int64(now.Sub(before.at)), m.Time-before.sent
	if before.seq == 0 || m.Seq != before.seq+1 || apart <= 0 || apart > int64(machine.Second) {
		return
	}
	if sent < 0 || sent > apart/closeTogether {
		return
	}
	sample := apart * 1_000_000 / int64(8*(packetHead+size))
	if g.pairs++; g.pairs == 1 {
		g.gap = sample
	} else {
		g.gap += (sample - g.gap) / 8
	}
	if g.pairs >= enoughPairs {
		g.bandwidth = perSecond(g.gap)
	}
}

// perSecond returns the kbit/s at which a million bits take so many nanoseconds.
func perSecond(gap int64) uint32 {
	return uint32(min(Unlimited, int64(1e12)/max(1, gap)))
}

// attached begins anew in a place that promises a value. Until it has measured
// itself a receiver reports what it joined by.
func (g *gauge) attached(m Metric, value uint32) {
	g.loss, g.bandwidth = Unknown, Unknown
	switch m {
	case Loss:
		g.loss = value
	case Bandwidth:
		g.bandwidth = value
	}
	g.last, g.gap, g.pairs = arrival{}, 0, 0
}

// restart begins the measurements anew for another stream of the root's.
func (r *Receiver) restart() {
	if g := r.gauge(); g != nil {
		g.last = arrival{}
		g.trial.first, g.trial.last, g.trial.packets = 0, 0, 0
	}
}

// perMillion returns how many packets of a million are lost, and false before a
// window of packets has passed.
func (l *lossRate) perMillion() (uint32, bool) {
	if !l.known || l.packets == 0 {
		return 0, false
	}
	return uint32(uint64(l.losses) * AllLost / uint64(l.packets)), true
}
