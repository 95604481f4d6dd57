package host_test

import (
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// The life of a maintained trigger, step by step.
func TestMaintain(t *testing.T) {
	r := newRig(t, config())
	tr := own(1)
	if r.host.Deadline() != machine.Never || r.host.RTT() != 0 {
		t.Fatalf("a new host waits until %d, round trip %d", r.host.Deadline(), r.host.RTT())
	}
	r.host.Maintain(r.now, tr, r.out)
	q := r.one()
	if q.to != near || q.packet.Kind != i3.KindInsert || q.packet.HopLimit == 0 || q.packet.ID != tr.ID ||
		q.packet.Flow == 0 || len(q.entries) != 1 || q.entries[0] != (i3.Insert{Trigger: tr}) {
		t.Fatalf("first request %+v, want an insertion of %v at %v", q, tr, near)
	}
	if r.host.Maintains(tr) || r.host.Deadline() != r.now.Add(host.DefaultRetry) {
		t.Fatalf("asked: maintains %v, deadline %v s later", r.host.Maintains(tr), r.host.Deadline().Sub(r.now).Seconds())
	}
	r.sleep(100 * machine.Millisecond)
	r.challenge(q, i3.Nonce{9})
	answer := r.one()
	want := i3.Insert{Trigger: tr, Nonce: i3.Nonce{9}}
	if answer.to != near || answer.packet.Kind != i3.KindInsert || answer.entries[0] != want {
		t.Fatalf("challenge answered by %+v", answer)
	}
	if r.host.Maintains(tr) || len(r.handler.acked) != 0 {
		t.Fatal("challenged counts as acknowledged")
	}
	r.sleep(100 * machine.Millisecond)
	r.ack(answer, i3.StatusInserted)
	r.silent("acknowledged")
	if !r.host.Maintains(tr) || len(r.handler.acked) != 1 || r.handler.acked[0].Status != i3.StatusInserted {
		t.Fatalf("acknowledged: maintains %v, handler told %v", r.host.Maintains(tr), r.handler.acked)
	}
	refresh, after := r.next()
	if refresh.entries[0] != want || after < lifetime*4/10 || after >= lifetime/2 {
		t.Fatalf("refresh %+v after %v s, want the same request after 0.4 T to 0.5 T", refresh, after.Seconds())
	}
	if !r.host.Maintains(tr) {
		t.Error("a trigger that is being refreshed is not maintained")
	}
	r.ack(refresh, i3.StatusRefreshed)
	if len(r.handler.acked) != 2 || !r.host.Maintains(tr) {
		t.Errorf("refreshed: maintains %v, handler told %v", r.host.Maintains(tr), r.handler.acked)
	}
	count := host.Counters{Requests: 3, Acks: 2, Challenges: 1}
	if got := r.host.Counters(); got != count {
		t.Errorf("counters %+v, want %+v", got, count)
	}
}

// Refreshes are uniform between 0.4 and 0.5 of the lifetime, divided by Hurry (paper section 4).
func TestRefreshInterval(t *testing.T) {
	for _, c := range []struct {
		lifetime machine.Duration
		hurry    int
		unit     machine.Duration // a tenth of the lifetime, in a hurry
	}{
		{0, 0, 3 * machine.Second},
		{30 * machine.Second, 1, 3 * machine.Second},
		{0, 3, machine.Second},
		{2 * machine.Second, 1, 200 * machine.Millisecond},
		{60 * machine.Second, 2, 3 * machine.Second},
	} {
		cfg := config()
		cfg.Lifetime, cfg.Hurry = c.lifetime, c.hurry
		r := maintained(t, cfg, own(1), machine.Millisecond)
		const n = 2000
		least, most, sum := machine.Duration(1<<62), machine.Duration(0), machine.Duration(0)
		for range n {
			q, after := r.next()
			least, most, sum = min(least, after), max(most, after), sum+after
			r.ack(q, i3.StatusRefreshed)
		}
		if least < 4*c.unit || most >= 5*c.unit {
			t.Errorf("%+v: refreshes after %v to %v s, want %v to %v", c, least.Seconds(), most.Seconds(),
				4*c.unit.Seconds(), 5*c.unit.Seconds())
		}
		mean := (sum / n).Seconds() / c.unit.Seconds()
		if mean < 4.47 || mean > 4.53 || least > 4*c.unit+c.unit/100 || most < 5*c.unit-c.unit/100 {
			t.Errorf("%+v: refreshes after %v to %v s, mean %v units; want uniform", c, least.Seconds(), most.Seconds(), mean)
		}
	}
}

// A host that rests longer refreshes less often, and soon again when all tries of a refresh were lost.
func TestRest(t *testing.T) {
	cfg := config()
	cfg.Rest = 6
	r := maintained(t, cfg, own(1), machine.Millisecond)
	for range 100 {
		q, after := r.next()
		if after < lifetime*6/10 || after >= lifetime*7/10 {
			t.Fatalf("refresh after %v s, want 0.6 T to 0.7 T", after.Seconds())
		}
		r.ack(q, i3.StatusRefreshed)
	}
	for len(r.handler.failed) == 0 {
		if at := r.host.Deadline(); at == machine.Never {
			t.Fatal("no refresh")
		} else {
			r.sleep(at.Sub(r.now))
		}
	}
	r.sends()
	if _, after := r.next(); after < lifetime/10 || after >= lifetime*2/10 {
		t.Errorf("after a failure asked again after %v s, want 0.1 T to 0.2 T", after.Seconds())
	}
}

// Hosts with different seeds do not refresh in step; the same seed gives the same run.
func TestRefreshSeeds(t *testing.T) {
	first := make(map[machine.Duration]uint64)
	for seed := range uint64(50) {
		cfg := config()
		cfg.Seed = seed
		_, a := maintained(t, cfg, own(1), machine.Millisecond).next()
		_, b := maintained(t, cfg, own(1), machine.Millisecond).next()
		if a != b {
			t.Errorf("seed %d: refresh after %d and %d ns", seed, a, b)
		}
		if other, ok := first[a]; ok {
			t.Errorf("seeds %d and %d refresh after the same %d ns", seed, other, a)
		}
		first[a] = seed
	}
}

// Lost requests are sent again, each time later, and given up in the end.
func TestRetriesAndGivesUp(t *testing.T) {
	waits := []machine.Duration{500_000, 750_000, 1_125_000, 1_687_500, 2_531_250, 3_000_000, 3_000_000} // microseconds
	for _, c := range []struct {
		name  string
		start func(r *rig)
		again bool // asked for again later
	}{
		{"maintain", func(r *rig) { r.host.Maintain(r.now, own(1), r.out) }, true},
		{"insert", func(r *rig) { r.host.Insert(r.now, own(1), i3.Nonce{}, r.out) }, false},
		{"remove", func(r *rig) { r.host.Remove(r.now, own(1), i3.Nonce{}, r.out) }, false},
	} {
		r := newRig(t, config())
		c.start(r)
		first := r.one()
		for i, wait := range waits {
			q, after := r.next()
			if want := wait * machine.Microsecond; after != want {
				t.Errorf("%s: try %d after %v s, want %v", c.name, i+2, after.Seconds(), want.Seconds())
			}
			if q.packet != first.packet || q.entries[0] != first.entries[0] || q.to != first.to {
				t.Errorf("%s: try %d is %+v, want the first again", c.name, i+2, q)
			}
		}
		r.sleep(3*machine.Second - 1)
		r.silent("last wait")
		if len(r.handler.failed) != 0 {
			t.Errorf("%s: gave up before the last wait was over", c.name)
		}
		r.sleep(1)
		r.silent("gave up")
		if len(r.handler.failed) != 1 || r.handler.failed[0] != own(1) || r.host.Maintains(own(1)) {
			t.Errorf("%s: handler told %v, maintains %v", c.name, r.handler.failed, r.host.Maintains(own(1)))
		}
		if got, want := r.host.Counters(), (host.Counters{Requests: 8, Retries: 7, Failures: 1}); got != want {
			t.Errorf("%s: counters %+v, want %+v", c.name, got, want)
		}
		if !c.again {
			r.ack(first, i3.StatusInserted) // an answer after all: too late
			if r.sleep(10 * lifetime); r.host.Deadline() != machine.Never || len(r.handler.acked) != 0 {
				t.Errorf("%s: not forgotten", c.name)
			}
			r.silent(c.name)
			continue
		}
		q, after := r.next()
		if q.entries[0] != first.entries[0] || after < lifetime*4/10 || after >= lifetime/2 {
			t.Errorf("%s: asked again %+v after %v s, want at the next refresh", c.name, q, after.Seconds())
		}
		if r.ack(q, i3.StatusInserted); !r.host.Maintains(own(1)) {
			t.Errorf("%s: not maintained once answered", c.name)
		}
	}
}

// A lost challenge or a lost acknowledgement is made up for by the next try.
func TestLostAnswers(t *testing.T) {
	r := newRig(t, config())
	r.host.Maintain(r.now, own(1), r.out)
	r.one() // its challenge is lost
	q, _ := r.next()
	r.challenge(q, i3.Nonce{1})
	if q = r.one(); q.entries[0].Nonce != (i3.Nonce{1}) {
		t.Fatalf("answer %+v", q)
	}
	q, _ = r.next() // its acknowledgement is lost
	if q.entries[0].Nonce != (i3.Nonce{1}) {
		t.Fatalf("the next try lost the nonce: %+v", q)
	}
	r.ack(q, i3.StatusRefreshed)
	if !r.host.Maintains(own(1)) || len(r.handler.failed) != 0 {
		t.Errorf("maintains %v, failed %v", r.host.Maintains(own(1)), r.handler.failed)
	}
	if got := r.host.Counters(); got.Retries != 2 || got.Requests != 4 {
		t.Errorf("counters %+v, want 4 requests, 2 of them again", got)
	}
}

// A nonce that has gone out of date costs one more round trip, and the trigger is maintained all the while.
func TestNewEpoch(t *testing.T) {
	r := maintained(t, config(), own(1), machine.Millisecond)
	q, _ := r.next()
	r.challenge(q, i3.Nonce{2})
	if q = r.one(); q.entries[0].Nonce != (i3.Nonce{2}) || !r.host.Maintains(own(1)) {
		t.Fatalf("answer %+v, maintains %v", q, r.host.Maintains(own(1)))
	}
	r.ack(q, i3.StatusRefreshed)
	if q, _ = r.next(); q.entries[0].Nonce != (i3.Nonce{2}) {
		t.Errorf("the refresh after has the nonce %x", q.entries[0].Nonce)
	}
}

// Maintains says what the node said last: not that it was asked.
func TestMaintainsWhatIsAlive(t *testing.T) {
	for _, s := range []i3.Status{i3.StatusFull, i3.StatusRefused, i3.StatusNotOwner, i3.StatusNoRoom} {
		r := newRig(t, config())
		r.host.Maintain(r.now, own(1), r.out)
		r.ack(r.one(), s)
		if r.host.Maintains(own(1)) || len(r.handler.acked) != 1 {
			t.Errorf("%v: maintains %v, handler told %v", s, r.host.Maintains(own(1)), r.handler.acked)
		}
		q, after := r.next() // perhaps there is room by then
		if after >= lifetime/2 {
			t.Errorf("%v: asked again after %v s", s, after.Seconds())
		}
		if r.ack(q, i3.StatusInserted); !r.host.Maintains(own(1)) {
			t.Errorf("%v, then inserted: not maintained", s)
		}
		q, _ = r.next()
		if r.ack(q, s); r.host.Maintains(own(1)) {
			t.Errorf("refreshed, then %v: still maintained", s)
		}
	}
	r := maintained(t, config(), own(1), machine.Millisecond)
	for len(r.handler.failed) == 0 {
		if !r.host.Maintains(own(1)) {
			t.Fatal("not maintained before the host gives up")
		}
		r.sleep(100 * machine.Millisecond)
	}
	if r.host.Maintains(own(1)) {
		t.Error("maintained although nobody answers")
	}
	if newRig(t, config()).host.Maintains(own(1)) {
		t.Error("maintains what it was never asked to")
	}
}

// To maintain a trigger again is to refresh it now.
func TestMaintainAgain(t *testing.T) {
	r := maintained(t, config(), own(1), machine.Millisecond)
	r.sleep(machine.Second)
	r.host.Maintain(r.now, own(1), r.out)
	q := r.one()
	if q.entries[0].Nonce != (i3.Nonce{1}) || !r.host.Maintains(own(1)) {
		t.Fatalf("refresh %+v, maintains %v", q, r.host.Maintains(own(1)))
	}
	r.ack(q, i3.StatusRefreshed)
	if _, after := r.next(); after < lifetime*4/10 {
		t.Errorf("next refresh after %v s: the interval does not start anew", after.Seconds())
	}
}

// Forget tells nobody and leaves nothing behind.
func TestForget(t *testing.T) {
	asked := newRig(t, config())
	asked.host.Maintain(asked.now, own(1), asked.out)
	q := asked.one()
	resting := maintained(t, config(), own(1), machine.Millisecond)
	for name, r := range map[string]*rig{"asked": asked, "maintained": resting} {
		r.host.Forget(own(2)) // nothing of the kind
		r.host.Forget(own(1))
		r.silent(name)
		if r.host.Maintains(own(1)) {
			t.Errorf("%s: still maintained", name)
		}
		r.challenge(q, i3.Nonce{7})
		r.ack(q, i3.StatusInserted)
		r.sleep(5 * lifetime)
		r.silent(name)
		if r.host.Deadline() != machine.Never || r.host.Maintains(own(1)) || len(r.handler.failed) != 0 {
			t.Errorf("%s: deadline %d, failed %v", name, r.host.Deadline(), r.handler.failed)
		}
	}
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*host.Config){
		"no address":        func(c *host.Config) { c.Self = netip.AddrPort{} },
		"no ring":           func(c *host.Config) { c.Ring = nil },
		"negative lifetime": func(c *host.Config) { c.Lifetime = -1 },
		"negative hurry":    func(c *host.Config) { c.Hurry = -1 },
		"short rest":        func(c *host.Config) { c.Rest = 3 },
		"long rest":         func(c *host.Config) { c.Rest = 9 },
		"negative retry":    func(c *host.Config) { c.Retry = -1 },
	} {
		cfg := config()
		change(&cfg)
		if h, err := host.New(cfg, new(recorder)); err == nil || h != nil {
			t.Errorf("%s: host %v, error %v; want an error and no host", name, h, err)
		} else {
			t.Log(err)
		}
	}
}
