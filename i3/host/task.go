package host

import (
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

// A task is one trigger that the host asks for, looks after, or removes.
type task struct {
	serial uint32 // key of the timer and flow of the requests
	state  taskState
	keep   bool // maintain after the acknowledgement
	alive  bool // in the node's table as of its last answer
	unsure bool // an answer may be to a request before this one
	tries  uint8
	timer  machine.Timer
	asked  machine.Time
	// proof is the answer to the last challenge, of a trigger for this host; of an
	// identifier target, which nobody challenges, it is the owner's secret, or zero.
	proof   i3.Nonce
	trigger i3.Trigger
}

// A taskState says what a task waits for.
type taskState uint8

const (
	inserting taskState = iota // for the answer to an insertion or refresh
	removing                   // for the answer to a removal
	resting                    // for the next refresh
)

// Maintain inserts a trigger for this host and refreshes it until Remove or
// Forget. If the host maintains it already, it is refreshed now.
func (h *Host) Maintain(now machine.Time, t i3.Trigger, out *machine.Outbox) {
	if k := h.task(t); k != nil {
		k.keep = true
		h.ask(now, k, inserting, out)
	}
}

// Insert inserts or refreshes a trigger once; it asks until there is an answer.
// The secret, if not zero, lets its holder remove the trigger if this insertion
// is its first.
func (h *Host) Insert(now machine.Time, t i3.Trigger, secret i3.Nonce, out *machine.Outbox) {
	if k := h.task(t); k != nil {
		k.setSecret(secret)
		h.ask(now, k, inserting, out)
	}
}

// Remove removes a trigger and stops maintaining it. The secret is needed for
// identifier targets only.
func (h *Host) Remove(now machine.Time, t i3.Trigger, secret i3.Nonce, out *machine.Outbox) {
	if k := h.task(t); k != nil {
		k.keep = false
		k.setSecret(secret)
		h.ask(now, k, removing, out)
	}
}

// setSecret sets the owner's secret of an identifier target; others have none.
func (k *task) setSecret(secret i3.Nonce) {
	if k.trigger.Target.IsID() {
		k.proof = secret
	}
}

// Forget stops looking after a trigger without telling anyone; it will expire.
func (h *Host) Forget(t i3.Trigger) {
	if i := h.find(t); i >= 0 {
		h.drop(i)
	}
}

// Maintains reports whether the host looks after a trigger and the node has
// it, by its last answer. It stays so during a refresh, until there is no answer.
func (h *Host) Maintains(t i3.Trigger) bool {
	i := h.find(t)
	return i >= 0 && h.tasks[i].keep && h.tasks[i].alive
}

// Probe asks, once, how many triggers each identifier has. The identifiers
// must live on one node; each packet asks for [i3.MaxEntries] of them. The answers
// arrive as Acked with StatusProbed.
func (h *Host) Probe(ids []i3.ID, out *machine.Outbox) {
	for len(ids) > 0 {
		n := min(len(ids), i3.MaxEntries)
		h.probe(ids[:n], out)
		ids = ids[n:]
	}
}

// probe sends one packet of probes.
func (h *Host) probe(ids []i3.ID, out *machine.Outbox) {
	owner, ok := h.cfg.Ring.Owner(ids[0].Prefix())
	if !ok {
		h.count.DropNoOwner++
		return
	}
	h.count.Requests++
	var buf [i3.MaxDatagram]byte
	b := i3.Packet{
		Kind: i3.KindInsert, HopLimit: 1, Length: uint16(len(ids) * i3.EntrySize), ID: ids[0],
	}.AppendTo(buf[:0])
	for _, id := range ids {
		b = i3.Insert{Trigger: h.Own(id), Probe: true}.AppendTo(b)
	}
	out.Send(owner, b)
}

// Own returns the trigger that brings packets for a private identifier to this
// host, with the key that the right constraint asks for.
func (h *Host) Own(id i3.ID) i3.Trigger {
	return i3.Trigger{ID: id, Target: i3.ToHost(h.self, i3.RightKey(id))}
}

// task returns the task of a trigger, a new one if there is none, or nil when
// the host looks after too many.
func (h *Host) task(t i3.Trigger) *task {
	if i := h.find(t); i >= 0 {
		return &h.tasks[i]
	}
	if len(h.tasks) == maxTasks {
		h.count.DropTasks++
		return nil
	}
	h.serial++
	if n := len(h.tasks); n == cap(h.tasks) { // by little: most hosts have three or four for good
		h.tasks = append(make([]task, 0, n+growth(n)), h.tasks...)
	}
	h.tasks = append(h.tasks, task{trigger: t, serial: h.serial})
	return &h.tasks[len(h.tasks)-1]
}

// growth returns for how many tasks more a host with n makes room.
func growth(n int) int {
	if n < 4 {
		return 2
	}
	return max(1, n/4)
}

// find returns the index of a trigger's task, or -1.
func (h *Host) find(t i3.Trigger) int {
	for i := range h.tasks {
		if h.tasks[i].trigger == t {
			return i
		}
	}
	return -1
}

// drop forgets the i-th task. Its heap entry finds no task and is ignored.
func (h *Host) drop(i int) {
	last := len(h.tasks) - 1
	h.tasks[i] = h.tasks[last]
	h.tasks = h.tasks[:last]
}

// ask sends a task's first request of a new kind.
func (h *Host) ask(now machine.Time, k *task, s taskState, out *machine.Outbox) {
	k.unsure = k.state != resting && k.tries > 0
	k.alive = k.alive && s != removing
	k.state, k.tries, k.asked = s, 0, now
	h.request(now, k, out)
}

// request sends a task's request and sets the timer for sending it again.
func (h *Host) request(now machine.Time, k *task, out *machine.Outbox) {
	if ring, ok := h.cfg.Ring.(chord.Corrector); ok && k.tries >= doubtAfter {
		ring.Doubt(k.trigger.ID.Prefix())
	}
	owner, ok := h.cfg.Ring.Owner(k.trigger.ID.Prefix())
	if !ok {
		h.count.DropNoOwner++
	} else {
		h.count.Requests++
		h.sendRequest(owner, k, out)
	}
	k.tries++
	h.timers.Set(&k.timer, uint64(k.serial), now.Add(h.wait(int(k.tries))))
}

// sendRequest sends the request of a task.
func (h *Host) sendRequest(owner netip.AddrPort, k *task, out *machine.Outbox) {
	kind, in := i3.KindInsert, i3.Insert{Trigger: k.trigger}
	switch {
	case k.state == removing:
		kind, in.Nonce = i3.KindRemove, k.proof
	case !k.trigger.Target.IsID():
		in.Nonce = k.proof
	case k.proof != (i3.Nonce{}):
		in.Owner = i3.OwnerOf(k.proof)
	}
	var buf [i3.HeaderSize + i3.EntrySize]byte
	b := i3.Packet{
		Kind: kind, HopLimit: 1, Length: i3.EntrySize, Flow: k.serial, ID: k.trigger.ID,
	}.AppendTo(buf[:0])
	out.Send(owner, in.AppendTo(b))
}

// wait returns how long to wait for the answer to the n-th try: three smoothed
// round trips, half as long again each time.
func (h *Host) wait(n int) machine.Duration {
	d := h.cfg.Retry
	if h.srtt > 0 {
		d = max(3*h.srtt, retryFloor)
	}
	for ; n > 1 && d < retryCeil; n-- {
		d += d / 2
	}
	return min(d, retryCeil)
}

// Expire sends what is due: requests again, and refreshes.
func (h *Host) Expire(now machine.Time, out *machine.Outbox) {
	for {
		key, at, ok := h.timers.Pop(now)
		if !ok {
			return
		}
		for i := range h.tasks {
			k := &h.tasks[i]
			if uint64(k.serial) == key {
				if h.timers.Fired(&k.timer, key, at, now) {
					h.due(now, i, out)
				}
				break
			}
		}
	}
}

// due handles the timer of the i-th task.
func (h *Host) due(now machine.Time, i int, out *machine.Outbox) {
	k := &h.tasks[i]
	switch {
	case k.state == resting:
		h.ask(now, k, inserting, out)
	case k.tries < maxTries:
		h.count.Retries++
		h.request(now, k, out)
	default:
		h.count.Failures++
		k.alive = false
		t := k.trigger
		if k.keep {
			h.restAfterFailure(now, k)
		} else {
			h.drop(i)
		}
		h.handler.Failed(now, t, out)
	}
}

// rest waits for the next refresh, see [Config.Rest].
func (h *Host) rest(now machine.Time, k *task) { h.restFor(now, k, h.cfg.Rest) }

// restAfterFailure waits for the next refresh when none of the tries of the last was answered.
func (h *Host) restAfterFailure(now machine.Time, k *task) {
	if h.cfg.Rest > shortestRest {
		h.restFor(now, k, 1)
		return
	}
	h.rest(now, k)
}

// restFor waits for so many tenths of T, and up to one more.
func (h *Host) restFor(now machine.Time, k *task, tenths int) {
	unit, n := int64(h.cfg.Lifetime)/int64(10*h.cfg.Hurry), int64(tenths)
	k.state = resting
	h.timers.Set(&k.timer, uint64(k.serial), now.Add(machine.Duration(h.rng.Between(n*unit, (n+1)*unit))))
}
