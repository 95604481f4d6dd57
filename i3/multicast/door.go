package multicast

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"net/netip"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// AskCounters is what a source has done with asks since it started.
type AskCounters struct {
	Admitted uint64 // asks answered with the group's identifier and key
	Refused  uint64 // asks answered with a refusal
	DropRate uint64 // asks above [Door.Rate]
	DropKey  uint64 // asks whose key is none
}

// A door is a source's [Door] at work: the only trigger of its name leads straight to
// it, so that an ask comes to it alone and not to its tree.
type door struct {
	*Door
	name   i3.ID
	key    *ecdh.PrivateKey
	public [32]byte
	pace   machine.Pace // of asks
	full   machine.Time // their bucket
	count  AskCounters
}

func newDoor(d *Door) *door {
	k, rate := doorKey(&d.Secret), d.Rate
	if rate == 0 {
		rate = DefaultAsks
	}
	return &door{Door: d, name: PublicName(d.Secret), key: k, public: publicKey(k), pace: machine.PaceOf(rate, rate)}
}

// AskCounters returns what the source has done with asks; all zero without a door.
func (s *Source) AskCounters() AskCounters {
	if s.door == nil {
		return AskCounters{}
	}
	return s.door.count
}

// openDoor inserts the trigger of the public name.
func (s *Source) openDoor(now machine.Time, out *machine.Outbox) {
	if d := s.door; d != nil {
		s.host.Maintain(now, d.trigger(s.host.Self()), out)
	}
}

// closeDoor removes it.
func (s *Source) closeDoor(now machine.Time, out *machine.Outbox) {
	if d := s.door; d != nil {
		s.host.Remove(now, d.trigger(s.host.Self()), i3.Nonce{}, out)
	}
}

// trigger returns the trigger of the public name.
func (d *door) trigger(self netip.AddrPort) i3.Trigger {
	return i3.Trigger{ID: d.name, Target: i3.ToHost(self, triggerKey(&d.Secret))}
}

// asked answers an ask with one message of the same size, to the asker alone.
func (s *Source) asked(now machine.Time, p i3.Packet, m Message, body []byte, out *machine.Outbox) {
	d := s.door
	if d == nil || p.ID != d.name {
		s.count.DropUnexpected++
		return
	}
	ask, err := ParseAsk(body)
	if err != nil {
		s.count.DropMalformed++
		return
	}
	if !d.pace.Take(&d.full, now, 1) {
		d.count.DropRate++
		return
	}
	var told [i3.IDSize + 32]byte
	admitted := d.Admit == nil || d.Admit(Asker{ask.ReplyTo, ask.Key, ask.Token, d.name})
	if admitted {
		s.cfg.Group.AppendTo(told[:0])
		copy(told[i3.IDSize:], s.cfg.Key[:])
	}
	head := s.message(now, TypeAdmit, 0, 0, m.Seq, out)
	answer, err := d.seal(ask.Key, head, &told)
	if err != nil {
		d.count.DropKey++
		return
	}
	if admitted {
		d.count.Admitted++
	} else {
		d.count.Refused++
	}
	b := answer.AppendTo(head)
	out.Keep(b)
	s.host.Direct(ask.ReplyTo, d.name, b, out)
}

// seal seals what an asker is told, bound to the header of the message. The nonce follows
// from all of it, so that no two answers have the same and no randomness is needed.
func (d *door) seal(asker [32]byte, head []byte, told *[i3.IDSize + 32]byte) (a Admit, err error) {
	aead, err := sealer(d.key, asker, asker, d.public, d.name)
	if err != nil {
		return a, err
	}
	a.Key = d.public
	mac := hmac.New(sha256.New, d.Secret[:])
	mac.Write(asker[:])
	mac.Write(head)
	mac.Write(told[:])
	copy(a.Nonce[:], mac.Sum(nil))
	aead.Seal(a.Box[:0], a.Nonce[:], told[:], head)
	return a, nil
}
