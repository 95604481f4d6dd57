package replicate

import "net/netip"

// Flush hands the copies of the round to a port, address by address in the order of their first
// ones, those for one address in the order in which they were added. It does not
// wait: what the port does not take is dropped and counted, on the address that it was
// for. When it returns, nothing that was added is referred to any more.
func (p *Planner) Flush(port Port) {
	caps := port.Caps()
	for _, i := range p.active {
		w := &p.ways[i]
		p.datagrams = p.arrange(p.datagrams[:0], w.first, w.count, &caps)
		for ds := p.datagrams; len(ds) > 0; {
			n, segment := 1, 0
			if caps.MaxSegments > 1 && !w.noTrains {
				n, segment = p.train(ds, &caps)
				n = max(n, 1)
			}
			if len(p.messages) == caps.MaxMessages {
				p.send(port, &caps)
			}
			m, zeroed := p.message(w.to, ds[:n], segment)
			p.messages = append(p.messages, m)
			p.plans = append(p.plans, plan{i, ds[0].first, zeroed})
			ds = ds[n:]
		}
		w.count = 0
	}
	p.send(port, &caps)
	clear(p.copies)
	p.copies, p.active = p.copies[:1], p.active[:0]
	p.round++
}

// message returns the message of datagrams, a train if they are several, and how many zeros fill it up.
func (p *Planner) message(to netip.AddrPort, ds []datagram, segment int) (m Message, zeroed int) {
	m.To = to
	last := len(ds) - 1
	for i := range ds[:last] {
		zeroed += p.gather(&m, ds[i], segment)
	}
	p.gather(&m, ds[last], 0)
	if last > 0 {
		m.Segment = segment
	}
	return m, zeroed
}

// send hands the messages to the port, whatever becomes of them.
func (p *Planner) send(port Port, caps *Caps) {
	for done := 0; done < len(p.messages); {
		n, err := p.offer(port, p.messages[done:], p.plans[done:])
		if done += n; err == nil {
			continue
		}
		if m := &p.messages[done]; m.Segment > 0 && (err == ErrTooLong || err == ErrNoTrains) {
			*caps = port.Caps()
			p.cut(port, caps, done, err)
		} else {
			p.drop(p.plans[done].owner, m.Copies, err)
		}
		done++
	}
	clear(p.messages)
	clear(p.vectors)
	p.messages, p.plans, p.vectors = p.messages[:0], p.plans[:0], p.vectors[:0]
}

// offer hands messages to the port once, and counts those that it took. A port that took nothing and says
// nothing is full.
func (p *Planner) offer(port Port, ms []Message, plans []plan) (n int, err error) {
	p.count.Calls++
	n, err = port.Send(ms)
	for i := range n {
		p.took(&ms[i], &plans[i])
	}
	if n == 0 && err == nil {
		err = ErrFull
	}
	return n, err
}

// cut sends a train that the port refused as single datagrams.
func (p *Planner) cut(port Port, caps *Caps, i int, err error) {
	whole, its := &p.messages[i], &p.plans[i]
	single := [1]plan{{owner: its.owner}} // without zeros
	p.count.Cut++
	if err == ErrTooLong { // which is about this address
		p.ways[its.owner].noTrains = true
	}
	p.again = p.arrange(p.again[:0], its.first, whole.Copies, caps)
	for k := range p.again {
		m, _ := p.message(whole.To, p.again[k:k+1], 0)
		p.pieces = append(p.pieces[:0], m)
		if _, err := p.offer(port, p.pieces, single[:]); err != nil {
			p.drop(single[0].owner, m.Copies, err)
		}
	}
	clear(p.pieces)
}

// took counts a message that the port took.
func (p *Planner) took(m *Message, plan *plan) {
	w := &p.ways[plan.owner]
	w.tally.Sent += uint64(m.Copies)
	w.refused = 0
	p.count.Sent += uint64(m.Copies)
	p.count.Messages++
	p.count.Datagrams += uint64(m.Datagrams())
	p.count.PadBytes += uint64(plan.zeroed)
	if m.Segment > 0 {
		p.count.Trains++
	}
}

// mutedAfter is after how many refusals in succession an address is left alone, for twice as many rounds
// each time, up to so many.
const (
	mutedAfter  = 4
	mutedAtMost = 12 // two to the power of it
)

// drop counts a message that the port did not take. An address that is refused is left alone for a
// while if that happens again and again: a refusal costs a call, which the others would pay for.
func (p *Planner) drop(owner uint32, copies int, err error) {
	w := &p.ways[owner]
	w.tally.Dropped += uint64(copies)
	if err == ErrFull {
		p.count.DropFull += uint64(copies)
		return
	}
	p.count.DropRefused += uint64(copies)
	if w.refused++; w.refused >= mutedAfter {
		w.refused = min(w.refused, mutedAfter+mutedAtMost)
		w.muted = p.round + 1 + 1<<(w.refused-mutedAfter)
	}
}
