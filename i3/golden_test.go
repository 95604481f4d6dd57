package i3_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"i3bench/i3"
)

var update = flag.Bool("update", false, "rewrite testdata/golden.txt from the code")

const goldenFile = "testdata/golden.txt"

const goldenHead = `# Golden vectors of wire format version 1; docs/wire.md explains the bytes.
# Three lines each: a name, the fields in words, the bytes in hex. An empty line separates vectors.
# In a datagram, " | " separates packets and ", " the entries of one. Written by: go test ./i3 -update
`

// A vector is one value with its written form. decode returns the value that bytes mean, for comparison, or is nil
// where there is nothing to decode: a hash has no inverse.
type vector struct {
	name   string
	fields string
	wire   []byte
	decode func([]byte) (string, error)
}

// An appender is a value of the wire format.
type appender interface{ AppendTo([]byte) []byte }

// value makes a vector of a value with a decoder that must return an equal one.
func value[T interface {
	comparable
	appender
}](name string, v T, parse func([]byte) (T, error)) vector {
	return vector{name, describe(v), v.AppendTo(nil), func(b []byte) (string, error) {
		got, err := parse(b)
		if err == nil && got != v {
			err = fmt.Errorf("decoded %+v, want %+v", got, v)
		}
		return describe(got), err
	}}
}

// describe writes a value in the words of docs/wire.md.
func describe(v any) string {
	switch v := v.(type) {
	case i3.ID:
		return "id=" + v.String()
	case i3.Target:
		if id, ok := v.ID(); ok {
			return "target=" + id.String()
		}
		host, _ := v.Host()
		return fmt.Sprintf("target=%v key=%x", host, v.Key())
	case i3.Trigger:
		return describe(v.ID) + " " + describe(v.Target)
	case i3.Insert:
		return fmt.Sprintf("%s nonce=%x owner=%x probe=%v", describe(v.Trigger), v.Nonce, v.Owner, v.Probe)
	case i3.Challenge:
		return fmt.Sprintf("%s nonce=%x", describe(v.Trigger), v.Nonce)
	case i3.Ack:
		return fmt.Sprintf("%s status=%q count=%d limit=%d lifetime=%dms epoch=%d range=(%016x,%016x]", describe(v.Trigger),
			v.Status.String(), v.Count, v.Limit, v.LifetimeMS, v.Epoch, v.Lo, v.Hi)
	case i3.Packet:
		words := fmt.Sprintf("kind=%v %s hops=%d length=%d flow=%08x", v.Kind, describe(v.ID), v.HopLimit, v.Length, v.Flow)
		if v.Cookie != 0 {
			words += fmt.Sprintf(" cookie=%08x", v.Cookie)
		}
		return words
	}
	return fmt.Sprint(v)
}

// describeDatagram decodes a whole datagram and writes it in words.
func describeDatagram(b []byte) (string, error) {
	var words []string
	for len(b) > 0 {
		p, wire, rest, err := i3.Next(b)
		if err != nil {
			return "", err
		}
		if wire == nil {
			words = append(words, fmt.Sprintf("padding=%d", len(b)))
			break
		}
		payload, err := describePayload(p.Kind, i3.Payload(wire))
		if err != nil {
			return "", err
		}
		words = append(words, describe(p)+" "+payload)
		b = rest
	}
	return strings.Join(words, " | "), nil
}

func describePayload(k i3.Kind, payload []byte) (string, error) {
	if k == i3.KindData || k == i3.KindDirect {
		return fmt.Sprintf("payload=%q", payload), nil
	}
	if k == i3.KindPushback && len(payload) == 0 {
		return "no payload", nil
	}
	if k == i3.KindRing { // package chord has vectors of what is in it
		return fmt.Sprintf("payload=%x", payload), nil
	}
	if k == i3.KindHandover {
		if i3.IsMirror(payload) {
			var m i3.Mirror
			err := i3.ParseMirror(payload, &m)
			return describeMirror(m), err
		}
		var h i3.Handover
		err := i3.ParseHandover(payload, &h)
		return describeHandover(h), err
	}
	if err := i3.CheckEntries(payload); err != nil {
		return "", err
	}
	var words []string
	for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
		var v any
		var err error
		switch k {
		case i3.KindChallenge:
			v, err = i3.ParseChallenge(payload)
		case i3.KindAck:
			v, err = i3.ParseAck(payload)
		default:
			v, err = i3.ParseInsert(payload)
		}
		if err != nil {
			return "", err
		}
		words = append(words, describe(v))
	}
	return strings.Join(words, ", "), nil
}

func describeHandover(h i3.Handover) string {
	words := []string{
		fmt.Sprintf("bring=%v more=%v cursor=%x range=(%016x, %016x]", h.Bring, h.More, h.Cursor, h.Lo, h.Hi),
	}
	return describeHanded(words, h.Handed)
}

func describeMirror(m i3.Mirror) string {
	head := fmt.Sprintf("mirror bring=%v pass=%v more=%v lost=%v serial=%x cursor=%x epoch=%d room=%d",
		m.Bring, m.Pass, m.More, m.Lost, m.Serial, m.Cursor, m.Epoch, m.Room)
	return describeHanded([]string{head}, m.Handed)
}

func describeHanded(words []string, handed []i3.Handed) string {
	for _, t := range handed {
		words = append(words, fmt.Sprintf("%s owner=%x lifetime=%d", describe(t.Trigger), t.Owner, t.LifetimeMS))
	}
	return strings.Join(words, ", ")
}

// mirror writes a handover packet that is a mirror message.
func mirror(m i3.Mirror) []byte {
	b := m.AppendTo(nil)
	return append(i3.Packet{Kind: i3.KindHandover, HopLimit: 1, Length: uint16(len(b)), Flow: 5}.AppendTo(nil), b...)
}

// handover writes a handover packet.
func handover(h i3.Handover) []byte {
	p := i3.Packet{
		Kind: i3.KindHandover, HopLimit: 1, Length: i3.HandoverHead + i3.MaxHanded*i3.EntrySize, Flow: 4,
	}
	return h.AppendTo(p.AppendTo(nil))
}

// datagram makes a vector of a whole datagram.
func datagram(name string, wire []byte) vector {
	fields, err := describeDatagram(wire)
	if err != nil {
		fields = err.Error()
	}
	return vector{name, fields, wire, describeDatagram}
}

// control writes a control packet of the given entries.
func control(k i3.Kind, flow uint32, id i3.ID, entries ...appender) []byte {
	b := i3.Packet{Kind: k, HopLimit: 1, Length: uint16(len(entries) * i3.EntrySize), Flow: flow, ID: id}.AppendTo(nil)
	for _, e := range entries {
		b = e.AppendTo(b)
	}
	return b
}

// hash makes a vector of something that is computed from something else.
func hash(name, of string, sum []byte) vector { return vector{name, of, sum, nil} }

// The values of the vectors. They satisfy their constraints, so that a node accepts them as they are.
var (
	goldenID    = i3.MustParseID("0123456789abcdee" + "101112131415161718191a1b1c1d1e1f" + "2021222324252627")
	goldenChild = i3.NewID(0xfedcba9876543210, i3.RightKey(goldenID), 0x4041424344454647)
	goldenChain = i3.Trigger{ID: goldenID, Target: i3.ToID(goldenChild)}
	goldenHost4 = i3.Trigger{ID: goldenChild, Target: i3.ToHost(host4, i3.RightKey(goldenChild))}
	goldenHost6 = i3.Trigger{ID: goldenChild, Target: i3.ToHost(host6, i3.RightKey(goldenChild))}
	goldenOwn   = i3.Nonce{0x70, 0x71, 0x72, 0x73, 15: 0x7f}
	goldenKey   = [32]byte{0x80, 31: 0x9f}
	goldenRing  = i3.NewID(goldenID.Prefix(), i3.Key{}, 0)
)

// ringAsk returns the shortest message between members of a ring: an ask for the state of who gets it.
func ringAsk() []byte {
	b := []byte{0: 1, 7: 0}
	b = binary.BigEndian.AppendUint64(b, goldenRing.Prefix())
	b = binary.BigEndian.AppendUint64(b, goldenChild.Prefix()) // of the sender
	return append(i3.AppendAddr(b, host4), make([]byte, 6)...)
}

func vectors() []vector {
	nonce := i3.NewCookies(goldenKey).Nonce(28_000_000, goldenHost4)
	insertChain := i3.Insert{Trigger: goldenChain, Owner: i3.OwnerOf(goldenOwn)}
	insertHost := i3.Insert{Trigger: goldenHost4, Nonce: nonce}
	probe := i3.Insert{Trigger: goldenHost6, Probe: true}
	challenge := i3.Challenge{Trigger: goldenHost4, Nonce: nonce}
	ack := i3.Ack{Trigger: goldenChain, Status: i3.StatusInserted, Count: 3, Limit: 9, LifetimeMS: 30_000,
		Epoch: 0x01020304, Lo: 0xfffffffffffffff0, Hi: 0x0fffffffffffffff}
	full := i3.Ack{Trigger: goldenHost6, Status: i3.StatusFull, Count: 9, Limit: 9, LifetimeMS: 1, Hi: 1}
	data := append(i3.Packet{Kind: i3.KindData, HopLimit: 32, Length: 5, ID: goldenID}.AppendTo(nil), "hello"...)
	linked := i3.Packet{Kind: i3.KindData, HopLimit: 31, Cookie: 0xc00c1e05, ID: goldenID}.AppendTo(nil)
	direct := append(i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: 3, Flow: 1, ID: goldenID}.AppendTo(nil), "hey"...)
	insert := control(i3.KindInsert, 0xdeadbeef, goldenID, insertChain, insertHost, probe)
	ring := append(i3.Packet{Kind: i3.KindRing, HopLimit: 1, Length: 48, Flow: 3, ID: goldenRing}.AppendTo(nil),
		ringAsk()...)
	bundle := append(append(bytes.Clone(data), direct...), make([]byte, 7)...)
	id := goldenID.Bytes()
	return append([]vector{
		value("id", goldenID, func(b []byte) (i3.ID, error) { return i3.IDFrom([i3.IDSize]byte(b)), nil }),
		address("address, IPv4", host4),
		address("address, IPv6", host6),
		value("trigger to an identifier", goldenChain, i3.ParseTrigger),
		value("trigger to an IPv4 host", goldenHost4, i3.ParseTrigger),
		value("trigger to an IPv6 host", goldenHost6, i3.ParseTrigger),
		value("entry of an insertion, chain with an owner", insertChain, i3.ParseInsert),
		value("entry of an insertion, host with a nonce", insertHost, i3.ParseInsert),
		value("entry of a probe", probe, i3.ParseInsert),
		value("entry of a challenge", challenge, i3.ParseChallenge),
		value("entry of an acknowledgement", ack, i3.ParseAck),
		value("entry of an acknowledgement, full", full, i3.ParseAck),
		datagram("datagram: data", data),
		datagram("datagram: data that a link brought", linked),
		datagram("datagram: direct", direct),
		datagram("datagram: insert, three entries", insert),
		datagram("datagram: remove by the owner's secret", control(i3.KindRemove, 2, goldenID,
			i3.Insert{Trigger: goldenChain, Nonce: goldenOwn})),
		datagram("datagram: challenge", control(i3.KindChallenge, 0xdeadbeef, goldenID, challenge)),
		datagram("datagram: ack, two entries", control(i3.KindAck, 0xdeadbeef, goldenID, ack, full)),
		datagram("datagram: ring, an ask without room", ring),
		datagram("datagram: handover, asked for", handover(i3.Handover{Cursor: 5, Lo: 1, Hi: 2})),
		datagram("datagram: handover, offered", handover(i3.Handover{More: true, Lo: 1, Hi: 2})),
		datagram("datagram: handover, two triggers", handover(i3.Handover{
			Bring: true, More: true, Cursor: 6, Lo: 1, Hi: 2, Handed: []i3.Handed{
				{Trigger: goldenChain, Owner: i3.OwnerOf(goldenOwn), LifetimeMS: 30_000},
				{Trigger: goldenHost4, LifetimeMS: 1},
			},
		})),
		datagram("datagram: pushback", control(i3.KindPushback, 0xc00c1e05, goldenID)),
		datagram("datagram: mirror, asked for", mirror(i3.Mirror{Serial: 7, Epoch: 9, Room: 1})),
		datagram("datagram: mirror, asked for in a pass", mirror(i3.Mirror{
			Pass: true, Serial: 7, Cursor: 8, Epoch: 9, Room: i3.MaxHanded,
		})),
		datagram("datagram: mirror, a trigger that came and one that is gone", mirror(i3.Mirror{
			Bring: true, Pass: true, More: true, Lost: true, Serial: 9, Cursor: 10, Epoch: 9, Handed: []i3.Handed{
				{Trigger: goldenChain, Owner: i3.OwnerOf(goldenOwn), LifetimeMS: 1}, {Trigger: goldenHost4},
			},
		})),
		datagram("datagram: bundle of data and direct, padding", bundle),
		datagram("datagram: nothing but padding", make([]byte, 4)),
		hash("left key h_l of an identifier", describe(goldenID), key(i3.LeftKey(goldenID))),
		hash("left key h_l of a host key", fmt.Sprintf("key=%x", id[8:24]), key(i3.LeftKeyOf(goldenID.Key()))),
		hash("right key h_r of an identifier", describe(goldenID), key(i3.RightKey(goldenID))),
		hash("owner of a secret", fmt.Sprintf("secret=%x", goldenOwn), key(i3.OwnerOf(goldenOwn))),
		hash("nonce of a cookie", fmt.Sprintf("secret=%x epoch=28000000 %s", goldenKey, describe(goldenHost4)), nonce[:]),
	}, statusVectors()...)
}

// statusVectors has an entry for every status, so that no number can change.
func statusVectors() (vs []vector) {
	for _, s := range statuses {
		a := i3.Ack{Trigger: goldenChain, Status: s}
		vs = append(vs, value(fmt.Sprintf("entry of an acknowledgement, status %d", s), a, i3.ParseAck))
	}
	return vs
}

func key(k i3.Key) []byte { return k[:] }

func address(name string, a netip.AddrPort) vector {
	return vector{name, "address=" + a.String(), i3.AppendAddr(nil, a), func(b []byte) (string, error) {
		got, err := i3.ParseAddr(b)
		return "address=" + got.String(), err
	}}
}

// TestGolden holds encoders and decoders to the file, which is the format: other implementations may read it.
func TestGolden(t *testing.T) {
	want := vectors()
	if *update {
		writeGolden(t, want)
	}
	have := readGolden(t)
	if len(have) != len(want) {
		t.Errorf("%s has %d vectors, the code %d; -update rewrites it", goldenFile, len(have), len(want))
	}
	for i := range min(len(have), len(want)) {
		h, w := have[i], want[i]
		if h.name != w.name || h.fields != w.fields {
			t.Errorf("vector %d is\n%s\n%s, want\n%s\n%s", i, h.name, h.fields, w.name, w.fields)
		}
		if !bytes.Equal(h.wire, w.wire) {
			t.Errorf("%s: encoded\n%x, want\n%x", w.name, w.wire, h.wire)
		}
		if w.decode == nil {
			continue
		}
		if fields, err := w.decode(h.wire); err != nil || fields != h.fields {
			t.Errorf("%s: decoded\n%s, %v, want\n%s", h.name, fields, err, h.fields)
		}
	}
}

// TestGoldenCoversAllKinds: a kind or status without a vector is one that may change unseen.
func TestGoldenCoversAllKinds(t *testing.T) {
	var all strings.Builder
	for _, v := range readGolden(t) {
		all.WriteString(v.fields + "\n")
	}
	for _, k := range kinds {
		if !strings.Contains(all.String(), "kind="+k.String()+" ") {
			t.Errorf("%s has no packet of kind %v", goldenFile, k)
		}
	}
	for _, s := range statuses {
		if !strings.Contains(all.String(), fmt.Sprintf("status=%q", s.String())) {
			t.Errorf("%s has no acknowledgement with status %v", goldenFile, s)
		}
	}
}

func writeGolden(t *testing.T, vs []vector) {
	t.Helper()
	var b strings.Builder
	b.WriteString(goldenHead)
	for _, v := range vs {
		fmt.Fprintf(&b, "\n%s\n%s\n%x\n", v.name, v.fields, v.wire)
	}
	if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readGolden reads the vectors back from the file.
func readGolden(t *testing.T) (vs []vector) {
	t.Helper()
	text, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	for _, block := range blocks[1:] {
		v, err := parseVector(block)
		if err != nil {
			t.Fatalf("%s: vector %.60q: %v", goldenFile, block, err)
		}
		vs = append(vs, v)
	}
	return vs
}

func parseVector(block string) (vector, error) {
	lines := strings.Split(block, "\n")
	if len(lines) != 3 {
		return vector{}, errors.New("want three lines: name, fields, hex")
	}
	wire, err := hex.DecodeString(lines[2])
	return vector{name: lines[0], fields: lines[1], wire: wire}, err
}
