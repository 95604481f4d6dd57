package host_test

import (
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"pgregory.net/rapid"
)

// A host answers a challenge only for what it asks for at this moment, at most once for a nonce, and always to the
// node that owns the identifier: nobody makes it insert what it does not want, or send to where it does not want.
func TestStrangersChallenges(t *testing.T) {
	asking := func() (*rig, sent) {
		r := newRig(t, config())
		r.host.Maintain(r.now, own(1), r.out)
		return r, r.one()
	}
	resting := func() (*rig, sent) {
		r := maintained(t, config(), own(1), machine.Millisecond)
		return r, sent{packet: i3.Packet{Flow: 1}}
	}
	forgotten := func() (*rig, sent) {
		r, q := asking()
		r.host.Forget(own(1))
		return r, q
	}
	removed := func() (*rig, sent) {
		r := newRig(t, config())
		r.host.Remove(r.now, own(1), i3.Nonce{}, r.out)
		q := r.one()
		r.ack(q, i3.StatusRemoved)
		return r, q
	}
	for _, c := range []struct {
		name    string
		when    func() (*rig, sent)
		trigger i3.Trigger
		flow    uint32 // added to the request's
		want    bool
	}{
		{"the one asked for", asking, own(1), 0, true},
		{"another trigger", asking, own(2), 0, false},
		{"another target", asking, i3.Trigger{ID: id(1), Target: i3.ToHost(stranger, i3.RightKey(id(1)))}, 0, false},
		{"another key", asking, i3.Trigger{ID: id(1), Target: i3.ToHost(self, i3.Key{})}, 0, false},
		{"another port", asking, i3.Trigger{ID: id(1), Target: i3.ToHost(netip.AddrPortFrom(self.Addr(), 1),
			i3.RightKey(id(1)))}, 0, false},
		{"another flow", asking, own(1), 1, false},
		{"after the acknowledgement", resting, own(1), 0, false},
		{"after it was forgotten", forgotten, own(1), 0, false},
		{"after it was removed", removed, own(1), 0, false},
	} {
		r, q := c.when()
		before := r.host.Counters()
		ch := packet(i3.KindChallenge, q.packet.Flow+c.flow, i3.Challenge{Trigger: c.trigger, Nonce: i3.Nonce{5}})
		for range 3 {
			r.receive(stranger, ch)
		}
		got, all := r.host.Counters(), r.sends()
		answered, ignored := got.Challenges-before.Challenges, got.DropStranger-before.DropStranger
		switch {
		case c.want && (len(all) != 1 || all[0].to != near || answered != 1 || ignored != 2):
			t.Errorf("%s: sent %v, %d answered, %d ignored; want one answer to %v", c.name, all, answered, ignored, near)
		case !c.want && (len(all) != 0 || answered != 0 || ignored != 3):
			t.Errorf("%s: sent %v, %d answered, %d ignored; want no answer", c.name, all, answered, ignored)
		}
	}
}

// A stranger's entry does not keep the next one from being answered.
func TestChallengesOfOnePacket(t *testing.T) {
	r := newRig(t, config())
	r.host.Maintain(r.now, own(1), r.out)
	q := r.one()
	r.receive(near, packet(i3.KindChallenge, q.packet.Flow, i3.Challenge{Trigger: own(2), Nonce: i3.Nonce{1}},
		i3.Challenge{Trigger: own(1), Nonce: i3.Nonce{2}}))
	if q = r.one(); q.entries[0] != (i3.Insert{Trigger: own(1), Nonce: i3.Nonce{2}}) {
		t.Errorf("answer %+v", q)
	}
}

// Whatever arrives, all that leaves a host are requests for what it was told to look after.
func TestOnlyOwnRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t, config())
		wanted := make(map[i3.Trigger]bool)
		for n := range rapid.Uint64Range(0, 3).Draw(t, "triggers") {
			wanted[own(n)] = true
			r.host.Maintain(r.now, own(n), r.out)
		}
		for range rapid.IntRange(1, 20).Draw(t, "packets") {
			n, flow := rapid.Uint64Range(0, 5).Draw(t, "trigger"), rapid.Uint32Range(0, 5).Draw(t, "flow")
			others := i3.Trigger{ID: id(n), Target: i3.ToHost(stranger, i3.RightKey(id(n)))}
			tr := rapid.SampledFrom([]i3.Trigger{own(n), link(n), others}).Draw(t, "form")
			challenge := i3.Challenge{Trigger: tr, Nonce: i3.Nonce{rapid.Byte().Draw(t, "nonce")}}
			status := i3.Status(rapid.IntRange(1, int(i3.StatusNoRoom)).Draw(t, "status"))
			var b []byte
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				b = packet(i3.KindChallenge, flow, challenge)
			case 1:
				b = packet(i3.KindChallenge, flow, challenge, i3.Challenge{Trigger: own(1), Nonce: i3.Nonce{99}})
			case 2:
				b = packet(i3.KindAck, flow, i3.Ack{Trigger: tr, Status: status})
			default:
				b = rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "junk")
			}
			r.receive(stranger, b)
			r.sleep(machine.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * machine.Millisecond)
		}
		for _, q := range r.sends() {
			if q.packet.Kind != i3.KindInsert || q.to != near || len(q.entries) != 1 || !wanted[q.entries[0].Trigger] ||
				q.entries[0].Probe {
				t.Fatalf("host sent %+v", q)
			}
		}
	})
}

// Duplicated, late and foreign acknowledgements change nothing, and the handler does not hear of them.
func TestOtherAcks(t *testing.T) {
	r := newRig(t, config())
	r.host.Maintain(r.now, own(1), r.out)
	q := r.one()
	foreign := []i3.Ack{
		{Trigger: own(2), Status: i3.StatusInserted},
		{Trigger: link(1), Status: i3.StatusInserted},
		{Trigger: own(1), Status: i3.StatusRemoved},
		{Trigger: own(1), Status: i3.StatusMissing},
	}
	for _, a := range foreign {
		r.receive(near, packet(i3.KindAck, q.packet.Flow, a))
	}
	r.receive(near, packet(i3.KindAck, q.packet.Flow+1, i3.Ack{Trigger: own(1), Status: i3.StatusInserted}))
	if r.silent("foreign"); len(r.handler.acked) != 0 || r.host.Maintains(own(1)) {
		t.Fatalf("handler told %v, maintains %v", r.handler.acked, r.host.Maintains(own(1)))
	}
	for range 3 {
		r.ack(q, i3.StatusInserted)
	}
	deadline := r.host.Deadline()
	r.now = r.now.Add(machine.Second)
	r.ack(q, i3.StatusInserted)
	r.ack(q, i3.StatusFull)
	r.ack(q, i3.StatusMissing)
	if r.silent("duplicates"); len(r.handler.acked) != 1 || !r.host.Maintains(own(1)) || r.host.Deadline() != deadline {
		t.Fatalf("handler told %v, maintains %v, deadline %d", r.handler.acked, r.host.Maintains(own(1)), r.host.Deadline())
	}
	if got := r.host.Counters(); got.Acks != 11 {
		t.Errorf("%d acks counted, want all 11 that came", got.Acks)
	}

	// The answer to the insertion comes after the removal was asked for: that is not the removal's answer.
	r.host.Remove(r.now, own(1), i3.Nonce{}, r.out)
	removal := r.one()
	for _, s := range []i3.Status{i3.StatusRefreshed, i3.StatusInserted, i3.StatusFull} {
		r.ack(q, s)
	}
	if len(r.handler.acked) != 1 {
		t.Fatalf("handler told %v", r.handler.acked)
	}
	r.ack(removal, i3.StatusRemoved)
	r.ack(removal, i3.StatusRemoved)
	if len(r.handler.acked) != 2 || r.handler.acked[1].Status != i3.StatusRemoved {
		t.Errorf("handler told %v", r.handler.acked)
	}
	if r.sleep(5 * lifetime); r.host.Deadline() != machine.Never {
		t.Error("something is left after the removal")
	}
}

// Insert, Remove and Maintain follow each other at any moment; the last one counts.
func TestChangesOfMind(t *testing.T) {
	r := newRig(t, config())
	r.host.Maintain(r.now, own(1), r.out)
	insertion := r.one()
	r.host.Remove(r.now, own(1), i3.Nonce{}, r.out)
	removal := r.one()
	if removal.packet.Kind != i3.KindRemove || removal.packet.Flow != insertion.packet.Flow {
		t.Fatalf("removal %+v", removal)
	}
	r.challenge(insertion, i3.Nonce{3}) // for the insertion; the nonce serves the removal as well
	if q := r.one(); q.packet.Kind != i3.KindRemove || q.entries[0].Nonce != (i3.Nonce{3}) {
		t.Fatalf("challenge while removing answered by %+v", q)
	}
	r.host.Maintain(r.now, own(1), r.out)
	if q := r.one(); q.packet.Kind != i3.KindInsert || q.entries[0].Nonce != (i3.Nonce{3}) {
		t.Fatalf("maintained again by %+v", q)
	}
	r.ack(removal, i3.StatusRemoved) // late, or overtaken: not what is asked for now
	if r.host.Maintains(own(1)) || len(r.handler.acked) != 0 {
		t.Fatalf("maintains %v, handler told %v", r.host.Maintains(own(1)), r.handler.acked)
	}
	r.ack(insertion, i3.StatusRefreshed)
	if !r.host.Maintains(own(1)) {
		t.Fatal("not maintained")
	}
	r.host.Insert(r.now, own(1), i3.Nonce{}, r.out) // once more, and it stays maintained
	r.ack(r.one(), i3.StatusRefreshed)
	if q, after := r.next(); q.packet.Kind != i3.KindInsert || after >= lifetime/2 || !r.host.Maintains(own(1)) {
		t.Errorf("after an insertion in between: %+v after %v s", q, after.Seconds())
	}
	r.host.Remove(r.now, own(1), i3.Nonce{}, r.out)
	if r.host.Maintains(own(1)) {
		t.Error("maintains what it removes")
	}
	r.host.Maintain(r.now, own(1), r.out) // the removal may have come through
	if r.host.Maintains(own(1)) {
		t.Error("maintains what it has removed and not inserted again")
	}
}

// What each answer means to each kind of request.
func TestOutcomes(t *testing.T) {
	const all = i3.StatusNoRoom
	for s := i3.StatusInserted; s <= all; s++ {
		gone := s == i3.StatusRemoved || s == i3.StatusMissing
		for _, c := range []struct {
			name   string
			start  func(r *rig)
			answer bool
		}{
			{"insert", func(r *rig) { r.host.Insert(r.now, own(1), i3.Nonce{}, r.out) }, !gone},
			{"remove", func(r *rig) { r.host.Remove(r.now, own(1), i3.Nonce{}, r.out) }, gone || s == i3.StatusRefused},
		} {
			r := newRig(t, config())
			c.start(r)
			r.ack(r.one(), s)
			told := len(r.handler.acked) == 1
			r.sleep(lifetime)
			asked := len(r.sends()) > 0
			if s == i3.StatusProbed {
				if !told || !asked {
					t.Errorf("%s answered by %v: told %v, asked again %v; want both", c.name, s, told, asked)
				}
				continue
			}
			if told != c.answer || asked == c.answer {
				t.Errorf("%s answered by %v: told %v, asked again %v; want %v, %v", c.name, s, told, asked, c.answer, !c.answer)
			}
		}
	}
}

// What does not decode is counted once and stops nothing else; a datagram is a bundle.
func TestMalformed(t *testing.T) {
	ok := packet(i3.KindAck, 1, i3.Ack{Trigger: own(1), Status: i3.StatusProbed})
	challenge := packet(i3.KindChallenge, 1, i3.Challenge{Trigger: own(1), Nonce: i3.Nonce{1}})
	with := func(b []byte, at int, c byte) []byte {
		b = append([]byte(nil), b...)
		b[at] = c
		return b
	}
	probe := i3.Insert{Trigger: own(1), Probe: true}
	for name, b := range map[string][]byte{
		"text":                  []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n................"),
		"truncated":             ok[:len(ok)-1],
		"ack without entries":   packet(i3.KindAck, 1),
		"half an entry":         with(ok[:i3.HeaderSize+50], 43, 50),
		"status zero":           with(ok, i3.HeaderSize+72, 0),
		"status unknown":        with(ok, i3.HeaderSize+72, 99),
		"reserved in ack":       with(ok, i3.HeaderSize+73, 1),
		"no target":             with(ok, i3.HeaderSize+64, 0),
		"challenge, no entries": packet(i3.KindChallenge, 1),
		"challenge that probes": packet(i3.KindChallenge, 1, probe),
		"challenge with owner":  packet(i3.KindChallenge, 1, i3.Insert{Trigger: own(1), Owner: i3.Key{1}}),
		"challenge, no target":  with(challenge, i3.HeaderSize+64, 0),
		"bad padding":           {0, 0, 1},
	} {
		r := newRig(t, config())
		r.host.Maintain(r.now, own(1), r.out)
		r.one()
		r.receive(stranger, b)
		r.silent(name)
		if got, want := r.host.Counters(), (host.Counters{Requests: 1, DropMalformed: 1}); got != want {
			t.Errorf("%s: counters %+v, want %+v", name, got, want)
		}
		r.receive(near, append(append(append([]byte(nil), ok...), ok...), b...))
		if got := r.host.Counters(); got.Acks != 2 || got.DropMalformed != 2 || len(r.handler.acked) != 2 {
			t.Errorf("%s, after two acks: counters %+v", name, got)
		}
	}
	r := newRig(t, config())
	r.receive(near, append(append([]byte(nil), ok...), make([]byte, 100)...))
	if got, want := r.host.Counters(), (host.Counters{Acks: 1}); got != want {
		t.Errorf("padded: counters %+v, want %+v", got, want)
	}
	r.host.Receive(r.now, []machine.Datagram{{From: stranger, Bytes: []byte("junk")}, {From: near, Bytes: ok}}, r.out)
	if got, want := r.host.Counters(), (host.Counters{Acks: 2, DropMalformed: 1}); got != want {
		t.Errorf("junk before an ack in one batch: counters %+v, want %+v", got, want)
	}
	r.receive(near, packet(i3.KindInsert, 1, probe))
	r.receive(near, packet(i3.KindRemove, 1, i3.Insert{Trigger: own(1)}))
	if got := r.host.Counters(); got.DropKind != 2 || len(r.sends()) != 0 {
		t.Errorf("requests to a host: counters %+v", got)
	}
}

// FuzzReceive hands the host any bytes: it must not panic, and whatever it says in return goes to the owner of what it
// asks for, and is no larger than what came.
func FuzzReceive(f *testing.F) {
	f.Add(packet(i3.KindAck, 1, i3.Ack{Trigger: own(1), Status: i3.StatusInserted}))
	f.Add(packet(i3.KindAck, 2, i3.Ack{Trigger: link(2), Status: i3.StatusFull},
		i3.Ack{Trigger: own(3), Status: i3.StatusProbed}))
	f.Add(packet(i3.KindChallenge, 1, i3.Challenge{Trigger: own(1), Nonce: i3.Nonce{1}}))
	f.Add(packet(i3.KindChallenge, 3, i3.Challenge{Trigger: own(3), Nonce: i3.Nonce{1}}, i3.Challenge{Trigger: own(1)}))
	f.Add(packet(i3.KindAck, 3, i3.Ack{Trigger: own(3), Status: i3.StatusRemoved}))
	f.Add(i3.Packet{Kind: i3.KindData, HopLimit: 1, ID: id(1)}.AppendTo(nil))
	f.Add(append(i3.Packet{Kind: i3.KindDirect, HopLimit: 1, Length: 2, ID: id(1)}.AppendTo(nil), "hi\x00\x00"...))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		r := newRig(t, config())
		r.host.Maintain(r.now, own(1), r.out)
		r.host.Insert(r.now, link(2), i3.Nonce{4}, r.out)
		r.host.Remove(r.now, own(3), i3.Nonce{}, r.out)
		r.sends()
		r.receive(stranger, datagram)
		size := 0
		for _, s := range r.out.Sends() {
			if size += len(s.Bytes); s.To != near {
				t.Errorf("sent to %v", s.To)
			}
		}
		if size > len(datagram) {
			t.Errorf("%d bytes answered to %d", size, len(datagram))
		}
		for _, q := range r.sends() {
			if tr := q.entries[0].Trigger; tr != own(1) && tr != link(2) && tr != own(3) {
				t.Errorf("asked for %v", tr)
			}
		}
		r.sleep(2 * lifetime) // whatever came, what is due goes on
		if len(r.sends()) == 0 && r.host.Counters().Acks == 0 {
			t.Error("the host fell silent")
		}
	})
}
