package i3_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// A datagram is a bundle of packets and may end in padding.
func ExampleNext() {
	id := i3.NewID(0xfeed, i3.Key{}, 0)
	var b []byte
	for _, s := range []string{"first", "second"} {
		b = i3.Packet{Kind: i3.KindData, HopLimit: 32, Length: uint16(len(s)), ID: id}.AppendTo(b)
		b = append(b, s...)
	}
	b = append(b, 0, 0, 0)
	for len(b) > 0 {
		p, wire, rest, err := i3.Next(b)
		if err != nil {
			fmt.Println(err)
			return
		}
		if wire == nil {
			fmt.Printf("%d bytes of padding\n", len(b))
		} else {
			fmt.Printf("%v %q\n", p.Kind, i3.Payload(wire))
		}
		b = rest
	}
	// Output:
	// data "first"
	// data "second"
	// 3 bytes of padding
}

// packet returns a header for idA and the payload after it.
func packet(k i3.Kind, payload []byte) []byte {
	h := i3.Packet{Kind: k, HopLimit: 32, Length: uint16(len(payload)), Flow: 7, ID: idA}
	return append(h.AppendTo(nil), payload...)
}

func TestPacketRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "payload")
		after := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "after")
		p := anyHeader(t, len(payload))
		b := append(append(p.AppendTo(nil), payload...), after...)
		got, wire, rest, err := i3.Next(b)
		if err != nil || got != p {
			t.Fatalf("Next = %+v, %v, want %+v", got, err, p)
		}
		if !bytes.Equal(i3.Payload(wire), payload) || !bytes.Equal(rest, after) {
			t.Fatalf("payload %x, rest %x, want %x and %x", i3.Payload(wire), rest, payload, after)
		}
	})
}

// TestTemplateDependsOnTheTriggerAlone: the first TemplateSize bytes are a function of kind and identifier and the
// others of neither, so a node may replace the former without reading the latter.
func TestTemplateDependsOnTheTriggerAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := anyHeader(t, 3), anyHeader(t, 9)
		a, b := p.AppendTo(nil), q.AppendTo(nil)
		template := i3.AppendTemplate(nil, p.Kind, p.ID)
		i3.SetCookie(template, p.Cookie) // a link's, that is its trigger's
		mixed := append(template, b[i3.TemplateSize:]...)
		if !bytes.Equal(mixed[:i3.TemplateSize], a[:i3.TemplateSize]) {
			t.Fatalf("template %x is not the start of header %x", mixed[:i3.TemplateSize], a)
		}
		q.Kind, q.ID, q.Cookie = p.Kind, p.ID, p.Cookie
		if got, _, _, err := i3.Next(append(mixed, make([]byte, 9)...)); err != nil || got != q {
			t.Fatalf("template of %+v before the rest of another packet = %+v, %v, want %+v", p, got, err, q)
		}
	})
}

// TestNextWalksBundles: a datagram of any packets and any padding yields these packets, and then the padding.
func TestNextWalksBundles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []i3.Packet
		var payloads [][]byte
		var b []byte
		for range rapid.IntRange(0, 6).Draw(t, "packets") {
			payload := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "payload")
			p := anyHeader(t, len(payload))
			want, payloads = append(want, p), append(payloads, payload)
			b = append(p.AppendTo(b), payload...)
		}
		padding := rapid.IntRange(0, 60).Draw(t, "padding")
		rest := append(b, make([]byte, padding)...)
		for i := range want {
			p, wire, tail, err := i3.Next(rest)
			if err != nil || p != want[i] || !bytes.Equal(i3.Payload(wire), payloads[i]) {
				t.Fatalf("packet %d is %+v with %x, %v, want %+v with %x", i, p, wire, err, want[i], payloads[i])
			}
			rest = tail
		}
		if len(rest) != padding {
			t.Fatalf("%d bytes follow the packets, want %d", len(rest), padding)
		}
		if padding == 0 {
			return
		}
		p, wire, tail, err := i3.Next(rest)
		if p != (i3.Packet{}) || wire != nil || tail != nil || err != nil {
			t.Fatalf("Next of padding = %+v, %x, %x, %v", p, wire, tail, err)
		}
		rest[rapid.IntRange(0, padding-1).Draw(t, "at")] = 0x69
		if _, _, _, err := i3.Next(rest); err == nil {
			t.Fatalf("Next accepted padding %x", rest)
		}
	})
}

// TestWireDoesNotReachIntoTheNext: what is appended to one packet's bytes must not run into the next of the bundle.
func TestWireDoesNotReachIntoTheNext(t *testing.T) {
	b := append(packet(i3.KindData, []byte("one")), packet(i3.KindData, []byte("two"))...)
	_, wire, rest, err := i3.Next(b)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(wire, 0xff)
	if _, two, _, err := i3.Next(rest); err != nil || string(i3.Payload(two)) != "two" {
		t.Errorf("after an append to the first packet the second is %x, %v", two, err)
	}
	if &wire[0] != &b[0] {
		t.Error("Next copied the packet")
	}
}

func TestNextErrors(t *testing.T) {
	good := packet(i3.KindData, []byte("payload"))
	put := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	cookie := packet(i3.KindDirect, nil)
	i3.SetCookie(cookie, 1<<31)
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"empty", nil, i3.ErrShort},
		{"one byte", good[:1], i3.ErrShort},
		{"header one byte short", good[:i3.HeaderSize-1], i3.ErrShort},
		{"payload one byte short", good[:len(good)-1], i3.ErrShort},
		{"length one too large", put(43, 8), i3.ErrShort},
		{"length 65535", put(42, 0xff), i3.ErrShort},
		{"first byte of magic", put(2, 'I'), i3.ErrMagic},
		{"second byte of magic", put(3, '4'), i3.ErrMagic},
		{"version 0", put(0, 0x01), i3.ErrVersion},
		{"version 2", put(0, 0x21), i3.ErrVersion},
		{"version 15", put(0, 0xf1), i3.ErrVersion},
		{"kind 0", put(0, 0x10), i3.ErrKind},
		{"kind 10", put(0, 0x1a), i3.ErrKind},
		{"kind 15", put(0, 0x1f), i3.ErrKind},
		{"reserved byte 1", put(1, 1), i3.ErrReserved},
		{"cookie in what is no data", cookie, i3.ErrReserved},
		{"reserved byte 41", put(41, 1), i3.ErrReserved},
		{"padding that is not", put(0, 0), i3.ErrPadding},
		{"padding with a last byte", append(make([]byte, 100), 1), i3.ErrPadding},
	} {
		p, wire, rest, err := i3.Next(c.in)
		if !errors.Is(err, c.want) || p != (i3.Packet{}) || wire != nil || rest != nil {
			t.Errorf("%s: Next = %+v, %x, %x, %v, want only %v", c.name, p, wire, rest, err, c.want)
		}
	}
}

func TestLargestPayload(t *testing.T) {
	b := packet(i3.KindData, make([]byte, i3.MaxPayload))
	p, wire, rest, err := i3.Next(b)
	if err != nil || int(p.Length) != i3.MaxPayload || len(wire) != len(b) || len(rest) != 0 {
		t.Errorf("Next of the largest packet: length %d, wire %d, rest %d, %v", p.Length, len(wire), len(rest), err)
	}
}

func TestSetHopLimit(t *testing.T) {
	b := packet(i3.KindData, []byte("payload"))
	want, _, _, _ := i3.Next(b)
	want.HopLimit = 5
	i3.SetHopLimit(b, 5)
	if got, wire, _, err := i3.Next(b); err != nil || got != want || string(i3.Payload(wire)) != "payload" {
		t.Errorf("after SetHopLimit the packet is %+v with %q, %v, want %+v", got, i3.Payload(wire), err, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("SetHopLimit of a short slice did not panic as documented")
		}
	}()
	i3.SetHopLimit(b[:i3.HeaderSize-1], 5)
}

func TestKindString(t *testing.T) {
	want := []string{"unknown", "data", "direct", "insert", "remove", "challenge", "ack", "ring", "handover",
		"pushback", "unknown"}
	for k, s := range want {
		if got := i3.Kind(k).String(); got != s {
			t.Errorf("Kind(%d) is %q, want %q", k, got, s)
		}
	}
	if last := i3.Kind(len(want) - 2); last != i3.KindPushback {
		t.Errorf("the last kind is %d, want %d", i3.KindPushback, last)
	}
}

// FuzzNext walks a whole datagram, entries included, and writes it again: what was accepted must come out the same.
func FuzzNext(f *testing.F) {
	chain := i3.Insert{Trigger: i3.Trigger{ID: idA, Target: i3.ToID(idB)}, Owner: i3.Key{1}}
	host := i3.Insert{Trigger: i3.Trigger{ID: idA, Target: i3.ToHost(host4, i3.RightKey(idA))}, Probe: true}
	ack := i3.Ack{Trigger: chain.Trigger, Status: i3.StatusFull, Count: 9, Limit: 9}
	challenge := i3.Challenge{Trigger: host.Trigger, Nonce: i3.Nonce{1}}
	data := packet(i3.KindData, []byte("payload"))
	f.Add(data)
	f.Add(packet(i3.KindDirect, nil))
	f.Add(i3.Packet{Kind: i3.KindData, Cookie: 1, ID: idA}.AppendTo(nil))
	f.Add(packet(i3.KindPushback, nil))
	f.Add(packet(i3.KindInsert, host.AppendTo(chain.AppendTo(nil))))
	f.Add(packet(i3.KindRemove, chain.AppendTo(nil)))
	f.Add(packet(i3.KindChallenge, challenge.AppendTo(nil)))
	f.Add(packet(i3.KindAck, ack.AppendTo(nil)))
	f.Add(append(append(bytes.Clone(data), data...), make([]byte, 20)...)) // bundle and padding
	f.Add(append(bytes.Clone(data), 0x13))                                 // a packet that has only begun
	f.Add(make([]byte, 64))                                                // padding alone
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		for rest := b; len(rest) > 0; {
			p, wire, tail, err := i3.Next(rest)
			if err != nil {
				return
			}
			if wire == nil {
				again = append(again, make([]byte, len(rest))...)
				break
			}
			again = p.AppendTo(again)
			again = rewrite(t, again, p.Kind, i3.Payload(wire))
			rest = tail
		}
		if !bytes.Equal(again, b) {
			t.Errorf("read  %x\nwrote %x", b, again)
		}
	})
}

// rewrite appends a payload to b, by way of its decoded entries when it has any that decode.
func rewrite(t *testing.T, b []byte, k i3.Kind, payload []byte) []byte {
	if k == i3.KindData || k == i3.KindDirect || i3.CheckEntries(payload) != nil {
		return append(b, payload...)
	}
	for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
		n := len(b)
		switch k {
		case i3.KindInsert, i3.KindRemove:
			if in, err := i3.ParseInsert(payload); err == nil {
				b = in.AppendTo(b)
			}
		case i3.KindChallenge:
			if c, err := i3.ParseChallenge(payload); err == nil {
				b = c.AppendTo(b)
			}
		case i3.KindAck:
			if a, err := i3.ParseAck(payload); err == nil {
				b = a.AppendTo(b)
			}
		case i3.KindRing, i3.KindHandover, i3.KindPushback: // their payloads are of other forms
		default:
			t.Errorf("Next accepted kind %d", k)
		}
		if len(b) == n {
			b = append(b, payload[:i3.EntrySize]...)
		}
	}
	return b
}
