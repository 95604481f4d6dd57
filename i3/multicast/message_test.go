package multicast

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

var updateGolden = flag.Bool("update", false, "rewrite testdata/golden.txt from the code")

const goldenFile = "testdata/golden.txt"

const goldenHead = `# Golden vectors of the multicast messages, wire format version 1; docs/wire.md explains the bytes.
# Three lines each: a name, the fields in words, the bytes in hex. An empty line separates vectors.
# Written by: go test ./i3/multicast -run Golden -update
`

var (
	wireID     = i3.MustParseID("0123456789abcdee" + "101112131415161718191a1b1c1d1e1f" + "2021222324252627")
	wireTarget = i3.MustParseID("fedcba9876543210" + "303132333435363738393a3b3c3d3e3f" + "4041424344454647")
	wireHost   = netip.MustParseAddrPort("10.0.0.7:3001")
	wireHost6  = netip.MustParseAddrPort("[2001:db8::7]:3001")
)

// A MessageVector is one message with its written form.
type MessageVector struct {
	Name, Fields string
	Wire         []byte
}

// goldenMessages returns a message of every type, and of every shape of its body.
func goldenMessages() []MessageVector {
	head := func(t Type, flags uint8) []byte {
		return Message{Type: t, Flags: flags, Level: 3, Epoch: 0x01020304, Seq: 0x1112131415161718,
			Time: 0x2122232425262728}.AppendTo(nil)
	}
	past := Message{Type: TypeHeartbeat, Time: -1}.AppendTo(nil) // a clock before its epoch
	reply := Reply{ID: wireID, SourceDistance: -1_000_000, SourceClock: 1 << 40}
	report := Report{ID: wireID, SourceDistance: -1_000_000, Metric: Bandwidth, Value: 100_000}
	vs := []MessageVector{
		{Name: "data", Wire: append(head(TypeData, 0), "hello"...)},
		{Name: "data without payload", Wire: head(TypeData, 0)},
		{Name: "heartbeat", Wire: head(TypeHeartbeat, 0)},
		{Name: "heartbeat of a clock before its epoch", Wire: past},
		{Name: "query", Wire: appendQuery(head(TypeQuery, 0), wireHost, Delay)},
		{Name: "query from an IPv6 host", Wire: appendQuery(head(TypeQuery, 0), wireHost6, Delay)},
		{Name: "reply", Wire: reply.AppendTo(head(TypeReply, 0))},
		{Name: "reply of a full member", Wire: Reply{ID: wireTarget}.AppendTo(head(TypeReply, FlagFull))},
		{Name: "query for the third identifier of one host",
			Wire: appendQuery(Message{Type: TypeQuery, Level: 2, Seq: 1<<8 | 0x81, Time: 5}.AppendTo(nil), wireHost, Delay)},
		{Name: "query for the loss", Wire: appendQuery(head(TypeQuery, 0), wireHost, Loss)},
		{Name: "reply of a full relay, one of several",
			Wire: Reply{ID: wireID, SourceClock: math.MinInt64}.AppendTo(head(TypeReply, FlagFull|FlagMore))},
		{Name: "refresh-ack", Wire: wireID.AppendTo(head(TypeRefreshAck, 0))},
		{Name: "refresh-ack of the owner", Wire: wireID.AppendTo(head(TypeRefreshAck, FlagOwner))},
		{Name: "request for the requester alone",
			Wire: Request{Group: wireID, Requester: wireHost}.AppendTo(head(TypeRequest, 0))},
		{Name: "request for a subtree, second member",
			Wire: Request{Group: wireID, Target: wireTarget, Requester: wireHost6}.AppendTo(head(TypeRequest, FlagProbed))},
		{Name: "repair", Wire: append(head(TypeRepair, 0), "hello"...)},
		{Name: "gone", Wire: head(TypeGone, 0)},
		{Name: "leaving", Wire: append(wireID.AppendTo(head(TypeLeaving, 0)), "0123456789abcdef"...)},
		{Name: "adopt", Wire: wireID.AppendTo(head(TypeAdopt, 0))},
		{Name: "hint", Wire: wireID.AppendTo(head(TypeHint, 0))},
		{Name: "ask", Wire: Ask{Key: wireKey, ReplyTo: wireHost}.AppendTo(head(TypeAsk, 0))},
		{Name: "ask with the longest token",
			Wire: Ask{Key: wireKey, ReplyTo: wireHost6, Token: bytes.Repeat([]byte("token..."), 8)}.AppendTo(head(TypeAsk, 0))},
		{Name: "report of a bandwidth", Wire: report.AppendTo(head(TypeReport, 0))},
		{Name: "report of a full member that knows no loss",
			Wire: Report{ID: wireTarget, Metric: Loss, Value: Unknown}.AppendTo(head(TypeReport, FlagFull))},
		{Name: "echo", Wire: append(head(TypeEcho, 0), make([]byte, trainBody)...)},
		{Name: "rekey", Wire: appendRekey(head(TypeRekey, 0), wireID, []i3.ID{wireTarget, wireID})},
		{Name: "rekey to the lowest level",
			Wire: appendRekey(head(TypeRekey, 0), wireTarget, slices.Repeat([]i3.ID{wireID}, maxChain))},
		{Name: "end", Wire: head(TypeEnd, 0)},
	}
	vs = append(vs, goldenSealed(head)...)
	for i := range vs {
		vs[i].Fields = describeWire(vs[i].Wire)
	}
	return append(vs, goldenIDs()...)
}

// wireKey is the group's key, and what else is 32 secret bytes, in the vectors.
var wireKey = [32]byte([]byte("0123456789abcdef0123456789ABCDEF"))

// goldenSealed returns messages with tags, of the group wireID, and what a source says to an asker.
func goldenSealed(head func(Type, uint8) []byte) []MessageVector {
	g, d := newTestGuard(wireKey, wireID), newDoor(&Door{Secret: wireKey})
	admit := func(told [i3.IDSize + 32]byte) []byte {
		a, err := d.seal(publicKey(keyPair(wireKey)), head(TypeAdmit, 0), &told)
		if err != nil {
			panic(err)
		}
		return a.AppendTo(head(TypeAdmit, 0))
	}
	query := appendQuery(head(TypeQuery, 0), wireHost, Delay)
	return []MessageVector{
		{Name: "data with a tag", Wire: g.seal(append(head(TypeData, 0), "hello"...), wireTarget, false)},
		{Name: "heartbeat with a tag", Wire: g.seal(head(TypeHeartbeat, 0), wireTarget, false)},
		{Name: "query with a tag, in a packet for fedcba98...", Wire: g.seal(query, wireTarget, false)},
		{Name: "gone with a tag, in a direct packet about fedcba98...", Wire: g.seal(head(TypeGone, 0), wireTarget, true)},
		{Name: "refresh-ack of the owner with a tag",
			Wire: g.seal(wireID.AppendTo(head(TypeRefreshAck, FlagOwner)), wireTarget, false)},
		{Name: "admit", Wire: admit([i3.IDSize + 32]byte(append(wireID.AppendTo(nil), wireKey[:]...)))},
		{Name: "admit that refuses", Wire: admit([i3.IDSize + 32]byte{})},
	}
}

// goldenIDs has what is derived from an identifier, which every member must derive alike.
func goldenIDs() []MessageVector {
	vector := func(name string, id i3.ID) MessageVector {
		return MessageVector{"derived: " + name, "of " + wireID.String(), id.AppendTo(nil)}
	}
	return []MessageVector{
		vector("root", RootOf(wireID)),
		vector("above the group's, of source 5", (&Config{Group: wireID}).sourceRoot(5)),
		vector("those who answer for the root, agent 1", RootAgents(wireID, agentSuffix(1))),
		vector("set of joinable children (jHash)", JoinSet(wireID)),
		vector("set of full children (fHash)", FullSet(wireID)),
		vector("repair group (Hr) with suffix 5", RepairGroup(wireID, 5)),
		{"derived: public name", fmt.Sprintf("secret=%q", wireKey), PublicName(wireKey).AppendTo(nil)},
		{"derived: suffix that spreads packet 1", "seq=1", hexOf(spread(1))},
		{"derived: suffix that spreads packet 2", "seq=2", hexOf(spread(2))},
	}
}

func hexOf(v uint64) []byte {
	b, _ := hex.DecodeString(fmt.Sprintf("%016x", v))
	return b
}

// describeWire decodes a message and its body and writes both in the words of docs/wire.md.
func describeWire(b []byte) string {
	m, body, err := ParseMessage(b)
	if err != nil {
		return err.Error()
	}
	text := fmt.Sprintf("type=%d flags=%d level=%d epoch=%d seq=%d time=%d",
		m.Type, m.Flags, m.Level, m.Epoch, m.Seq, m.Time)
	if m.Flags&FlagTagged != 0 {
		text += fmt.Sprintf(" tag=%x", b[HeaderSize+len(body):])
	}
	switch m.Type {
	case TypeAsk:
		a, err := ParseAsk(body)
		return orError(text+fmt.Sprintf(" key=%x reply-to=%v token=%q", a.Key, a.ReplyTo, a.Token), err)
	case TypeAdmit:
		a, err := ParseAdmit(body)
		return orError(text+fmt.Sprintf(" key=%x nonce=%x box=%x", a.Key, a.Nonce, a.Box), err)
	case TypeData, TypeRepair:
		return text + fmt.Sprintf(" payload=%q", body)
	case TypeQuery:
		to, err := i3.ParseAddr(body)
		return orError(text+fmt.Sprintf(" reply-to=%v metric=%d", to, body[queryMetric]), err)
	case TypeReply:
		r, err := ParseReply(body)
		text += fmt.Sprintf(" id=%v source-distance=%d source-clock=%d", r.ID, r.SourceDistance, r.SourceClock)
		return orError(text, err)
	case TypeReport:
		r, err := ParseReport(body)
		text += fmt.Sprintf(" id=%v source-distance=%d metric=%d value=%d", r.ID, r.SourceDistance, r.Metric, r.Value)
		return orError(text, err)
	case TypeRequest:
		q, err := ParseRequest(body)
		return orError(text+fmt.Sprintf(" group=%v target=%v requester=%v", q.Group, q.Target, q.Requester), err)
	case TypeLeaving:
		return text + fmt.Sprintf(" id=%v secret=%x", i3.IDFrom([i3.IDSize]byte(body)), body[i3.IDSize:])
	case TypeRefreshAck, TypeAdopt, TypeHint:
		return text + fmt.Sprintf(" id=%v", i3.IDFrom([i3.IDSize]byte(body)))
	case TypeRekey:
		old, chain := parseRekey(body)
		return text + fmt.Sprintf(" id=%v chain=%v", old, chain)
	}
	return text
}

func orError(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}

// TestGoldenMessages holds encoders, decoders and derived identifiers to the file, which is the format.
func TestGoldenMessages(t *testing.T) {
	want := goldenMessages()
	if *updateGolden {
		writeGolden(t, want)
	}
	have := ReadGolden(t)
	if len(have) != len(want) {
		t.Errorf("%s has %d vectors, the code %d; -update rewrites it", goldenFile, len(have), len(want))
	}
	seen := make(map[Type]bool)
	for i := range min(len(have), len(want)) {
		h, w := have[i], want[i]
		if h.Name != w.Name || h.Fields != w.Fields || !bytes.Equal(h.Wire, w.Wire) {
			t.Errorf("vector %d is\n%s\n%s\n%x, want\n%s\n%s\n%x", i, h.Name, h.Fields, h.Wire, w.Name, w.Fields, w.Wire)
		}
		if strings.HasPrefix(h.Name, "derived: ") {
			continue
		}
		if got := describeWire(h.Wire); got != h.Fields {
			t.Errorf("%s: decoded\n%s, want\n%s", h.Name, got, h.Fields)
		}
		seen[Type(h.Wire[0])] = true
	}
	for typ := Type(1); typ < typeEnd; typ++ {
		if !seen[typ] {
			t.Errorf("%s has no message of type %d", goldenFile, typ)
		}
	}
}

func writeGolden(t *testing.T, vs []MessageVector) {
	t.Helper()
	var b strings.Builder
	b.WriteString(goldenHead)
	for _, v := range vs {
		fmt.Fprintf(&b, "\n%s\n%s\n%x\n", v.Name, v.Fields, v.Wire)
	}
	if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ReadGolden reads the vectors from the file.
func ReadGolden(t *testing.T) (vs []MessageVector) {
	t.Helper()
	text, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n")[1:] {
		lines := strings.Split(block, "\n")
		if len(lines) != 3 {
			t.Fatalf("%s: vector %.60q: want three lines: name, fields, hex", goldenFile, block)
		}
		wire, err := hex.DecodeString(lines[2])
		if err != nil {
			t.Fatalf("%s: vector %.60q: %v", goldenFile, block, err)
		}
		vs = append(vs, MessageVector{lines[0], lines[1], wire})
	}
	return vs
}

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
