package multicast

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"i3bench/i3"
)

// The errors of the message decoders.
var (
	ErrShort    = errors.New("multicast: message ends before its header, or before its tag")
	ErrType     = errors.New("multicast: unknown message type")
	ErrLength   = errors.New("multicast: body is not as long as the message's type asks for")
	ErrReserved = errors.New("multicast: reserved bits are not zero")
	ErrMetric   = errors.New("multicast: unknown metric, or a value that it cannot have")
)

// A Type says what a message is.
type Type uint8

// The types of messages. Down the tree go those that the source or a receiver
// sends to a tree identifier; direct ones go from host to host.
const (
	TypeData       Type = 1 + iota // down the tree: application payload
	TypeHeartbeat                  // down the tree: the highest sequence number so far
	TypeQuery                      // to a set: how far are you?
	TypeReply                      // direct: this far
	TypeRefreshAck                 // down a subtree: the link to it was refreshed
	TypeRequest                    // to a repair group: who has this packet?
	TypeRepair                     // direct, or down a subtree: this is it
	TypeGone                       // direct, or down a subtree: nobody has it any more
	TypeLeaving                    // down a subtree: its owner leaves
	TypeAdopt                      // down a subtree: its new owner
	TypeHint                       // direct: your children changed
	TypeAsk                        // to a public name: which group is it?
	TypeAdmit                      // direct: this one
	TypeReport                     // direct: so much of another metric comes to me, see Report
	TypeEcho                       // to an identifier of the sender's own: comes back, see train
	TypeRekey                      // down a subtree: it hangs elsewhere now, under other identifiers
	TypeEnd                        // down the tree, to the root, direct: how a source's last stream ends
	typeEnd
)

// Flags of a message.
const (
	FlagFull   = 1 << iota // Reply: the sender's identifier is full
	FlagOwner              // RefreshAck: the sender owns the identifier
	FlagProbed             // Request: another member was asked already and lost it too
	FlagMore               // Reply: the sender answers for another identifier too, see Query
	flagsEnd

	// FlagTagged: the message ends in a tag, see [Config.Key]. Every message of a group
	// with a key has it.
	FlagTagged = 1 << 7
)

// HeaderSize is the size in bytes of a message's fixed part.
//
//	0    1    2         4                   8                   16                  24
//	+----+----+---------+-------------------+-------------------+-------------------+
//	|type|flag|  level  |       epoch       |        seq        |       time        |
//	+----+----+---------+-------------------+-------------------+-------------------+
const HeaderSize = 24

// A Message is the fixed part of every message. It is a comparable value; the
// body, if the type has one, follows it.
type Message struct {
	Type  Type
	Flags uint8
	// Level is the sender's level in the tree; in a Query how many identifiers the
	// host has answered for already, where it answers for several.
	Level uint16
	// Epoch tells sources, by its first byte, and their incarnations apart.
	Epoch uint32
	// Seq is a sequence number: of the packet a message carries or asks for, else
	// the highest the sender knows; in Query and Reply a number that pairs them.
	Seq uint64
	// Time is nanoseconds on the sender's own clock; a Repair echoes that of its
	// request.
	Time int64
}

// AppendTo appends the wire form of m to b.
func (m Message) AppendTo(b []byte) []byte {
	var w [HeaderSize]byte
	w[0], w[1] = byte(m.Type), m.Flags
	binary.BigEndian.PutUint16(w[2:], m.Level)
	binary.BigEndian.PutUint32(w[4:], m.Epoch)
	binary.BigEndian.PutUint64(w[8:], m.Seq)
	binary.BigEndian.PutUint64(w[16:], uint64(m.Time))
	return append(b, w[:]...)
}

// ParseMessage decodes the fixed part of a message and returns its body, which
// aliases b. It checks that the body has the size its type asks for and that the
// padding of a Query is zero. A tag behind the body is not looked at.
func ParseMessage(b []byte) (m Message, body []byte, err error) {
	if len(b) < HeaderSize {
		return Message{}, nil, ErrShort
	}
	m = Message{
		Type:  Type(b[0]),
		Flags: b[1],
		Level: binary.BigEndian.Uint16(b[2:]),
		Epoch: binary.BigEndian.Uint32(b[4:]),
		Seq:   binary.BigEndian.Uint64(b[8:]),
		Time:  int64(binary.BigEndian.Uint64(b[16:])),
	}
	if m.Type == 0 || m.Type >= typeEnd {
		return Message{}, nil, ErrType
	}
	if m.Flags&^FlagTagged >= flagsEnd {
		return Message{}, nil, ErrReserved
	}
	body = b[HeaderSize:]
	if m.Flags&FlagTagged != 0 {
		if m.Type == TypeAsk || m.Type == TypeAdmit { // its sender may not have the key
			return Message{}, nil, ErrReserved
		}
		if len(body) < TagSize {
			return Message{}, nil, ErrShort
		}
		body = body[:len(body)-TagSize]
	}
	switch want := bodySize[m.Type]; {
	case want == rekeySize && !isRekeySize(len(body)), want >= 0 && len(body) != want:
		return Message{}, nil, ErrLength
	}
	if err := checkPadding(m.Type, body); err != nil {
		return Message{}, nil, err
	}
	return m, body, nil
}

// checkPadding refuses padding that is not zero, and queries for a metric that does
// not exist.
func checkPadding(t Type, body []byte) error {
	switch {
	case t == TypeQuery && Metric(body[queryMetric]) >= metricEnd:
		return ErrMetric
	case t == TypeQuery && [queryPadding]byte(body[queryMetric+1:]) != [queryPadding]byte{},
		t == TypeEcho && [trainBody]byte(body) != [trainBody]byte{}:
		return ErrReserved
	}
	return nil
}

// anySize marks types whose body is the application's, rekeySize that of a Rekey.
const (
	anySize   = -1
	rekeySize = -2
)

// bodySize is the size of each type's body in bytes. A Query is as long as its
// Reply, so that no host sends more than it was sent.
var bodySize = [typeEnd]int{
	TypeData:       anySize,
	TypeRepair:     anySize,
	TypeQuery:      replySize,
	TypeReply:      replySize,
	TypeRefreshAck: i3.IDSize,
	TypeRequest:    requestSize,
	TypeLeaving:    i3.IDSize + 16,
	TypeAdopt:      i3.IDSize,
	TypeHint:       i3.IDSize,
	TypeAsk:        askSize,
	TypeAdmit:      askSize,
	TypeReport:     replySize,
	TypeEcho:       trainBody,
	TypeRekey:      rekeySize,
}

const (
	replySize    = i3.IDSize + 16
	requestSize  = 2*i3.IDSize + i3.AddrSize
	queryMetric  = i3.AddrSize // where the metric stands
	queryPadding = replySize - queryMetric - 1
)

// appendQuery appends the body of a Query: where to reply, what is asked for, and
// padding.
func appendQuery(b []byte, to netip.AddrPort, metric Metric) []byte {
	b = append(i3.AppendAddr(b, to), byte(metric))
	return append(b, make([]byte, queryPadding)...)
}

// A Reply is the body of a Reply message.
//
//	0                               32                  40                 48
//	+-------------------------------+-------------------+------------------+
//	|              id               |  source distance  |  source clock    |
//	+-------------------------------+-------------------+------------------+
type Reply struct {
	// ID is the sender's identifier, at which the asker may join.
	ID i3.ID
	// SourceDistance is the nanoseconds from the source's clock at departure to
	// the sender's at arrival: d(S, R) plus the difference of their clocks.
	SourceDistance int64
	// SourceClock is the nanoseconds to add to the sender's clock to have the
	// source's, as the sender estimated them when it joined. Distances from the
	// source need no clocks (Equation 3); the last hop, on its own, does.
	SourceClock int64
}

// AppendTo appends the wire form of r to b.
func (r Reply) AppendTo(b []byte) []byte {
	b = r.ID.AppendTo(b)
	b = binary.BigEndian.AppendUint64(b, uint64(r.SourceDistance))
	return binary.BigEndian.AppendUint64(b, uint64(r.SourceClock))
}

// ParseReply decodes the body of a Reply message.
func ParseReply(body []byte) (Reply, error) {
	if len(body) != replySize {
		return Reply{}, ErrLength
	}
	return Reply{
		ID:             i3.IDFrom([i3.IDSize]byte(body)),
		SourceDistance: int64(binary.BigEndian.Uint64(body[32:])),
		SourceClock:    int64(binary.BigEndian.Uint64(body[40:])),
	}, nil
}

// A Request is the body of a Request message.
//
//	0                               32                              64            82
//	+-------------------------------+-------------------------------+-------------+
//	|             group             |            target             |  requester  |
//	+-------------------------------+-------------------------------+-------------+
type Request struct {
	// Group is the identifier whose children are asked.
	Group i3.ID
	// Target is the identifier whose subtree lost the packet, or zero: then only
	// the requester did.
	Target i3.ID
	// Requester is where a repair for the requester alone goes.
	Requester netip.AddrPort
}

// AppendTo appends the wire form of r to b.
func (r Request) AppendTo(b []byte) []byte {
	b = r.Group.AppendTo(b)
	b = r.Target.AppendTo(b)
	return i3.AppendAddr(b, r.Requester)
}

// ParseRequest decodes the body of a Request message.
func ParseRequest(body []byte) (Request, error) {
	if len(body) != requestSize {
		return Request{}, ErrLength
	}
	addr, err := i3.ParseAddr(body[64:])
	if err != nil {
		return Request{}, err
	}
	return Request{
		Group:     i3.IDFrom([i3.IDSize]byte(body)),
		Target:    i3.IDFrom([i3.IDSize]byte(body[32:])),
		Requester: addr,
	}, nil
}
