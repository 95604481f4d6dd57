package host_test

import (
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// The owner's secret travels as a hash with an insertion and is shown by a removal, for identifier targets only.
func TestSecrets(t *testing.T) {
	secret := i3.Nonce{1, 2, 3}
	for _, c := range []struct {
		name    string
		trigger i3.Trigger
		secret  i3.Nonce
		owner   i3.Key
		shown   i3.Nonce
	}{
		{"chain", link(1), secret, i3.OwnerOf(secret), secret},
		{"chain without", link(1), i3.Nonce{}, i3.Key{}, i3.Nonce{}},
		{"host", own(1), secret, i3.Key{}, i3.Nonce{}},
	} {
		r := newRig(t, config())
		r.host.Insert(r.now, c.trigger, c.secret, r.out)
		q := r.one()
		if want := (i3.Insert{Trigger: c.trigger, Owner: c.owner}); q.packet.Kind != i3.KindInsert || q.entries[0] != want {
			t.Errorf("%s: insertion %+v, want %+v", c.name, q, want)
		}
		r.ack(q, i3.StatusInserted)
		r.sleep(lifetime)
		if r.silent("inserted once"); r.host.Maintains(c.trigger) {
			t.Errorf("%s: inserted once and maintained", c.name)
		}
		r.host.Remove(r.now, c.trigger, c.secret, r.out)
		q = r.one()
		if want := (i3.Insert{Trigger: c.trigger, Nonce: c.shown}); q.packet.Kind != i3.KindRemove || q.entries[0] != want {
			t.Errorf("%s: removal %+v, want %+v", c.name, q, want)
		}
		r.ack(q, i3.StatusRemoved)
		if r.sleep(lifetime); len(r.sends()) != 0 || len(r.handler.acked) != 2 {
			t.Errorf("%s: handler told %v", c.name, r.handler.acked)
		}
	}
}

// A host may refresh the trigger of another without its secret, which only its owner has.
func TestRefreshOfAnothersChain(t *testing.T) {
	r := newRig(t, config())
	r.host.Maintain(r.now, link(1), r.out)
	if q := r.one(); q.entries[0] != (i3.Insert{Trigger: link(1)}) {
		t.Errorf("refresh %+v, want neither nonce nor owner", q)
	}
}

// The bound of triggers that a host looks after: above it, new ones are refused and counted.
func TestTaskBound(t *testing.T) {
	const bound = 256
	r := newRig(t, config())
	var asked []sent
	for n := range uint64(bound) {
		r.host.Insert(r.now, own(n), i3.Nonce{}, r.out)
		asked = append(asked, r.one())
	}
	r.host.Maintain(r.now, own(bound), r.out)
	r.host.Insert(r.now, own(bound), i3.Nonce{}, r.out)
	r.host.Remove(r.now, own(bound), i3.Nonce{}, r.out)
	r.silent("one too many")
	if got := r.host.Counters(); got.DropTasks != 3 || r.host.Maintains(own(bound)) {
		t.Fatalf("%d refused, want 3", got.DropTasks)
	}
	r.host.Maintain(r.now, own(0), r.out) // one that is known needs no room
	r.one()
	r.ack(asked[7], i3.StatusInserted) // done: there is room for one
	r.host.Maintain(r.now, own(bound), r.out)
	r.ack(r.one(), i3.StatusInserted)
	if !r.host.Maintains(own(bound)) || r.host.Counters().DropTasks != 3 {
		t.Fatal("no room after one was done")
	}
	for n := range uint64(bound) { // every other one is answered, in whatever order they stand now
		if n%2 == 0 && n != 0 {
			r.ack(asked[n], i3.StatusInserted)
		}
	}
	r.sleep(host.DefaultRetry)
	for _, q := range r.sends() {
		if q.entries[0].Trigger == own(8) || q.entries[0].Trigger == own(7) {
			t.Errorf("asked again for %v, which was answered", q.entries[0].Trigger)
		}
	}
	if got := r.host.Counters(); got.Retries != 128 {
		t.Errorf("%d requests sent again, want the 128 that were not answered", got.Retries)
	}
}

// A handler may use the host while the host calls it.
func TestHandlerUsesHost(t *testing.T) {
	r := newRig(t, config())
	r.handler.onAck = func(now machine.Time, a i3.Ack, out *machine.Outbox) {
		if a.Trigger == own(1) {
			for n := uint64(10); n < 30; n++ { // moves the tasks in memory
				r.host.Maintain(now, own(n), out)
			}
			r.host.Forget(own(2))
		}
	}
	r.handler.onFail = func(now machine.Time, t i3.Trigger, out *machine.Outbox) { r.host.Maintain(now, own(3), out) }
	r.host.Maintain(r.now, own(1), r.out)
	first := r.one()
	r.host.Maintain(r.now, own(2), r.out)
	second := r.one()
	bundle := packet(i3.KindAck, first.packet.Flow, i3.Ack{Trigger: own(1), Status: i3.StatusInserted})
	bundle = append(bundle, packet(i3.KindAck, second.packet.Flow, i3.Ack{Trigger: own(2), Status: i3.StatusInserted})...)
	r.receive(near, bundle)
	all := r.sends()
	if len(all) != 20 || len(r.handler.acked) != 1 || !r.host.Maintains(own(1)) || r.host.Maintains(own(2)) {
		t.Fatalf("%d requests, handler told %v", len(all), r.handler.acked)
	}
	r.sleep(4 * machine.Second)
	if len(r.handler.failed) != 20 {
		t.Fatalf("%d failed, want 20", len(r.handler.failed))
	}
	for _, q := range r.sends() {
		if q.entries[0].Trigger == own(3) {
			return
		}
	}
	t.Error("what the handler asked for when told of a failure was not sent")
}

func TestProbe(t *testing.T) {
	for _, n := range []int{0, 1, 2, i3.MaxEntries, i3.MaxEntries + 1, 3 * i3.MaxEntries} {
		r := newRig(t, config())
		var ids []i3.ID
		for i := range n {
			ids = append(ids, id(uint64(i)))
		}
		r.host.Probe(ids, r.out)
		var asked []i3.ID
		packets := r.sends()
		for _, q := range packets {
			if q.to != near || q.packet.Kind != i3.KindInsert || len(q.entries) > i3.MaxEntries {
				t.Fatalf("probe of %d: %+v", n, q)
			}
			for _, in := range q.entries {
				asked = append(asked, in.Trigger.ID)
				if !in.Probe || in.Trigger != r.host.Own(in.Trigger.ID) || i3.CheckConstraint(in.Trigger) != nil {
					t.Errorf("probe of %d: %+v", n, in)
				}
			}
		}
		if len(asked) != n || len(packets) != (n+i3.MaxEntries-1)/i3.MaxEntries {
			t.Errorf("probe of %d identifiers asks for %d in %d packets", n, len(asked), len(packets))
		}
		if got := r.host.Counters().Requests; int(got) != len(packets) {
			t.Errorf("probe of %d: %d requests counted of %d", n, got, len(packets))
		}
		if r.host.Deadline() != machine.Never {
			t.Error("a probe waits for something")
		}
		r.receive(near, packet(i3.KindAck, 0, i3.Ack{Trigger: own(1), Status: i3.StatusProbed, Count: 5, Limit: 9}))
		if len(r.handler.acked) != 1 || r.handler.acked[0].Count != 5 {
			t.Errorf("handler told %v", r.handler.acked)
		}
	}
}

// Probes and refreshes of one identifier do not answer each other.
func TestProbeIsNoRefresh(t *testing.T) {
	r := newRig(t, config())
	r.host.Maintain(r.now, own(1), r.out)
	q := r.one()
	r.ack(q, i3.StatusProbed)
	if r.host.Maintains(own(1)) {
		t.Error("a probe's answer counts for the insertion")
	}
	if again, _ := r.next(); again.entries[0].Trigger != own(1) {
		t.Error("not asked again")
	}
}

func TestSend(t *testing.T) {
	r := newRig(t, config())
	far1 := i3.NewID(1<<63+2, i3.Key{1}, 3)
	for _, c := range []struct {
		id i3.ID
		to netip.AddrPort
	}{{id(1), near}, {far1, far}} {
		r.host.Send(c.id, []byte("payload"), r.out)
		s := r.out.Sends()[0]
		p, wire, rest, err := i3.Next(s.Bytes)
		want := i3.Packet{Kind: i3.KindData, HopLimit: i3.DefaultHopLimit, Length: 7, ID: c.id}
		if err != nil || p != want || len(rest) != 0 || string(i3.Payload(wire)) != "payload" || s.To != c.to {
			t.Errorf("sent %+v %q to %v, want %+v to %v", p, wire, s.To, want, c.to)
		}
		r.out.Reset()
	}
	r.host.Direct(stranger, id(1), []byte("between us"), r.out)
	s := r.out.Sends()[0]
	p, wire, _, err := i3.Next(s.Bytes)
	want := i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: 10, ID: id(1)}
	if err != nil || p != want || string(i3.Payload(wire)) != "between us" || s.To != stranger {
		t.Errorf("sent %+v %q to %v, want %+v", p, wire, s.To, want)
	}
}

// A payload that the length field cannot express would be read as packets of its own. It is not sent.
func TestSendTooLong(t *testing.T) {
	r := newRig(t, config())
	r.out = machine.NewOutbox(4, 1<<20, 1)
	for _, size := range []int{i3.MaxPayload, i3.MaxPayload + 1, 1 << 17} {
		payload := make([]byte, size)
		r.host.Send(id(1), payload, r.out)
		r.host.Direct(stranger, id(1), payload, r.out)
		fits := size <= i3.MaxPayload
		for _, s := range r.out.Sends() {
			if _, _, rest, err := i3.Next(s.Bytes); err != nil || len(rest) != 0 {
				t.Errorf("payload of %d bytes: %v, %d bytes left over", size, err, len(rest))
			}
		}
		if n := len(r.out.Sends()); (n == 2) != fits || (n == 0) == fits {
			t.Errorf("payload of %d bytes: %d packets sent", size, n)
		}
		r.out.Reset()
	}
	if got := r.host.Counters().DropLength; got != 4 {
		t.Errorf("%d counted as too long, want 4", got)
	}
}

// noRing knows no node.
type noRing struct{ up bool }

func (n *noRing) Owner(uint64) (netip.AddrPort, bool) { return near, n.up }

func TestNoOwner(t *testing.T) {
	cfg := config()
	nodes := &noRing{}
	cfg.Ring = nodes
	r := newRig(t, cfg)
	r.host.Send(id(1), nil, r.out)
	r.host.Probe([]i3.ID{id(1)}, r.out)
	r.host.Maintain(r.now, own(1), r.out)
	r.silent("no owner")
	if got, want := r.host.Counters(), (host.Counters{DropNoOwner: 3}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	nodes.up = true // a node is found before the host gives up
	q, _ := r.next()
	if r.ack(q, i3.StatusInserted); !r.host.Maintains(own(1)) {
		t.Error("not maintained once there is a node")
	}
}

// Data and direct packets go to the handler as they came, without a copy.
func TestDeliver(t *testing.T) {
	r := newRig(t, config())
	bundle := append(i3.Packet{Kind: i3.KindData, HopLimit: 3, Length: 4, Flow: 8, ID: id(1)}.AppendTo(nil), "data"...)
	cut := len(bundle)
	bundle = append(i3.Packet{Kind: i3.KindDirect, Length: 6, ID: id(2)}.AppendTo(bundle), "direct"...)
	r.host.Receive(r.now, []machine.Datagram{{From: stranger, Bytes: bundle}, {From: near}}, r.out)
	got := r.handler.delivered
	if len(got) != 2 || r.host.Counters() != (host.Counters{Delivered: 2}) {
		t.Fatalf("delivered %v, counters %+v", got, r.host.Counters())
	}
	if string(got[0].payload) != "data" || got[0].packet.Flow != 8 || got[0].packet.ID != id(1) ||
		got[0].from != stranger || &got[0].payload[0] != &bundle[i3.HeaderSize] {
		t.Errorf("data delivered as %+v", got[0])
	}
	if string(got[1].payload) != "direct" || got[1].packet.Kind != i3.KindDirect ||
		&got[1].payload[0] != &bundle[cut+i3.HeaderSize] {
		t.Errorf("direct packet delivered as %+v", got[1])
	}
}

// The round trip is smoothed as in RFC 6298 and taken only where request and answer belong together (Karn).
func TestRoundTrip(t *testing.T) {
	const ms = machine.Millisecond
	r := newRig(t, config())
	r.host.Maintain(r.now, own(1), r.out)
	q := r.one()
	r.now = r.now.Add(80 * ms)
	r.challenge(q, i3.Nonce{1})
	if q = r.one(); r.host.RTT() != 80*ms {
		t.Fatalf("round trip %d ns, want that of the challenge, 80 ms", r.host.RTT())
	}
	r.now = r.now.Add(160 * ms)
	r.ack(q, i3.StatusInserted)
	if r.host.RTT() != 90*ms { // 80 + (160-80)/8
		t.Fatalf("round trip %d ns, want 90 ms", r.host.RTT())
	}
	q, _ = r.next() // lost, and sent again after three round trips
	again, after := r.next()
	if after != 270*ms {
		t.Fatalf("sent again after %v s, want 0.27", after.Seconds())
	}
	r.now = r.now.Add(20 * ms)
	r.ack(again, i3.StatusRefreshed)
	if r.host.RTT() != 90*ms {
		t.Errorf("round trip %d ns after an answer to either of two tries, want 90 ms still", r.host.RTT())
	}
	r.host.Maintain(r.now, own(1), r.out)
	r.now = r.now.Add(80 * ms)
	r.host.Maintain(r.now, own(1), r.out)
	r.now = r.now.Add(10 * ms)
	r.ack(q, i3.StatusRefreshed) // of the first, as far as anybody can tell
	if r.host.RTT() != 90*ms {
		t.Errorf("round trip %d ns after an answer to either of two requests, want 90 ms still", r.host.RTT())
	}
	if _ = r.sends(); r.host.RTT() == 0 {
		t.Fatal("no round trip")
	}
	for range 200 { // a close node: the wait has a floor
		q, _ := r.next()
		r.ack(q, i3.StatusRefreshed)
	}
	if r.host.RTT() < 1 || r.host.RTT() > 8 {
		t.Errorf("round trip %d ns after many answers at once, want next to none, but not zero: none yet", r.host.RTT())
	}
	r.next()
	if _, after := r.next(); after != 50*ms {
		t.Errorf("sent again after %v s, want the floor of 0.05", after.Seconds())
	}
}

// A node far away does not make a host wait longer than the ceiling.
func TestRetryCeiling(t *testing.T) {
	r := maintained(t, config(), own(1), 2*machine.Second)
	r.next()
	for range 6 {
		if _, after := r.next(); after != 3*machine.Second {
			t.Errorf("sent again after %v s, want 3", after.Seconds())
		}
	}
	cfg := config()
	cfg.Retry = 20 * machine.Millisecond
	r = newRig(t, cfg)
	r.host.Maintain(r.now, own(1), r.out)
	r.one()
	if _, after := r.next(); after != cfg.Retry {
		t.Errorf("sent again after %v s, want what was configured", after.Seconds())
	}
}
