package chord

import (
	"encoding/hex"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/golden.txt from the code")

const (
	goldenFile = "testdata/golden.txt"
	goldenHead = `# Golden vectors of ring messages, wire format version 1; docs/wire.md explains the bytes.
# Three lines each: a name, the fields as they are read, the bytes in hex. An empty line separates vectors.
# Written by: go test ./i3/chord -run Golden -update
`
)

// goldenMessages returns the text of the file: a message of every kind, and answers in all the room there is, in less,
// and in none.
func goldenMessages() string {
	self := Place{0x0123456789abcdef, netip.MustParseAddrPort("10.0.0.7:3001")}
	other := func(i byte) Place {
		return Place{uint64(i) << 56, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 3001)}
	}
	six := Place{0xfedcba9876543210, netip.MustParseAddrPort("[2001:db8::7]:3001")}
	answer := message{kind: kindAnswer, member: true, prefix: 0x8081828384858687, self: self, pred: six,
		near: []Place{other(0x70), other(0x60), other(0x50)}}
	for i := range byte(DefaultSuccessors) {
		answer.succ = append(answer.succ, other(i+2))
	}
	var b strings.Builder
	b.WriteString(goldenHead)
	for _, v := range []struct {
		name string
		message
		size int
	}{
		{"ask whether it is there", message{kind: kindAsk, self: self}, pingSize},
		{"ask of one at an IPv6 address, with room for two places", message{kind: kindAsk, prefix: 7, self: six}, roomFor(2)},
		{"answer with all there can be", answer, fullSize},
		{"answer cut by its room behind four successors", answer, shortSize},
		{"answer cut behind the first near one, with half a place left", answer, roomFor(2) + placeSize/2},
		{"answer cut behind the predecessor", answer, roomFor(1)},
		{"answer without room", answer, pingSize},
		{"answer of one that has yet to join", message{kind: kindAnswer, prefix: 7, self: six}, roomFor(2)},
		{"answer of a ring of one", message{kind: kindAnswer, member: true, self: self, pred: self, succ: []Place{self}},
			roomFor(3)},
		{"tell", message{kind: kindTell, self: self}, fullSize},
		{"follow", message{kind: kindFollow, self: self}, fullSize},
		{"leave", message{kind: kindLeave, self: self}, fullSize},
		{"moved", message{kind: kindMoved, self: self, prefix: 7}, messageHead},
		{"answer of one that has left", message{kind: kindAnswer, prefix: 7, self: self}, fullSize},
	} {
		wire := v.appendTo(nil, v.size)
		fmt.Fprintf(&b, "\n%s\n%s\n%x\n", v.name, describe(wire), wire)
	}
	return b.String()
}

// describe reads a message and writes it in the words of docs/wire.md.
func describe(b []byte) string {
	m, err := parseMessage(b)
	if err != nil {
		return err.Error()
	}
	words := fmt.Sprintf("length=%d kind=%d member=%v prefix=%016x", len(b), m.kind, m.member, m.prefix)
	for _, list := range []struct {
		name   string
		places []Place
	}{{"self", []Place{m.self}}, {"pred", []Place{m.pred}}, {"near", m.near}, {"succ", m.succ}} {
		for _, p := range list.places {
			if p.known() {
				words += fmt.Sprintf(" %s=%016x@%v", list.name, p.Prefix, p.Addr)
			}
		}
	}
	return words
}

// TestGolden holds encoder and decoder to the file, which is the format: other implementations may read it.
func TestGolden(t *testing.T) {
	want := goldenMessages()
	if *update {
		if err := os.WriteFile(goldenFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	have, wanted := strings.Split(string(text), "\n\n"), strings.Split(want, "\n\n")
	if len(have) != len(wanted) {
		t.Errorf("%s has %d vectors, the code %d; -update rewrites it", goldenFile, len(have)-1, len(wanted)-1)
	}
	for i := range min(len(have), len(wanted)) {
		if have[i] != wanted[i] {
			t.Errorf("encoded\n%s\nwant\n%s", wanted[i], have[i])
		}
		if i == 0 {
			continue
		}
		lines := strings.Split(strings.TrimSpace(have[i]), "\n")
		if len(lines) != 3 {
			t.Fatalf("%s: %q: want a name, fields and hex", goldenFile, have[i])
		}
		if wire, err := hex.DecodeString(lines[2]); err != nil || describe(wire) != lines[1] {
			t.Errorf("%s: decoded\n%s, %v, want\n%s", lines[0], describe(wire), err, lines[1])
		}
	}
}
