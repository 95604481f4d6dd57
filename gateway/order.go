package gateway

import "time"

// An order puts packets that come as they come in the order of their numbers. It has no clock and no lock; what is in
// order goes to emit.
type order struct {
	wait  time.Duration
	emit  func(packet []byte) // takes the buffer over
	count *EgressCounters

	begun    bool
	next     uint64    // number of the packet that goes out next
	slots    []slot    // of packets from next on: packet n is in slot n modulo their number
	held     int       // packets in the slots
	arrivals []uint64  // numbers of packets as they came to wait, which some do no more
	now      time.Time // of the call under way
}

// A slot says what is known of a packet that is not out yet.
type slot struct {
	state  slotState
	packet []byte
	came   time.Time
}

type slotState uint8

const (
	missing slotState = iota // not here, and may come
	present
	lost // will never come
)

func newOrder(cfg EgressConfig, count *EgressCounters, emit func([]byte)) order {
	return order{wait: cfg.Wait, emit: emit, count: count, slots: make([]slot, cfg.Window)}
}

func (o *order) slot(number uint64) *slot { return &o.slots[number%uint64(len(o.slots))] }

// begin starts a stream whose first packet has the number after this. What waits of the stream before goes out first.
func (o *order) begin(now time.Time, after uint64) {
	o.flush(now)
	o.count.Streams++
	o.begun, o.next = true, after+1
}

// flush lets out all that waits, over what is missing in between.
func (o *order) flush(now time.Time) {
	o.now = now
	for o.held > 0 {
		o.skip(o.next+1, &o.count.SkippedEnd)
	}
	for i := range o.slots { // what was given up behind the last one that came
		o.slots[i].state = missing
	}
	o.arrivals = o.arrivals[:0]
}

// put takes a packet, whose buffer is the order's from now on, and reports whether it had a use for it.
func (o *order) put(now time.Time, number uint64, packet []byte) bool {
	if !o.begun {
		o.begin(now, number-1)
	}
	o.now = now
	s := o.reach(number)
	if s == nil || s.state == present {
		o.count.DropLate++
		return false
	}
	if number == o.next {
		o.next++
		o.emit(packet)
		o.run()
		return true
	}
	s.state, s.packet, s.came = present, packet, now
	o.held++
	o.count.Waited++
	o.count.MostWaiting = max(o.count.MostWaiting, uint64(o.held))
	o.arrivals = append(o.arrivals, number)
	return true
}

// giveUp is told that a packet will never come.
func (o *order) giveUp(now time.Time, number uint64) {
	if !o.begun {
		return
	}
	o.now = now
	s := o.reach(number)
	if s == nil || s.state != missing {
		return // it was skipped already
	}
	o.count.Lost++
	s.state = lost
	o.run()
}

// reach returns the slot of a packet, for which it makes room, or nil for one whose turn is over.
func (o *order) reach(number uint64) *slot {
	if number < o.next {
		return nil
	}
	if window := uint64(len(o.slots)); number-o.next >= window {
		o.skip(number-window+1, &o.count.SkippedRoom)
		o.run()
	}
	return o.slot(number)
}

// run lets out what is in order now.
func (o *order) run() {
	for o.slot(o.next).state != missing {
		o.step()
	}
	if o.held == 0 {
		o.arrivals = o.arrivals[:0]
	}
}

// step lets out the next packet, if it is here, and reports whether it was neither here nor given up.
func (o *order) step() (skipped bool) {
	s := o.slot(o.next)
	was, packet := s.state, s.packet
	s.state, s.packet = missing, nil
	o.next++
	if was == present {
		o.held--
		o.count.LongestWait = max(o.count.LongestWait, o.now.Sub(s.came))
		o.emit(packet)
	}
	return was == missing
}

// skip lets out what is here of the packets below a number and counts those that are missing.
func (o *order) skip(below uint64, skipped *uint64) {
	for n := 0; o.next < below && n < len(o.slots); n++ {
		if o.step() {
			*skipped++
		}
	}
	if o.next < below { // no slot knows of these: so far nothing came
		*skipped += below - o.next
		o.next = below
	}
}

// oldest returns the number of the packet that has waited longest.
func (o *order) oldest() (number uint64, ok bool) {
	for len(o.arrivals) > 0 && o.arrivals[0] < o.next {
		o.arrivals = o.arrivals[1:]
	}
	if len(o.arrivals) == 0 {
		return 0, false
	}
	return o.arrivals[0], true
}

// expire lets out packets that have waited long enough, with those before them, and returns how long the next one may
// still wait, or less than zero if none does.
func (o *order) expire(now time.Time) time.Duration {
	o.now = now
	for {
		number, ok := o.oldest()
		if !ok {
			return -1
		}
		if left := o.slot(number).came.Add(o.wait).Sub(now); left > 0 {
			return left
		}
		o.skip(number, &o.count.SkippedTime)
		o.run()
	}
}
