package i3

import "encoding/binary"

// Sizes of a handover packet's payload.
const (
	// HandoverHead is the size in bytes of what is before the entries.
	HandoverHead = 32
	// MaxHanded is the most entries of one packet within [MaxDatagram].
	MaxHanded = (MaxDatagram - HeaderSize - HandoverHead) / EntrySize
)

// A Handover asks the node that owned some prefixes for their triggers, or brings some of them. A node that has
// joined a ring asks its successor, from cursor zero on, and again from each cursor that comes back, until one is not
// more. A node that leaves offers them to its successor, which asks in the same way, and once more from the last cursor
// to say that it has all. What asks or offers is as long as what answers can be, zero behind the head.
//
//	 0     1     2     3               8               16              24              32
//	+-----+-----+-----+---------------+---------------+---------------+---------------+-----------
//	|bring|more |count|       0       |    cursor     |      lo       |      hi       | entries  0
//	+-----+-----+-----+---------------+---------------+---------------+---------------+-----------
type Handover struct {
	Bring  bool   // it brings triggers; otherwise it asks for them
	More   bool   // there may be more at the cursor; without Bring it is an offer
	Cursor uint64 // where to go on; what it means is up to the one who is asked
	Lo, Hi uint64 // the prefixes (Lo, Hi] that it is about
	Handed []Handed
}

// A Handed is a trigger that is handed over, in an entry of [EntrySize] bytes.
//
//	 0                72              88          92           104
//	+----------------+---------------+-----------+------------+
//	|    trigger     |     owner     | lifetime  |     0      |
//	+----------------+---------------+-----------+------------+
type Handed struct {
	Trigger Trigger
	// Owner is [OwnerOf] of the secret that removes the trigger of an identifier target, from its first insertion.
	Owner Key
	// LifetimeMS is the milliseconds that it has left.
	LifetimeMS uint32
}

// AppendTo appends the wire form of h to b, as long as MaxHanded entries are. It panics if there are more.
func (h *Handover) AppendTo(b []byte) []byte {
	var w [HandoverHead]byte
	w[0], w[1], w[2] = bit(h.Bring), bit(h.More), byte(len(h.Handed))
	binary.BigEndian.PutUint64(w[8:], h.Cursor)
	binary.BigEndian.PutUint64(w[16:], h.Lo)
	binary.BigEndian.PutUint64(w[24:], h.Hi)
	b = append(b, w[:]...)
	for i := range h.Handed {
		b = h.Handed[i].appendTo(b)
	}
	return append(b, make([]byte, (MaxHanded-len(h.Handed))*EntrySize)...)
}

func (t *Handed) appendTo(b []byte) []byte {
	b = t.Trigger.AppendTo(b)
	b = append(b, t.Owner[:]...)
	b = binary.BigEndian.AppendUint32(b, t.LifetimeMS)
	return append(b, make([]byte, EntrySize-TriggerSize-16-4)...)
}

func parseHanded(b []byte) (Handed, error) {
	t, err := ParseTrigger(b)
	if err == nil && checkZero(b[92:EntrySize]) != nil {
		err = ErrReserved
	}
	return Handed{t, Key(b[72:88]), binary.BigEndian.Uint32(b[88:])}, err
}

// ParseHandover decodes a payload into h, whose Handed it uses again.
func ParseHandover(b []byte, h *Handover) error {
	if len(b) != HandoverHead+MaxHanded*EntrySize {
		return ErrLength
	}
	count := int(b[2])
	if b[0] > 1 || b[1] > 1 || b[3]|b[4]|b[5]|b[6]|b[7] != 0 || count > MaxHanded || count > 0 && b[0] == 0 {
		return ErrReserved
	}
	*h = Handover{
		Bring: b[0] == 1, More: b[1] == 1, Cursor: binary.BigEndian.Uint64(b[8:]),
		Lo: binary.BigEndian.Uint64(b[16:]), Hi: binary.BigEndian.Uint64(b[24:]), Handed: h.Handed[:0],
	}
	for b = b[HandoverHead:]; count > 0; count, b = count-1, b[EntrySize:] {
		t, err := parseHanded(b)
		if err != nil {
			return err
		}
		h.Handed = append(h.Handed, t)
	}
	return checkZero(b)
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}
