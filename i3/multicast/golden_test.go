package multicast

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

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
