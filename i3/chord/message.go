package chord

import (
	"encoding/binary"

	"i3bench/i3"
)

// Bounds of a message.
const (
	// DefaultSuccessors is how many successors a member keeps: so many that half of 8,192 members may fail at
	// once and nearly all have one left.
	DefaultSuccessors = 16
	// maxNear is how many members before a prefix an answer names.
	maxNear = 3
)

// The kinds of messages between members.
type messageKind uint8

const (
	kindAsk    messageKind = 1 + iota // tell me your state, and who is near before a prefix
	kindAnswer                        // the answer
	kindTell                          // I come before you
	kindFollow                        // I have joined behind you, or have other successors than before
	kindLeave                         // I am no member any more
	kindMoved                         // I have been sent a packet for a prefix that is not mine
)

// A message is the payload of an [i3.KindRing] packet.
//
//	 0     1     2     3       4       8                16               48
//	+-----+-----+-----+-------+-------+----------------+----------------+-------------------
//	|kind |near |succ |members|   0   |     prefix     |      self      | pred  near  succ  0
//	+-----+-----+-----+-------+-------+----------------+----------------+-------------------
//
// A place is 8 bytes of prefix, 16 of address, 2 of port, and 6 that are zero. The zeros behind an ask are the room
// for the answer, which is no longer: it leaves out successors that find none.
type message struct {
	kind   messageKind
	member bool   // self is one, and pred and succ are its own
	prefix uint64 // what an ask is about
	self   Place  // of who sends it
	pred   Place  // may be none
	near   []Place
	succ   []Place
}

const (
	messageHead = 48
	placeSize   = 32
)

// roomFor returns the length of a message with so many places.
func roomFor(places int) int { return messageHead + places*placeSize }

// appendTo appends the wire form of m, of exactly so many bytes. The near ones and the successors, in this order, are
// written as far as they find room.
func (m *message) appendTo(b []byte, size int) []byte {
	start := len(b)
	room := (size-messageHead)/placeSize - 1
	near := m.near[:max(0, min(len(m.near), room))]
	succ := m.succ[:max(0, min(len(m.succ), room-len(near)))]
	b = append(b, byte(m.kind), byte(len(near)), byte(len(succ)), 0, 0, 0, 0, 0)
	if m.member {
		b[start+3] = 1
	}
	b = binary.BigEndian.AppendUint64(b, m.prefix)
	b = appendPlace(b, m.self)
	if room >= 0 {
		b = appendPlace(b, m.pred)
	}
	for _, list := range [][]Place{near, succ} {
		for _, p := range list {
			b = appendPlace(b, p)
		}
	}
	return append(b, make([]byte, size-(len(b)-start))...)
}

// appendPlace appends the wire form of p; that of the zero Place is all zero.
func appendPlace(b []byte, p Place) []byte {
	var w [placeSize]byte
	if p.known() {
		binary.BigEndian.PutUint64(w[0:], p.Prefix)
		copy(w[8:], i3.AppendAddr(nil, p.Addr))
	}
	return append(b, w[:]...)
}

// parseMessage decodes a payload.
func parseMessage(b []byte) (m message, err error) {
	if len(b) < messageHead {
		return m, i3.ErrShort
	}
	m = message{kind: messageKind(b[0]), member: b[3] == 1, prefix: binary.BigEndian.Uint64(b[8:])}
	near, succ := int(b[1]), int(b[2])
	if m.kind < kindAsk || m.kind > kindMoved || b[3] > 1 || binary.BigEndian.Uint32(b[4:]) != 0 {
		return m, i3.ErrReserved
	}
	places := (len(b) - messageHead) / placeSize
	if near > maxNear || succ > DefaultSuccessors || near+succ > 0 && 1+near+succ > places {
		return m, i3.ErrShort
	}
	if m.self, err = parsePlace(b[16:]); err == nil && !m.self.known() && m.kind != kindAsk {
		err = i3.ErrTarget
	}
	if err != nil || places == 0 || m.kind != kindAnswer {
		return m, err
	}
	if m.pred, err = parsePlace(b[messageHead:]); err != nil {
		return m, err
	}
	b = b[messageHead+placeSize:]
	for i := range near + succ {
		p, err := parsePlace(b[i*placeSize:])
		if err != nil {
			return m, err
		}
		if !p.known() {
			return m, i3.ErrTarget
		}
		if i < near {
			m.near = append(m.near, p)
		} else {
			m.succ = append(m.succ, p)
		}
	}
	return m, nil
}

// parsePlace decodes a place; all zero is the zero Place.
func parsePlace(b []byte) (p Place, err error) {
	if [placeSize]byte(b[:placeSize]) == ([placeSize]byte{}) {
		return p, nil
	}
	if b[26]|b[27]|b[28]|b[29]|b[30]|b[31] != 0 {
		return p, i3.ErrReserved
	}
	p.Prefix = binary.BigEndian.Uint64(b)
	p.Addr, err = i3.ParseAddr(b[8:])
	return p, err
}
