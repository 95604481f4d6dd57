package i3

import "encoding/binary"

// MirrorHead is the size in bytes of what is before the entries of a mirror message. It is also the least room of one.
const MirrorHead = 32

// Values of the first byte of a handover packet's payload that say that it is a mirror message.
const (
	mirrorAsk   = 2
	mirrorBring = 3
)

// IsMirror reports whether the payload of a handover packet is a [Mirror] message and not a [Handover].
func IsMirror(b []byte) bool { return len(b) > 0 && b[0] >= mirrorAsk }

// A Mirror asks the owner of some prefixes what has changed among their triggers, or brings that. Who keeps a mirror
// asks again and again, each time from where the last answer ended; in a pass it asks for all triggers besides, some at
// a time. The zeros behind the head of what asks are the room for what answers, which is no longer.
//
//	 0     1     2     3               8               16              24      28      32
//	+-----+-----+-----+---------------+---------------+---------------+-------+-------+-----------
//	|kind |flags|count|       0       |    serial     |    cursor     | epoch |   0   | entries  0
//	+-----+-----+-----+---------------+---------------+---------------+-------+-------+-----------
type Mirror struct {
	Bring bool // it brings triggers; otherwise it asks for them
	// Pass asks for triggers from the cursor on, whether they have changed or not; in an answer there may be more of
	// them at the cursor.
	Pass bool
	// More says, in an answer, that there are more changes at the serial.
	More bool
	// Lost says, in an answer, that the owner does not know any more what has changed since the serial of the question:
	// what it brings are changes from its own serial on, and only a pass finds the others.
	Lost   bool
	Serial uint64 // of the next change
	Cursor uint64 // of a pass, 0 at its beginning; what it means is up to the owner
	Epoch  uint32 // of the owner's serials
	Room   int    // of a question: the most entries that its answer may have
	// Handed are triggers, in the order in which they have changed. One without a lifetime is to be removed.
	Handed []Handed
}

// Flags of a mirror message.
const (
	mirrorPass = 1 << iota
	mirrorMore
	mirrorLost
)

// AppendTo appends the wire form of m to b: of a question with its room, of an answer with its triggers.
func (m *Mirror) AppendTo(b []byte) []byte {
	var w [MirrorHead]byte
	w[0], w[2] = mirrorAsk+bit(m.Bring), byte(len(m.Handed))
	w[1] = mirrorPass*bit(m.Pass) | mirrorMore*bit(m.More) | mirrorLost*bit(m.Lost)
	binary.BigEndian.PutUint64(w[8:], m.Serial)
	binary.BigEndian.PutUint64(w[16:], m.Cursor)
	binary.BigEndian.PutUint32(w[24:], m.Epoch)
	b = append(b, w[:]...)
	if !m.Bring {
		return append(b, make([]byte, m.Room*EntrySize)...)
	}
	for i := range m.Handed {
		b = m.Handed[i].appendTo(b)
	}
	return b
}

// ParseMirror decodes a payload into m, whose Handed it uses again.
func ParseMirror(b []byte, m *Mirror) error {
	if len(b) < MirrorHead || (len(b)-MirrorHead)%EntrySize != 0 || len(b) > MirrorHead+MaxHanded*EntrySize {
		return ErrLength
	}
	room, count, flags := (len(b)-MirrorHead)/EntrySize, int(b[2]), b[1]
	*m = Mirror{
		Bring: b[0] == mirrorBring, Pass: flags&mirrorPass != 0, More: flags&mirrorMore != 0, Lost: flags&mirrorLost != 0,
		Serial: binary.BigEndian.Uint64(b[8:]), Cursor: binary.BigEndian.Uint64(b[16:]),
		Epoch: binary.BigEndian.Uint32(b[24:]), Handed: m.Handed[:0],
	}
	known := byte(mirrorPass)
	if m.Bring {
		known |= mirrorMore | mirrorLost
	} else {
		m.Room = room
	}
	if b[0] != mirrorAsk && !m.Bring || flags&^known != 0 || b[3]|b[4]|b[5]|b[6]|b[7] != 0 || checkZero(b[28:32]) != nil {
		return ErrReserved
	}
	if !m.Bring {
		if count != 0 {
			return ErrReserved
		}
		return checkZero(b[MirrorHead:])
	}
	if count != room {
		return ErrLength
	}
	for b = b[MirrorHead:]; len(b) > 0; b = b[EntrySize:] {
		h, err := parseHanded(b)
		if err != nil {
			return err
		}
		m.Handed = append(m.Handed, h)
	}
	return nil
}
