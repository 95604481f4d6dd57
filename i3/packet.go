package i3

import "encoding/binary"

// Version is the version of the wire format that this package speaks.
const Version = 1

// Sizes of the packet header in bytes. The template is the part that depends on
// the trigger alone.
const (
	HeaderSize   = 48
	TemplateSize = 40
	// MaxPayload is what the length field can express. What fits a path's MTU
	// is the sender's business.
	MaxPayload = 1<<16 - 1
	// MaxDatagram is the largest datagram this project's drivers send: an
	// Ethernet frame less the headers of IPv6, UDP and one tunnel.
	MaxDatagram = 1400
	// DefaultHopLimit bounds how many nodes a packet may visit.
	DefaultHopLimit = 32
)

// magic makes a stray datagram fail at its third byte.
const magic = 0x6933

// A Kind says what a packet is for. It shares a byte with the version.
type Kind uint8

// The kinds of packets.
const (
	KindData      Kind = 1 + iota // payload for whoever holds a trigger for the identifier
	KindDirect                    // payload from host to host, no trigger involved
	KindInsert                    // host to node: insert, refresh or probe triggers
	KindRemove                    // host to node: remove triggers
	KindChallenge                 // node to a trigger's target: prove that you are there
	KindAck                       // node to host: what became of each trigger
	KindRing                      // between nodes: who is where on the ring
	KindHandover                  // between nodes: triggers of identifiers that have another owner now
	KindPushback                  // node to node: nothing matches what your link brings here
	kindEnd
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case KindData:
		return "data"
	case KindDirect:
		return "direct"
	case KindInsert:
		return "insert"
	case KindRemove:
		return "remove"
	case KindChallenge:
		return "challenge"
	case KindAck:
		return "ack"
	case KindRing:
		return "ring"
	case KindHandover:
		return "handover"
	case KindPushback:
		return "pushback"
	}
	return "unknown"
}

// A Packet is a decoded packet header. It is a comparable value; the payload
// travels beside it, so that a header can be kept, compared and rewritten
// without touching the payload.
//
//	 0       1       2               4                               8
//	+-------+-------+---------------+-------------------------------+
//	|ver|kd |   0   |  magic "i3"   |            cookie             |  \
//	+-------+-------+---------------+-------------------------------+   | template:
//	|                              id                               |   | the trigger's
//	|                          (32 bytes)                           |  /
//	+-------+-------+---------------+-------------------------------+ 40
//	| hops  |   0   |    length     |             flow              |     the packet's
//	+-------+-------+---------------+-------------------------------+ 48
type Packet struct {
	Kind Kind
	// HopLimit is how many more nodes may handle the packet.
	HopLimit uint8
	// Length is the number of payload bytes.
	Length uint16
	// Flow is chosen by whoever asks and echoed by whoever answers.
	Flow uint32
	// Cookie is that of the link that brought a data packet, 0 if none did or its node
	// wants no [KindPushback]. Other kinds have none.
	Cookie uint32
	// ID is the identifier the packet is sent to, or, in control packets, the
	// identifier they concern.
	ID ID
}

// AppendTo appends the header of p to b. The caller appends exactly p.Length
// bytes of payload after it.
func (p Packet) AppendTo(b []byte) []byte {
	at := len(b)
	b = AppendTemplate(b, p.Kind, p.ID)
	SetCookie(b[at:], p.Cookie)
	var w [HeaderSize - TemplateSize]byte
	w[0] = p.HopLimit
	binary.BigEndian.PutUint16(w[2:], p.Length)
	binary.BigEndian.PutUint32(w[4:], p.Flow)
	return append(b, w[:]...)
}

// AppendTemplate appends the first [TemplateSize] bytes of a header. A node
// keeps the template of each trigger whose target is an identifier and sends
// it before the rest of the packet, which it does not copy.
func AppendTemplate(b []byte, k Kind, id ID) []byte {
	var w [TemplateSize]byte
	w[0] = Version<<4 | byte(k)
	binary.BigEndian.PutUint16(w[2:], magic)
	id.put(w[8:])
	return append(b, w[:]...)
}

// SetCookie overwrites the cookie in a template, or in the wire form of a packet. It
// panics when b is shorter than a template.
func SetCookie(b []byte, cookie uint32) {
	_ = b[TemplateSize-1]
	binary.BigEndian.PutUint32(b[4:], cookie)
}

// Cookie returns the cookie in a template, or in the wire form of a packet.
func Cookie(b []byte) uint32 { return binary.BigEndian.Uint32(b[4:]) }

// SetHopLimit overwrites the hop limit in the wire form of a packet. It panics
// when b is shorter than a header: only bytes that [Next] accepted come here.
func SetHopLimit(b []byte, hops uint8) {
	_ = b[HeaderSize-1]
	b[TemplateSize] = hops
}

// Next decodes the first packet of a datagram. It returns the header, the
// wire form of the whole packet (header and payload, aliasing b), and what
// follows it. A datagram is decoded by calling Next until rest is empty. A zero
// byte where a packet would start begins padding, which must be zero to the end:
// Next then returns a zero Packet, a nil wire and no error.
func Next(b []byte) (p Packet, wire, rest []byte, err error) {
	if len(b) == 0 {
		return Packet{}, nil, nil, ErrShort
	}
	if b[0] == 0 {
		return Packet{}, nil, nil, checkZero(b)
	}
	if len(b) < HeaderSize {
		return Packet{}, nil, nil, ErrShort
	}
	p, err = parseHeader(b)
	if err != nil {
		return Packet{}, nil, nil, err
	}
	end := HeaderSize + int(p.Length)
	if len(b) < end {
		return Packet{}, nil, nil, ErrShort
	}
	return p, b[:end:end], b[end:], nil
}

// parseHeader decodes the fixed header; b has at least HeaderSize bytes.
func parseHeader(b []byte) (Packet, error) {
	k := Kind(b[0] & 0xf)
	switch {
	case binary.BigEndian.Uint16(b[2:]) != magic:
		return Packet{}, ErrMagic
	case b[0]>>4 != Version:
		return Packet{}, ErrVersion
	case k == 0 || k >= kindEnd:
		return Packet{}, ErrKind
	case b[1]|b[41] != 0 || Cookie(b) != 0 && k != KindData:
		return Packet{}, ErrReserved
	}
	return Packet{
		Kind:     k,
		HopLimit: b[40],
		Length:   binary.BigEndian.Uint16(b[42:]),
		Flow:     binary.BigEndian.Uint32(b[44:]),
		Cookie:   Cookie(b),
		ID:       loadID(b[8:]),
	}, nil
}

// Payload returns the payload of a packet in wire form, as returned by [Next].
func Payload(wire []byte) []byte { return wire[HeaderSize:] }

// checkZero returns ErrPadding unless every byte of b is zero.
func checkZero(b []byte) error {
	for _, c := range b {
		if c != 0 {
			return ErrPadding
		}
	}
	return nil
}
