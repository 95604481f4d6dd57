package node_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// Whoever asks, the challenge goes to the address that would receive the packets.
func TestChallengeThenInsert(t *testing.T) {
	r := newRig(t, config())
	trigger := toHost(local(1), alice)
	ask := request(i3.KindInsert, 77, i3.Insert{Trigger: trigger})

	count := r.delta(func() { r.receive(mallory, ask) })
	got := r.one()
	if got.to != alice || got.packet.Kind != i3.KindChallenge || got.packet.Flow != 77 || got.size > len(ask) {
		t.Fatalf("reply of %d bytes %+v to %v, want a challenge of flow 77 to %v within %d bytes",
			got.size, got.packet, got.to, alice, len(ask))
	}
	if len(got.challenges) != 1 || got.challenges[0].Trigger != trigger {
		t.Fatalf("challenges %v, want one for %v", got.challenges, trigger)
	}
	if want := (node.Counters{Packets: 1, Challenged: 1}); count != want || r.node.Triggers() != 0 {
		t.Fatalf("counters %+v, %d triggers; want %+v, 0", count, r.node.Triggers(), want)
	}

	answer := request(i3.KindInsert, 78, i3.Insert{Trigger: trigger, Nonce: got.challenges[0].Nonce})
	count = r.delta(func() { r.receive(alice, answer) })
	got = r.one()
	owned := config().Range
	want := i3.Ack{
		Trigger: trigger, Status: i3.StatusInserted, Count: 1, Limit: 9, LifetimeMS: 30_000, Epoch: 7,
		Lo: owned.Lo, Hi: owned.Hi,
	}
	if got.to != alice || got.packet.Flow != 78 || len(got.acks) != 1 || got.acks[0] != want {
		t.Fatalf("answer %+v to %v, want %+v to %v", got.acks, got.to, want, alice)
	}
	if want := (node.Counters{Packets: 1, Inserted: 1}); count != want || r.node.Triggers() != 1 {
		t.Fatalf("counters %+v, %d triggers; want %+v, 1", count, r.node.Triggers(), want)
	}
}

// TestWrongNonces: captures, guesses and answers to other challenges insert and remove nothing.
func TestWrongNonces(t *testing.T) {
	trigger := toHost(local(1), alice)
	now := start.Add(200 * machine.Second)
	right := nonceAt(now, trigger)
	stranger := i3.NewCookies([32]byte{9}).Nonce(3, trigger)
	wrong := map[string]i3.Nonce{
		"none":             {},
		"another id":       nonceAt(now, i3.Trigger{ID: local(2), Target: trigger.Target}),
		"another key":      nonceAt(now, i3.Trigger{ID: local(1), Target: i3.ToHost(alice, i3.Key{1})}),
		"another address":  nonceAt(now, toHost(local(1), bob)),
		"another port":     nonceAt(now, toHost(local(1), netip.AddrPortFrom(alice.Addr(), 4001))),
		"another node":     stranger,
		"two epochs ago":   nonceAt(now.Add(-120*machine.Second), trigger),
		"of the future":    nonceAt(now.Add(60*machine.Second), trigger),
		"removal's secret": i3.Nonce(i3.OwnerOf(right)),
	}
	for bit := range 128 {
		n := right
		n[bit/8] ^= 1 << (bit % 8)
		wrong[fmt.Sprintf("the right one less bit %d", bit)] = n
	}
	for _, kind := range []i3.Kind{i3.KindInsert, i3.KindRemove} {
		for name, nonce := range wrong {
			r := newRig(t, config())
			r.now = now
			present := 0
			if kind == i3.KindRemove {
				r.insert(trigger)
				present = 1
			}
			r.receive(mallory, request(kind, 1, i3.Insert{Trigger: trigger, Nonce: nonce}))
			got := r.one()
			if got.to != alice || got.packet.Kind != i3.KindChallenge || r.node.Triggers() != present {
				t.Errorf("%v with the nonce of %s: %v to %v, %d triggers; want a challenge to %v, %d",
					kind, name, got.packet.Kind, got.to, r.node.Triggers(), alice, present)
			}
			if got.challenges[0].Nonce != right {
				t.Errorf("%v with the nonce of %s: the challenge holds a nonce that will not do", kind, name)
			}
		}
	}
}

// A request is answered as a whole: as long as one nonce is wrong, nothing of it happens and only the wrong ones are
// challenged.
func TestNothingHappensWhileANonceIsWrong(t *testing.T) {
	r := newRig(t, config())
	one, two := toHost(local(1), alice), toHost(local(2), alice)
	link, _ := chain(local(3), 6, 0)
	r.insert(toHost(local(4), alice))
	wrong := i3.Insert{Trigger: one, Nonce: i3.Nonce{1}}
	for name, rest := range map[string][]i3.Insert{
		"alone":                  nil,
		"with a right one":       {r.proven(two)},
		"with an identifier":     {{Trigger: link}},
		"with a probe":           {{Trigger: two, Probe: true}},
		"with a refresh":         {r.proven(toHost(local(4), alice))},
		"with an invalid target": {r.proven(i3.Trigger{ID: local(5), Target: i3.ToHost(alice, i3.Key{})})},
		"with another's":         {{Trigger: toHost(remote(1), alice), Nonce: nonceAt(r.now, toHost(remote(1), alice))}},
	} {
		for _, ins := range [][]i3.Insert{append([]i3.Insert{wrong}, rest...), append(rest, wrong)} {
			count := r.delta(func() { r.receive(bob, request(i3.KindInsert, 1, ins...)) })
			got := r.one()
			if got.to != alice || len(got.challenges) != 1 || got.challenges[0].Trigger != one {
				t.Errorf("%s: reply %+v to %v, want one challenge for %v", name, got, got.to, one)
			}
			if want := (node.Counters{Packets: 1, Challenged: 1}); count != want || r.node.Triggers() != 1 {
				t.Errorf("%s: counters %+v, %d triggers; want %+v, 1", name, count, r.node.Triggers(), want)
			}
		}
	}
}

// All wrong nonces of one request are challenged in one packet, and all right ones acknowledged in one.
func TestOneReplyPerRequest(t *testing.T) {
	r := newRig(t, config())
	var ins []i3.Insert
	for i := range uint64(i3.MaxEntries) {
		ins = append(ins, i3.Insert{Trigger: toHost(local(i), alice)})
	}
	r.receive(bob, request(i3.KindInsert, 5, ins...))
	got := r.one()
	if got.to != alice || len(got.challenges) != i3.MaxEntries {
		t.Fatalf("%d challenges to %v, want %d to %v", len(got.challenges), got.to, i3.MaxEntries, alice)
	}
	for i, c := range got.challenges {
		ins[i].Nonce = c.Nonce
	}
	r.receive(bob, request(i3.KindInsert, 5, ins...))
	got = r.one()
	if got.to != bob || len(got.acks) != i3.MaxEntries || r.node.Triggers() != i3.MaxEntries {
		t.Fatalf("%d acks to %v, %d triggers", len(got.acks), got.to, r.node.Triggers())
	}
	for i, a := range got.acks {
		if a.Trigger != ins[i].Trigger || a.Status != i3.StatusInserted {
			t.Errorf("ack %d is %v for %v, want inserted for %v", i, a.Status, a.Trigger, ins[i].Trigger)
		}
	}
}

// A nonce is good until the end of the epoch after its own, which is 60 s to 120 s.
func TestCookieEpochs(t *testing.T) {
	trigger := toHost(local(1), alice)
	const epoch = 60 * machine.Second
	begin := machine.Time(0).Add(5 * epoch)
	for _, c := range []struct {
		issued, used machine.Duration
		ok           bool
	}{
		{0, 0, true},
		{0, epoch, true},
		{0, 2*epoch - 1, true},
		{0, 2 * epoch, false},
		{epoch - 1, epoch, true},
		{epoch - 1, 2*epoch - 1, true},
		{epoch - 1, 2 * epoch, false},
		{0, 10 * epoch, false},
	} {
		r := newRig(t, config())
		r.now = begin.Add(c.issued)
		r.receive(bob, request(i3.KindInsert, 1, i3.Insert{Trigger: trigger}))
		nonce := r.one().challenges[0].Nonce
		r.now = begin.Add(c.used)
		r.receive(bob, request(i3.KindInsert, 1, i3.Insert{Trigger: trigger, Nonce: nonce}))
		if got := r.one(); (got.packet.Kind == i3.KindAck) != c.ok {
			t.Errorf("nonce of %v s at %v s: answered by %v, want accepted %v",
				c.issued.Seconds(), c.used.Seconds(), got.packet.Kind, c.ok)
		}
	}
}

// A trigger that is refreshed through many epochs is challenged again now and then, and lives all the while.
func TestRefreshAcrossEpochs(t *testing.T) {
	r := newRig(t, config())
	in := i3.Insert{Trigger: toHost(local(1), alice)}
	challenged := 0
	for round := range 40 {
		r.receive(alice, request(i3.KindInsert, 1, in))
		got := r.one()
		if got.packet.Kind == i3.KindChallenge {
			challenged++
			in.Nonce = got.challenges[0].Nonce
			r.receive(alice, request(i3.KindInsert, 1, in))
			got = r.one()
		}
		want := i3.StatusRefreshed
		if round == 0 {
			want = i3.StatusInserted
		}
		if got.acks[0].Status != want {
			t.Fatalf("round %d: %v, want %v", round, got.acks[0].Status, want)
		}
		r.sleep(14 * machine.Second)
	}
	if challenged < 4 || challenged > 10 { // 560 s, a nonce lasts 60 to 120 s
		t.Errorf("%d challenges in 560 s, want about one per two epochs", challenged)
	}
}

// A node that lost its memory says so by its epoch, and accepts its old nonces: they prove the address, nothing else.
func TestRestart(t *testing.T) {
	r := newRig(t, config())
	in := r.proven(toHost(local(1), alice))
	first := r.ask(alice, i3.KindInsert, in)[0]
	cfg := config()
	cfg.Epoch++
	again := newRig(t, cfg)
	second := again.ask(alice, i3.KindInsert, in)[0]
	if first.Epoch == second.Epoch || second.Status != i3.StatusInserted || again.node.Counters().Challenged != 0 {
		t.Errorf("after a restart %+v, before %+v", second, first)
	}
}

// The answer's entries are in the order of the request's, each with its own outcome.
func TestMixedOutcomes(t *testing.T) {
	r := newRig(t, config())
	known, fresh := toHost(local(1), alice), toHost(local(2), alice)
	r.insert(known)
	link, _ := chain(local(3), 6, 0)
	acks := r.ask(alice, i3.KindInsert,
		r.proven(known), r.proven(fresh), i3.Insert{Trigger: link}, i3.Insert{Trigger: known, Probe: true},
		r.proven(toHost(remote(1), alice)), r.proven(i3.Trigger{ID: local(9), Target: i3.ToHost(alice, i3.Key{})}))
	var got []i3.Status
	for _, a := range acks {
		got = append(got, a.Status)
	}
	want := []i3.Status{i3.StatusRefreshed, i3.StatusInserted, i3.StatusInserted, i3.StatusProbed,
		i3.StatusNotOwner, i3.StatusRefused}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}
