package multicast

import (
	"crypto/ecdh"
	"encoding/binary"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A knock is a receiver's asking for the group behind a public name.
type knock struct {
	key    *ecdh.PrivateKey // ephemeral, of one Join
	number uint64           // of the ask
	tries  uint8
	denied bool
	timer  machine.Timer
}

const (
	// askWait is the wait for the answer to an ask.
	askWait = machine.Second
	// maxAsks is how often a receiver asks before it gives up.
	maxAsks = 6
)

// Denied reports whether the source has refused to let the receiver in, when it was
// last asked.
func (r *Receiver) Denied() bool {
	return r.rare != nil && r.rare.knock != nil && r.rare.knock.denied
}

// knock asks the source for the group, with a new key.
func (r *Receiver) knock(now machine.Time, out *machine.Outbox) {
	e, name := r.more(), r.cfg.Name
	if e.knock == nil {
		e.knock = new(knock)
	}
	k := e.knock
	var chance [16]byte
	binary.BigEndian.PutUint64(chance[:], r.rng.Uint64())
	binary.BigEndian.PutUint64(chance[8:], r.rng.Uint64())
	self := i3.AppendAddr(nil, r.host.Self())
	k.key = keyPair(digest("i3bench asker\x00", name.Entropy[:], self, chance[:]))
	k.number, k.tries, k.denied = r.rng.Uint64()>>(64-keyKind), 0, false
	r.state = knocking
	r.askAgain(now, out)
}

// askAgain sends the ask, at most so often.
func (r *Receiver) askAgain(now machine.Time, out *machine.Outbox) {
	k, name := r.rare.knock, r.cfg.Name
	if k.tries == maxAsks {
		r.notAdmitted(now)
		return
	}
	k.tries++
	ask := Ask{Key: publicKey(k.key), ReplyTo: r.host.Self(), Token: name.Token}
	if len(name.Secret) > 0 {
		p := proof(name.Secret, name.ID, ask.Key, ask.ReplyTo)
		ask.Token = p[:]
	}
	b := ask.AppendTo(Message{Type: TypeAsk, Seq: k.number}.AppendTo(out.Scratch()))
	out.Keep(b)
	r.host.Send(name.ID, b, out)
	r.timers.Set(&k.timer, keyAsk, now.Add(askWait))
}

// notAdmitted makes the receiver idle again.
func (r *Receiver) notAdmitted(now machine.Time) {
	r.state = idle
	r.timers.Stop(&r.rare.knock.timer)
	if f := r.events.Failed; f != nil {
		f(now)
	}
}

// admitted takes the answer to the ask. One that is not sealed by whom the name
// commits to is dropped.
func (r *Receiver) admitted(now machine.Time, m Message, head, body []byte, out *machine.Outbox) {
	a, err := ParseAdmit(body)
	if err != nil {
		r.count.DropMalformed++
		return
	}
	if r.state != knocking || m.Seq != r.rare.knock.number {
		r.count.DropUnexpected++
		return
	}
	told, ok := r.unseal(a, head)
	if !ok {
		r.count.DropTag++
		return
	}
	group, key := i3.IDFrom([i3.IDSize]byte(told)), [32]byte(told[i3.IDSize:])
	if group.IsZero() || group.IsPublic() {
		r.rare.knock.denied = true
		r.notAdmitted(now)
		return
	}
	r.timers.Stop(&r.rare.knock.timer)
	r.enterGroup(group, key)
	r.state = idle
	r.Join(now, out)
}

// unseal opens an answer, if it is the source's.
func (r *Receiver) unseal(a Admit, head []byte) (told []byte, ok bool) {
	name, k := r.cfg.Name.ID, r.rare.knock
	if nameOf(a.Key, name.Key()) != name {
		return nil, false
	}
	aead, err := sealer(k.key, a.Key, publicKey(k.key), a.Key, name)
	if err != nil {
		return nil, false
	}
	told, err = aead.Open(nil, a.Nonce[:], a.Box[:], head)
	return told, err == nil
}

// enterGroup gives the receiver a configuration of its own, with the group's
// identifier and key.
func (r *Receiver) enterGroup(group i3.ID, key [32]byte) {
	cfg := *r.cfg
	cfg.Group, cfg.Key = group, key
	cfg.derive()
	r.cfg = &cfg
	r.useKey()
	r.drawStep()
}

// leaveGroup makes the next Join ask again, if the receiver has a name to ask: nobody of
// the group has answered, so what it was told may be no longer true.
func (r *Receiver) leaveGroup() {
	if r.cfg.Name != nil {
		r.cfg.Group = i3.ID{} // the configuration is its own since it was admitted
	}
}

// drawStep makes the numbers of queries different each time where there is a key, and
// so the replies too, which have them: else old ones could be sent again.
func (r *Receiver) drawStep() {
	if r.guard() != nil {
		r.step = uint32(r.rng.Uint64())
	}
}
