package host

import (
	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// acks handles a node's acknowledgements.
func (h *Host) acks(now machine.Time, p i3.Packet, payload []byte, out *machine.Outbox) {
	if i3.CheckEntries(payload) != nil {
		h.count.DropMalformed++
		return
	}
	for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
		a, err := i3.ParseAck(payload)
		if err != nil {
			h.count.DropMalformed++
			return
		}
		h.count.Acks++
		if h.settle(now, p.Flow, a) {
			h.handler.Acked(now, a, out)
		}
	}
}

// settle moves the task that an acknowledgement answers to its next state. It
// reports whether the handler should hear of it: not of late answers to
// questions that were answered already.
func (h *Host) settle(now machine.Time, flow uint32, a i3.Ack) bool {
	switch a.Status {
	case i3.StatusProbed:
		return true
	case i3.StatusNotOwner:
		if ring, ok := h.cfg.Ring.(chord.Corrector); ok {
			ring.Wrong(a.Trigger.ID.Prefix())
			return false // as if there had been no answer: it asks again, somebody else
		}
	}
	for i := range h.tasks {
		k := &h.tasks[i]
		if k.serial != flow || k.trigger != a.Trigger {
			continue
		}
		gone := a.Status == i3.StatusRemoved || a.Status == i3.StatusMissing
		if k.state == resting || (k.state == removing) != gone && a.Status != i3.StatusRefused {
			return false
		}
		if k.tries == 1 && !k.unsure {
			h.measure(now.Sub(k.asked))
		}
		k.alive = a.Status.Alive()
		if k.keep && k.state == inserting {
			h.rest(now, k)
		} else {
			h.drop(i)
		}
		return true
	}
	return false
}

// measure smooths the round trip as TCP does (RFC 6298, alpha = 1/8).
func (h *Host) measure(rtt machine.Duration) {
	if h.srtt == 0 {
		h.srtt = max(rtt, 1)
		return
	}
	h.srtt = max(h.srtt+(rtt-h.srtt)/8, 1)
}

// challenges keeps the nonces of challenges for this host's own requests and
// asks again with them. The answer goes to the identifier's owner, not to
// whoever sent the challenge.
func (h *Host) challenges(now machine.Time, p i3.Packet, payload []byte, out *machine.Outbox) {
	if i3.CheckEntries(payload) != nil {
		h.count.DropMalformed++
		return
	}
	for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
		c, err := i3.ParseChallenge(payload)
		if err != nil {
			h.count.DropMalformed++
			return
		}
		k := h.challenged(p.Flow, c)
		if k == nil {
			h.count.DropStranger++
			continue
		}
		h.count.Challenges++
		if k.tries == 1 && !k.unsure {
			h.measure(now.Sub(k.asked))
			k.asked = now
			k.tries = 0
		}
		k.proof = c.Nonce
		h.request(now, k, out)
	}
}

// challenged returns the task that a challenge belongs to, or nil: an identifier
// target has nothing to prove. A nonce the task has already is a duplicate of a
// challenge that was answered.
func (h *Host) challenged(flow uint32, c i3.Challenge) *task {
	if c.Trigger.Target.IsID() {
		return nil
	}
	for i := range h.tasks {
		k := &h.tasks[i]
		if k.serial == flow && k.trigger == c.Trigger && k.state != resting && k.proof != c.Nonce {
			return k
		}
	}
	return nil
}
