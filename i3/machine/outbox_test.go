package machine_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
	"i3bench/i3/machine"
)

var (
	alice = netip.MustParseAddrPort("10.0.0.1:3000")
	bob   = netip.MustParseAddrPort("10.0.0.2:3000")
)

// Packets for one address that follow each other share a datagram; a copy of data is noted, not made.
func ExampleOutbox() {
	out := machine.NewOutbox(0, 0, 0)
	out.Send(alice, []byte("one."))
	out.Send(alice, []byte("two."))
	out.Send(bob, []byte("three."))
	out.Send(alice, []byte("four."))
	received := []byte("0123456789")
	out.Forward(bob, []byte("ab"), received[2:])

	for _, s := range out.Sends() {
		fmt.Printf("to %v: %s\n", s.To, s.Bytes)
	}
	for _, f := range out.Forwards() {
		fmt.Printf("to %v: %s + %s, the latter where it was received: %v\n",
			f.To, f.Template, f.Body, &f.Body[0] == &received[2])
	}
	out.Reset()
	fmt.Println("empty:", out.Empty())
	// Output:
	// to 10.0.0.1:3000: one.two.
	// to 10.0.0.2:3000: three.
	// to 10.0.0.1:3000: four.
	// to 10.0.0.2:3000: ab + 23456789, the latter where it was received: true
	// empty: true
}

// A queued send is what the model of an Outbox keeps: an address and the packets that one datagram holds.
type queued struct {
	to   netip.AddrPort
	data []byte
}

// TestOutboxAgainstModel fills an Outbox of any capacity and compares it with lists that grow.
func TestOutboxAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sends := rapid.IntRange(1, 8).Draw(t, "sends")
		room := rapid.IntRange(1, 4000).Draw(t, "bytes")
		out := machine.NewOutbox(sends, room, 1)
		for range rapid.IntRange(1, 2).Draw(t, "rounds") {
			var want []queued
			used, dropped := 0, out.Dropped()
			for i := range rapid.IntRange(0, 30).Draw(t, "packets") {
				to := rapid.SampledFrom([]netip.AddrPort{alice, bob}).Draw(t, "to")
				pkt := bytes.Repeat([]byte{byte(i + 1)}, rapid.IntRange(1, 800).Draw(t, "size"))
				last := len(want) - 1
				joins := last >= 0 && want[last].to == to && len(want[last].data)+len(pkt) <= i3.MaxDatagram
				fits := used+len(pkt) <= room && (joins || len(want) < sends)
				if got := out.Send(to, pkt); got != fits {
					t.Fatalf("Send of %d bytes into %d of %d, %d sends: %v", len(pkt), used, room, len(want), got)
				}
				switch {
				case !fits:
					dropped++
				case joins:
					want[last].data = append(want[last].data, pkt...)
				default:
					want = append(want, queued{to, bytes.Clone(pkt)})
				}
				if fits {
					used += len(pkt)
				}
				clear(pkt) // Send must have copied it
			}
			checkSends(t, out, want)
			if out.Dropped() != dropped || out.Empty() != (len(want) == 0) {
				t.Fatalf("dropped %d, want %d; empty %v", out.Dropped(), dropped, out.Empty())
			}
			out.Reset()
			if !out.Empty() || len(out.Sends()) != 0 {
				t.Fatal("Reset left something")
			}
		}
	})
}

func checkSends(t *rapid.T, out *machine.Outbox, want []queued) {
	if len(out.Sends()) != len(want) {
		t.Fatalf("%d datagrams, want %d", len(out.Sends()), len(want))
	}
	for i, s := range out.Sends() {
		if s.To != want[i].to || !bytes.Equal(s.Bytes, want[i].data) {
			t.Fatalf("datagram %d: %d bytes to %v, want %d to %v", i, len(s.Bytes), s.To, len(want[i].data), want[i].to)
		}
		if len(s.Bytes) > i3.MaxDatagram {
			t.Fatalf("datagram %d has %d bytes, at most %d", i, len(s.Bytes), i3.MaxDatagram)
		}
	}
}

// TestBundleBoundary: exactly MaxDatagram bytes travel together, one more do not.
func TestBundleBoundary(t *testing.T) {
	for extra, want := range []int{1, 2} {
		out := machine.NewOutbox(0, 0, 0)
		out.Send(alice, make([]byte, i3.MaxDatagram-100))
		out.Send(alice, make([]byte, 100+extra))
		if got := len(out.Sends()); got != want {
			t.Errorf("%d bytes travel in %d datagrams, want %d", i3.MaxDatagram+extra, got, want)
		}
	}
}

// TestSendsDoNotOverlap: a driver may append to one datagram, as one that pads does, without harm to the next.
func TestSendsDoNotOverlap(t *testing.T) {
	out := machine.NewOutbox(0, 0, 0)
	out.Send(alice, []byte("one"))
	out.Send(bob, []byte("two"))
	_ = append(out.Sends()[0].Bytes, "!!!"...)
	if got := string(out.Sends()[1].Bytes); got != "two" {
		t.Errorf("after an append to the first datagram the second is %q", got)
	}
}

// TestForwardCopiesNothing: template and body are the very bytes that were handed in, for every copy.
func TestForwardCopiesNothing(t *testing.T) {
	out := machine.NewOutbox(1, 1, 3)
	template, body := []byte("template"), make([]byte, 1200)
	for i := range 3 {
		if !out.Forward(alice, template, body) {
			t.Fatalf("copy %d found no room", i)
		}
	}
	if out.Forward(bob, template, body) || out.Dropped() != 1 || len(out.Forwards()) != 3 {
		t.Errorf("a fourth copy was taken in: %d dropped, %d queued", out.Dropped(), len(out.Forwards()))
	}
	body[7] = 0x77
	for i, f := range out.Forwards() {
		if &f.Template[0] != &template[0] || &f.Body[0] != &body[0] || len(f.Body) != len(body) || f.To != alice {
			t.Errorf("copy %d does not alias what was forwarded", i)
		}
	}
	if !out.Send(bob, []byte("x")) || len(out.Sends()) != 1 {
		t.Error("copies took the room of control datagrams")
	}
	queued := out.Forwards()
	out.Reset()
	if queued[0].Body != nil || queued[0].Template != nil {
		t.Error("Reset keeps received buffers alive")
	}
	if out.Dropped() != 1 {
		t.Errorf("Reset changed the count of drops to %d", out.Dropped())
	}
}

// TestOutboxDefaults: zero means the documented capacities.
func TestOutboxDefaults(t *testing.T) {
	out := machine.NewOutbox(0, 0, 0)
	for i := range machine.DefaultSends + 1 {
		to := []netip.AddrPort{alice, bob}[i%2]
		if got, want := out.Send(to, []byte("x")), i < machine.DefaultSends; got != want {
			t.Fatalf("Send %d: %v, want %v", i, got, want)
		}
	}
	for i := range machine.DefaultForwards + 1 {
		if got, want := out.Forward(bob, nil, nil), i < machine.DefaultForwards; got != want {
			t.Fatalf("Forward %d: %v, want %v", i, got, want)
		}
	}
	out.Reset()
	pkt := make([]byte, 1<<10)
	for i := range machine.DefaultBytes/len(pkt) + 1 {
		if got, want := out.Send(alice, pkt), i < machine.DefaultBytes/len(pkt); got != want {
			t.Fatalf("Send of KiB %d: %v, want %v", i, got, want)
		}
	}
	if out.Dropped() != 3 {
		t.Errorf("dropped %d, want 3", out.Dropped())
	}
}

func TestOutboxDoesNotAllocate(t *testing.T) {
	out := machine.NewOutbox(16, 4096, 16)
	pkt, template, body := make([]byte, 152), make([]byte, i3.TemplateSize), make([]byte, 1200)
	n := testing.AllocsPerRun(100, func() {
		for range 40 { // more than fits
			out.Send(alice, pkt)
			out.Send(bob, pkt)
			out.Forward(bob, template, body)
		}
		out.Reset()
	})
	if n != 0 {
		t.Errorf("a round through the Outbox allocates %v times, want 0", n)
	}
}

// A packet in two parts is the packet; the scratch buffer is kept as it has grown, and begins empty every time.
func TestPartsAndScratch(t *testing.T) {
	to := netip.MustParseAddrPort("10.0.0.1:1")
	o := machine.NewOutbox(2, 8, 1)
	if !o.SendParts(to, []byte("ab"), []byte("cd")) || !o.Send(to, []byte("ef")) ||
		o.SendParts(to, []byte("gh"), []byte("i")) {
		t.Error("a packet that fits was refused, or one that does not was taken")
	}
	if s := o.Sends(); len(s) != 1 || string(s[0].Bytes) != "abcdef" || o.Dropped() != 1 {
		t.Errorf("sent %q, dropped %d", s, o.Dropped())
	}
	b := append(o.Scratch(), make([]byte, 100)...)
	o.Keep(b)
	if s := o.Scratch(); len(s) != 0 || cap(s) < 100 {
		t.Errorf("scratch of %d bytes with room for %d, want none and 100", len(s), cap(s))
	}
}
