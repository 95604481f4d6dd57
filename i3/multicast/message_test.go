package multicast

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// bodyLengths is what docs/wire.md says of each type's body, -1 for the application's.
var bodyLengths = map[Type]int{
	TypeData: -1, TypeHeartbeat: 0, TypeQuery: 48, TypeReply: 48, TypeRefreshAck: 32, TypeRequest: 82,
	TypeRepair: -1, TypeGone: 0, TypeLeaving: 48, TypeAdopt: 32, TypeHint: 32, TypeAsk: 128, TypeAdmit: 128,
	TypeReport: 48, TypeEcho: 952, TypeEnd: 0,
	TypeRekey: -2, // an identifier, and a chain of 2 to 32
}

var drawMessage = rapid.Custom(func(t *rapid.T) Message {
	return Message{
		Type:  Type(rapid.IntRange(1, int(typeEnd)-1).Draw(t, "type")),
		Flags: uint8(rapid.IntRange(0, flagsEnd-1).Draw(t, "flags")),
		Level: rapid.Uint16().Draw(t, "level"),
		Epoch: rapid.Uint32().Draw(t, "epoch"),
		Seq:   rapid.Uint64().Draw(t, "seq"),
		Time:  rapid.Int64().Draw(t, "time"),
	}
})

func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage.Draw(t, "message")
		n := bodyLengths[m.Type]
		switch n {
		case -1:
			n = rapid.IntRange(0, 100).Draw(t, "payload")
		case -2:
			n = 32 * (1 + rapid.IntRange(2, 32).Draw(t, "chain"))
		}
		body := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "body")
		if m.Type == TypeQuery {
			clear(body[i3.AddrSize:])
		}
		if m.Type == TypeEcho {
			clear(body)
		}
		b := append(m.AppendTo(nil), body...)
		got, rest, err := ParseMessage(b)
		if err != nil || got != m || !bytes.Equal(rest, body) {
			t.Fatalf("ParseMessage = %+v, %x, %v, want %+v, %x", got, rest, err, m, body)
		}
		if len(rest) > 0 && &rest[0] != &b[HeaderSize] {
			t.Fatal("ParseMessage copied the body")
		}
	})
}

func TestMessageErrors(t *testing.T) {
	heartbeat := Message{Type: TypeHeartbeat}.AppendTo(nil)
	query := appendQuery(Message{Type: TypeQuery}.AppendTo(nil), wireHost, Delay)
	echo := append(Message{Type: TypeEcho}.AppendTo(nil), make([]byte, trainBody)...)
	rekey := Message{Type: TypeRekey}.AppendTo(nil)
	put := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	type row struct {
		name string
		in   []byte
		want error
	}
	rows := []row{
		{"empty", nil, ErrShort},
		{"one byte short", heartbeat[:HeaderSize-1], ErrShort},
		{"type 0", put(heartbeat, 0, 0), ErrType},
		{"type 18", put(heartbeat, 0, byte(typeEnd)), ErrType},
		{"type 255", put(heartbeat, 0, 255), ErrType},
		{"flag 16", put(heartbeat, 1, 16), ErrReserved},
		{"flag 64", put(heartbeat, 1, 64), ErrReserved},
		{"flag 64 beside a tag", put(append(heartbeat, make([]byte, TagSize)...), 1, 128+64), ErrReserved},
		{"no tag though it says so", put(heartbeat, 1, 128), ErrShort},
		{"a tag one byte short", put(append(heartbeat, make([]byte, TagSize-1)...), 1, 128), ErrShort},
		{"a tag one byte long", put(append(heartbeat, make([]byte, TagSize+1)...), 1, 128), ErrLength},
		{"query for metric 3", put(query, HeaderSize+i3.AddrSize, 3), ErrMetric},
		{"query with a first byte of padding set", put(query, HeaderSize+i3.AddrSize+1, 1), ErrReserved},
		{"echo with the last byte set", put(echo, len(echo)-1, 1), ErrReserved},
		{"rekey without a chain", append(rekey, make([]byte, 32)...), ErrLength},
		{"rekey to the group's identifier", append(rekey, make([]byte, 2*32)...), ErrLength},
		{"rekey with a chain too long", append(rekey, make([]byte, 34*32)...), ErrLength},
		{"rekey with half an identifier", append(rekey, make([]byte, 3*32+16)...), ErrLength},
		{"query with the last byte of padding set", put(query, len(query)-1, 1), ErrReserved},
	}
	for typ, n := range bodyLengths {
		if n < 0 {
			continue
		}
		m := Message{Type: typ}.AppendTo(nil)
		for _, wrong := range []int{n + 1, n - 1, 0} {
			if wrong >= 0 && wrong != n {
				name := fmt.Sprintf("type %d with a body of %d bytes", typ, wrong)
				rows = append(rows, row{name, append(m, make([]byte, wrong)...), ErrLength})
			}
		}
	}
	for _, c := range rows {
		if m, body, err := ParseMessage(c.in); !errors.Is(err, c.want) || m != (Message{}) || body != nil {
			t.Errorf("%s: ParseMessage = %+v, %x, %v, want only %v", c.name, m, body, err, c.want)
		}
	}
}

// TestNoReplyIsLarger: whoever answers sends no more than it was sent.
func TestNoReplyIsLarger(t *testing.T) {
	query := appendQuery(Message{Type: TypeQuery}.AppendTo(nil), wireHost, Delay)
	reply := Reply{ID: wireID}.AppendTo(Message{Type: TypeReply}.AppendTo(nil))
	if len(reply) > len(query) {
		t.Errorf("a reply has %d bytes, its query %d", len(reply), len(query))
	}
	request := Request{Requester: wireHost}.AppendTo(Message{Type: TypeRequest}.AppendTo(nil))
	gone := Message{Type: TypeGone}.AppendTo(nil)
	if len(gone) > len(request) {
		t.Errorf("a gone has %d bytes, its request %d", len(gone), len(request))
	}
}

func TestReplyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Reply{ID: drawWireID.Draw(t, "id"), SourceDistance: rapid.Int64().Draw(t, "distance"),
			SourceClock: rapid.Int64().Draw(t, "clock")}
		b := r.AppendTo(nil)
		if got, err := ParseReply(b); err != nil || got != r {
			t.Fatalf("ParseReply = %+v, %v, want %+v", got, err, r)
		}
		for _, bad := range [][]byte{nil, b[:len(b)-1], append(b, 0)} {
			if got, err := ParseReply(bad); !errors.Is(err, ErrLength) {
				t.Fatalf("ParseReply of %d bytes = %+v, %v, want %v", len(bad), got, err, ErrLength)
			}
		}
	})
}

func TestRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Request{Group: drawWireID.Draw(t, "group"), Target: drawWireID.Draw(t, "target"),
			Requester: rapid.SampledFrom([]netip.AddrPort{wireHost, wireHost6}).Draw(t, "requester")}
		b := q.AppendTo(nil)
		if got, err := ParseRequest(b); err != nil || got != q {
			t.Fatalf("ParseRequest = %+v, %v, want %+v", got, err, q)
		}
		for _, bad := range [][]byte{nil, b[:len(b)-1], append(b, 0)} {
			if got, err := ParseRequest(bad); !errors.Is(err, ErrLength) {
				t.Fatalf("ParseRequest of %d bytes = %+v, %v, want %v", len(bad), got, err, ErrLength)
			}
		}
	})
}

// TestRequestNeedsAnAddress: a repair is not sent to where no packet may go.
func TestRequestNeedsAnAddress(t *testing.T) {
	for _, s := range []string{"0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1", "10.0.0.7:0", "[ff02::1]:1"} {
		b := Request{Requester: netip.MustParseAddrPort(s)}.AppendTo(nil)
		if q, err := ParseRequest(b); !errors.Is(err, i3.ErrTarget) {
			t.Errorf("ParseRequest for %s = %+v, %v, want %v", s, q, err, i3.ErrTarget)
		}
	}
}

func TestMessagesDoNotAllocate(t *testing.T) {
	request := Request{Group: wireID, Target: wireTarget, Requester: wireHost6}
	reply := Reply{ID: wireID, SourceDistance: math.MinInt64}
	m := Message{Type: TypeRequest}
	wire := request.AppendTo(m.AppendTo(nil))
	query := appendQuery(Message{Type: TypeQuery}.AppendTo(nil), wireHost, Delay)
	requestBody, replyBody := request.AppendTo(nil), reply.AppendTo(nil)
	out := make([]byte, 0, 256)
	var err error
	for what, f := range map[string]func(){
		"ParseMessage":          func() { _, _, err = ParseMessage(wire) },
		"ParseMessage, query":   func() { _, _, err = ParseMessage(query) },
		"ParseMessage, refused": func() { _, _, err = ParseMessage(wire[:HeaderSize]) },
		"ParseRequest":          func() { _, err = ParseRequest(requestBody) },
		"ParseReply":            func() { _, err = ParseReply(replyBody) },
		"AppendTo":              func() { out = reply.AppendTo(request.AppendTo(m.AppendTo(out[:0]))) },
		"appendQuery":           func() { out = appendQuery(out[:0], wireHost, Delay) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times a call, want 0 (last error %v)", what, n, err)
		}
	}
}

// FuzzMessage reads a message and its body and writes both again: what was accepted must come out the same.
func FuzzMessage(f *testing.F) {
	for _, v := range goldenMessages() {
		f.Add(v.Wire)
	}
	f.Add(make([]byte, HeaderSize-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, body, err := ParseMessage(b)
		if err != nil {
			return
		}
		got, tag := m.AppendTo(nil), b[HeaderSize+len(body):]
		if tagged := m.Flags&FlagTagged != 0; len(tag) > 0 != tagged || tagged && len(tag) != TagSize {
			t.Errorf("%d bytes behind the body, flags %d", len(tag), m.Flags)
		}
		switch m.Type {
		case TypeQuery:
			if to, err := i3.ParseAddr(body); err == nil {
				got, body = appendQuery(got, to, Metric(body[queryMetric])), nil
			}
		case TypeReply:
			r, err := ParseReply(body)
			if err != nil {
				t.Errorf("ParseMessage accepts a reply whose body is %v", err)
			}
			got, body = r.AppendTo(got), nil
		case TypeAsk:
			if a, err := ParseAsk(body); err == nil {
				got, body = a.AppendTo(got), nil
			}
		case TypeAdmit:
			if a, err := ParseAdmit(body); err == nil {
				got, body = a.AppendTo(got), nil
			}
		case TypeReport:
			if r, err := ParseReport(body); err == nil {
				got, body = r.AppendTo(got), nil
			}
		case TypeRequest:
			if q, err := ParseRequest(body); err == nil {
				got, body = q.AppendTo(got), nil
			}
		case TypeRekey:
			old, chain := parseRekey(body)
			got, body = appendRekey(got, old, chain), nil
		}
		if got = append(append(got, body...), tag...); !bytes.Equal(got, b) {
			t.Errorf("read  %x\nwrote %x", b, got)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add(Reply{ID: wireID, SourceDistance: -1, SourceClock: 1 << 40}.AppendTo(nil))
	f.Add(Reply{SourceDistance: math.MaxInt64, SourceClock: math.MinInt64}.AppendTo(nil)) // differences overflow
	f.Add(make([]byte, replySize+1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseReply(b); err == nil && !bytes.Equal(r.AppendTo(nil), b) {
			t.Errorf("read  %x\nwrote %x", b, r.AppendTo(nil))
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add(Request{Group: wireID, Target: wireTarget, Requester: wireHost6}.AppendTo(nil))
	f.Add(Request{Group: wireID, Requester: wireHost}.AppendTo(nil))
	f.Add(Request{Group: wireID}.AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := ParseRequest(b); err == nil && !bytes.Equal(q.AppendTo(nil), b) {
			t.Errorf("read  %x\nwrote %x", b, q.AppendTo(nil))
		}
	})
}
