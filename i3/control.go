package i3

import "encoding/binary"

// EntrySize is the size in bytes of one entry of an Insert, Remove, Challenge
// or Ack packet. All are equal, and a node answers a request with one packet of
// at most as many entries, so that no reply is larger than its request.
const EntrySize = 104

// MaxEntries is the most entries one control packet may hold within
// [MaxDatagram].
const MaxEntries = (MaxDatagram - HeaderSize) / EntrySize

// A Nonce proves that its holder received a Challenge at the target's address.
// In a Remove of an identifier target it is the owner's secret.
type Nonce [16]byte

// An Insert asks a node to insert or refresh one trigger.
//
//	 0                72              88              104
//	+----------------+---------------+---------------+
//	|    trigger     |     nonce     |     owner     |   trigger byte 65: flags
//	+----------------+---------------+---------------+
type Insert struct {
	Trigger Trigger
	// Nonce is the answer to the last challenge for this trigger, zero at first.
	Nonce Nonce
	// Owner is [OwnerOf] of the secret that a later Remove of an identifier
	// target must show. Zero: the trigger can only expire.
	Owner Key
	// Probe asks for the identifier's count and limit and inserts nothing
	// (it replaces the dummy insertion of paper section 3.2.2).
	Probe bool
}

// flagProbe marks a probe in the entry's flags byte.
const flagProbe = 1

// AppendTo appends the wire form of in to b.
func (in Insert) AppendTo(b []byte) []byte {
	n := len(b)
	b = in.Trigger.AppendTo(b)
	b = append(b, in.Nonce[:]...)
	b = append(b, in.Owner[:]...)
	if in.Probe {
		b[n+65] = flagProbe
	}
	return b
}

// ParseInsert decodes the entry in the first [EntrySize] bytes of b.
func ParseInsert(b []byte) (Insert, error) {
	if len(b) < EntrySize {
		return Insert{}, ErrShort
	}
	flags := b[65]
	if flags&^flagProbe != 0 {
		return Insert{}, ErrReserved
	}
	var w [TriggerSize]byte
	copy(w[:], b)
	w[65] = 0
	t, err := ParseTrigger(w[:])
	if err != nil {
		return Insert{}, err
	}
	return Insert{Trigger: t, Nonce: Nonce(b[72:88]), Owner: Key(b[88:104]), Probe: flags != 0}, nil
}

// A Challenge carries the nonce that proves presence at a trigger's target.
// The node keeps no state for it. Its wire form is that of an Insert with a zero
// owner, so that the host can answer by echoing it.
type Challenge struct {
	Trigger Trigger
	Nonce   Nonce
}

// AppendTo appends the wire form of c to b.
func (c Challenge) AppendTo(b []byte) []byte {
	return Insert{Trigger: c.Trigger, Nonce: c.Nonce}.AppendTo(b)
}

// ParseChallenge decodes the entry in the first [EntrySize] bytes of b.
func ParseChallenge(b []byte) (Challenge, error) {
	in, err := ParseInsert(b)
	if err != nil {
		return Challenge{}, err
	}
	if in.Probe || in.Owner != (Key{}) {
		return Challenge{}, ErrReserved
	}
	return Challenge{Trigger: in.Trigger, Nonce: in.Nonce}, nil
}

// A Status says what became of a trigger.
type Status uint8

// The statuses of an acknowledgement.
const (
	StatusInserted  Status = 1 + iota // new
	StatusRefreshed                   // was there already; its lifetime starts anew
	StatusProbed                      // nothing changed; see Count and Limit
	StatusRemoved                     // gone
	StatusMissing                     // nothing to remove
	StatusFull                        // the identifier holds Limit triggers
	StatusRefused                     // a constraint fails, or the secret is wrong
	StatusNotOwner                    // the identifier lives on another node
	StatusNoRoom                      // the node's table is full
	statusEnd
)

// String returns the status's name in lower case.
func (s Status) String() string {
	names := [...]string{"none", "inserted", "refreshed", "probed", "removed", "missing", "full", "refused",
		"not owner", "no room"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Alive reports whether the trigger is in the node's table.
func (s Status) Alive() bool { return s == StatusInserted || s == StatusRefreshed }

// An Ack tells a host what became of one trigger and what the node knows.
//
//	 0         72  73  74    76    78    80         84      88        96        104
//	+---------+---+---+-----+-----+-----+----------+-------+---------+---------+
//	| trigger |sts| 0 |count|limit|  0  | lifetime | epoch | range lo| range hi|
//	+---------+---+---+-----+-----+-----+----------+-------+---------+---------+
type Ack struct {
	Trigger Trigger
	Status  Status
	// Count is the number of triggers the identifier has now, Limit the most it
	// may have.
	Count, Limit uint16
	// LifetimeMS is the milliseconds after which the trigger expires unless
	// refreshed.
	LifetimeMS uint32
	// Epoch changes when the node loses its memory.
	Epoch uint32
	// Lo and Hi bound the prefixes (Lo, Hi] that the node owns.
	Lo, Hi uint64
}

// AppendTo appends the wire form of a to b.
func (a Ack) AppendTo(b []byte) []byte {
	b = a.Trigger.AppendTo(b)
	var w [EntrySize - TriggerSize]byte
	w[0] = byte(a.Status)
	binary.BigEndian.PutUint16(w[2:], a.Count)
	binary.BigEndian.PutUint16(w[4:], a.Limit)
	binary.BigEndian.PutUint32(w[8:], a.LifetimeMS)
	binary.BigEndian.PutUint32(w[12:], a.Epoch)
	binary.BigEndian.PutUint64(w[16:], a.Lo)
	binary.BigEndian.PutUint64(w[24:], a.Hi)
	return append(b, w[:]...)
}

// ParseAck decodes the entry in the first [EntrySize] bytes of b.
func ParseAck(b []byte) (Ack, error) {
	if len(b) < EntrySize {
		return Ack{}, ErrShort
	}
	t, err := ParseTrigger(b)
	if err != nil {
		return Ack{}, err
	}
	w := b[TriggerSize:EntrySize]
	s := Status(w[0])
	if s == 0 || s >= statusEnd {
		return Ack{}, ErrStatus
	}
	if w[1]|w[6]|w[7] != 0 {
		return Ack{}, ErrReserved
	}
	return Ack{
		Trigger:    t,
		Status:     s,
		Count:      binary.BigEndian.Uint16(w[2:]),
		Limit:      binary.BigEndian.Uint16(w[4:]),
		LifetimeMS: binary.BigEndian.Uint32(w[8:]),
		Epoch:      binary.BigEndian.Uint32(w[12:]),
		Lo:         binary.BigEndian.Uint64(w[16:]),
		Hi:         binary.BigEndian.Uint64(w[24:]),
	}, nil
}

// CheckEntries returns ErrLength unless payload is a whole number of entries,
// at least one and at most [MaxEntries].
func CheckEntries(payload []byte) error {
	if len(payload) == 0 || len(payload)%EntrySize != 0 || len(payload) > MaxEntries*EntrySize {
		return ErrLength
	}
	return nil
}
