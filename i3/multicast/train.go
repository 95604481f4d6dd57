package multicast

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A train is packets that a joining receiver sends to itself, one right after the
// other, by the node of a place where it might join: the paper's joiner, which
// inserts a trigger and measures itself what it wants to know. How far apart they
// come back is how wide the narrowest part of that way is.
//
// There are two triggers as after an attachment, but both identifiers are the
// receiver's: one on that node, linked to one on the receiver's own. So it is the way
// that data will take, no other host is asked for anything, none can lie about it,
// and nothing comes back that was not sent. The way to the node counts too, for all
// places alike; it may be narrower than the one back.
type train struct {
	choice      int   // index of the candidate
	far, id     i3.ID // on the candidate's node, and on the receiver's
	secret      i3.Nonce
	sent        bool
	back        uint16 // a bit for each packet that is back: each counts once
	first, last machine.Time
}

// Bounds of trains.
const (
	// maxTrains is at how many of the best places a search looks so closely.
	maxTrains = 3
	// trainLength is how many packets there are, of trainPacket bytes each, and of a tag
	// if the group has a key.
	trainLength = 16
	trainPacket = 1024
	trainBody   = trainPacket - packetHead
	// trainWait is how long a train may take, its trigger included.
	trainWait = 2 * machine.Second
)

// startTrains measures the ways to the best places once the search knows them, one
// after the other, for they have the receiver's own way in common. It returns false
// if there is nothing to measure.
func (r *Receiver) startTrains(now machine.Time, out *machine.Outbox) bool {
	s := &r.join.search
	if r.cfg.Search.Metric != Bandwidth || s.measured {
		return false
	}
	s.measured = true
	for _, i := range s.bestFew(maxTrains) {
		s.trains = append(s.trains, train{choice: i})
	}
	if len(s.trains) == 0 {
		return false
	}
	r.state = measuring
	r.nextTrain(now, out)
	return true
}

// nextTrain inserts the trigger of the next train, or ends the search.
func (r *Receiver) nextTrain(now machine.Time, out *machine.Outbox) {
	s := &r.join.search
	if len(s.trains) == 0 {
		r.attach(now, out)
		return
	}
	t := &s.trains[0]
	var key i3.Key
	for i := range key {
		key[i] = byte(r.rng.Uint64())
	}
	t.far = i3.NewID(s.seen[t.choice].id.Prefix(), key, r.rng.Uint64()).Private()
	t.id = i3.NewID(r.near.At(r.rng.Uint64()), i3.RightKey(t.far), r.rng.Uint64()).Private()
	binary.BigEndian.PutUint64(t.secret[:], r.rng.Uint64())
	r.host.Insert(now, r.host.Own(t.id), i3.Nonce{}, out)
	r.timers.Set(&r.join.timer, keySearch, now.Add(trainWait))
}

// link returns the trigger that leads from the far node to the receiver's.
func (t *train) link() i3.Trigger { return i3.Trigger{ID: t.far, Target: i3.ToID(t.id)} }

// trainAcked inserts the link, and sends the train when that is there.
func (r *Receiver) trainAcked(now machine.Time, a i3.Ack, out *machine.Outbox) {
	t := &r.join.search.trains[0]
	own, link := a.Trigger == r.host.Own(t.id), a.Trigger == t.link()
	switch {
	case !own && !link || t.sent:
		return
	case !a.Status.Alive():
		r.trainEnds(now, out)
		return
	case own:
		r.host.Insert(now, t.link(), t.secret, out)
		return
	}
	t.sent = true
	r.gauge().count.Trains++
	for i := range uint64(trainLength) {
		b := r.message(now, TypeEcho, 0, 0, uint64(r.step)<<numberBits|i, out)
		r.toID(t.far, append(b, make([]byte, trainBody)...), out)
	}
}

// trainBack takes one packet of a train.
func (r *Receiver) trainBack(now machine.Time, p i3.Packet, m Message, out *machine.Outbox) {
	i := m.Seq & (1<<numberBits - 1)
	if r.state != measuring || p.Kind != i3.KindData || p.ID != r.join.search.trains[0].id ||
		m.Seq>>numberBits != uint64(r.step) || i >= trainLength || r.join.search.trains[0].back&(1<<i) != 0 {
		r.count.DropUnexpected++
		return
	}
	t := &r.join.search.trains[0]
	if t.back == 0 {
		t.first = now
	}
	t.back, t.last = t.back|1<<i, now
	if t.back == 1<<trainLength-1 {
		r.trainEnds(now, out)
	}
}

// trainEnds takes what was measured for the place, if it is less than what was
// reported, and goes on with the next. A way on which no two packets come back is
// worth nothing.
func (r *Receiver) trainEnds(now machine.Time, out *machine.Outbox) {
	s := &r.join.search
	t := s.trains[0]
	s.trains = slices.Delete(s.trains, 0, 1)
	c := &s.seen[t.choice]
	c.value = min(c.value, t.bandwidth(trainPacket+r.tagSize()))
	c.cost = Bandwidth.cost(c.value)
	r.removeTrain(now, &t, out)
	r.nextTrain(now, out)
}

// bandwidth returns the kbit/s of the way that a train took, of packets of that size.
func (t *train) bandwidth(packet int) uint32 {
	got := bits.OnesCount16(t.back)
	if got < 2 {
		return 0
	}
	return perSecond(int64(t.last.Sub(t.first)) * 1_000_000 / int64((got-1)*8*packet))
}

// removeTrain takes back the triggers of a train.
func (r *Receiver) removeTrain(now machine.Time, t *train, out *machine.Outbox) {
	r.host.Remove(now, r.host.Own(t.id), i3.Nonce{}, out)
	r.host.Remove(now, t.link(), t.secret, out)
}

// stopTrains ends the train under way when the search is broken off.
func (r *Receiver) stopTrains(now machine.Time, out *machine.Outbox) {
	if r.state == measuring {
		r.removeTrain(now, &r.join.search.trains[0], out)
	}
}

// isTrain reports whether a trigger is for the train under way.
func (r *Receiver) isTrain(t i3.Trigger) bool {
	return r.state == measuring && (t == r.host.Own(r.join.search.trains[0].id) || t == r.join.search.trains[0].link())
}

// bestFew returns the best joinable candidates, at most n.
func (s *search) bestFew(n int) []int {
	var few []int
	for i := range s.seen {
		if c := &s.seen[i]; !c.full && !c.refused {
			few = append(few, i)
		}
	}
	slices.SortStableFunc(few, func(a, b int) int { return s.compare(&s.seen[a], &s.seen[b]) })
	return few[:min(n, len(few))]
}
