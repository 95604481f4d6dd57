package node_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"pgregory.net/rapid"
)

// An attacker sends what it likes from any address, and reads only what comes to its own.
type attacker struct {
	*rig
	t      *rapid.T
	nonces []i3.Nonce // of challenges to its own address
	in     int
	out    map[netip.AddrPort]int
}

// TestAttackA1Reflect is the promise against reflection: however requests, batches, probes, removals and data are
// mixed, addresses that have not answered a challenge are sent no more bytes than the attacker spends, and no data.
func TestAttackA1Reflect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &attacker{rig: newRig(t, config()), t: t, out: make(map[netip.AddrPort]int)}
		a.nonces = append(a.nonces, i3.Nonce{})
		victim := toHost(local(1), alice)
		a.insert(victim) // alice did ask for this one; data to it is welcome
		for range rapid.IntRange(1, 30).Draw(t, "rounds") {
			if rapid.Bool().Draw(t, "data") {
				a.sendData()
			} else {
				a.sendRequests()
			}
			for to, n := range a.out {
				if n > a.in {
					t.Fatalf("%d bytes to %v for %d from the attacker", n, to, a.in)
				}
			}
			a.now = a.now.Add(machine.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * machine.Second)
		}
		if err := a.node.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// sendRequests sends a bundle of random requests, as many as fit a datagram.
func (a *attacker) sendRequests() {
	var datagram []byte
	for range rapid.IntRange(1, 4).Draw(a.t, "requests") {
		kind := rapid.SampledFrom([]i3.Kind{i3.KindInsert, i3.KindRemove}).Draw(a.t, "kind")
		one := request(kind, 1, a.entries()...)
		if len(datagram)+len(one) <= i3.MaxDatagram {
			datagram = append(datagram, one...)
		}
	}
	if rapid.Bool().Draw(a.t, "junk") {
		datagram = append(datagram, "junk"...)
	}
	from := rapid.SampledFrom([]netip.AddrPort{mallory, alice, bob, host(1)}).Draw(a.t, "from")
	a.in += len(datagram)
	before := a.triggersOf(alice) + a.triggersOf(bob)
	a.receive(from, datagram)
	sum := 0
	for _, s := range a.rig.out.Sends() {
		sum += len(s.Bytes)
		a.out[s.To] += len(s.Bytes)
	}
	if sum > len(datagram) || len(a.rig.out.Forwards()) > 0 {
		a.t.Fatalf("%d bytes answered to %d, %d copies", sum, len(datagram), len(a.rig.out.Forwards()))
	}
	for _, got := range a.replies() {
		for _, c := range got.challenges {
			if addr, _ := c.Trigger.Target.Host(); addr != got.to {
				a.t.Fatalf("challenge for %v went to %v", addr, got.to)
			}
			if got.to == mallory {
				a.nonces = append(a.nonces, c.Nonce)
			}
		}
	}
	if now := a.triggersOf(alice) + a.triggersOf(bob); now != before {
		a.t.Fatalf("the attacker changed the triggers of others from %d to %d", before, now)
	}
}

// triggersOf returns how many copies to addr the identifiers of this test cause: its live triggers.
func (a *attacker) triggersOf(addr netip.AddrPort) (n int) {
	for i := range uint64(4) {
		a.receive(bob, data(local(i), "x"))
		for _, c := range a.copies() {
			if c.to == addr {
				n++
			}
		}
	}
	return n
}

// entries draws entries with stolen, guessed, empty and own nonces.
func (a *attacker) entries() (ins []i3.Insert) {
	target := rapid.SampledFrom([]netip.AddrPort{alice, bob, mallory}).Draw(a.t, "target")
	for range rapid.IntRange(1, i3.MaxEntries).Draw(a.t, "entries") {
		id := local(rapid.Uint64Range(0, 3).Draw(a.t, "id"))
		in := i3.Insert{Trigger: toHost(id, target), Nonce: rapid.SampledFrom(a.nonces).Draw(a.t, "nonce")}
		switch rapid.IntRange(0, 9).Draw(a.t, "form") {
		case 0:
			in.Probe = true
		case 1:
			in.Trigger, _ = chain(id, rapid.SampledFrom([]uint64{2, 4, 6, 1<<63 + 2}).Draw(a.t, "prefix"), 0)
		case 2:
			in.Trigger = toHost(remote(1), target)
		case 3:
			in.Trigger.Target = i3.ToHost(target, i3.Key{})
		case 4:
			if target != mallory { // some host in the middle, whose target is not the victim
				in.Trigger.Target = i3.ToHost(target, in.Trigger.Target.Key())
				in.Owner = i3.Key{1}
			}
		}
		ins = append(ins, in)
	}
	return ins
}

// sendData sends a packet to one of the identifiers; only alice's own trigger and the attacker's may bring it on.
func (a *attacker) sendData() {
	id := local(rapid.Uint64Range(0, 3).Draw(a.t, "id"))
	packet := data(id, "flood")
	a.in += len(packet)
	a.receive(mallory, packet)
	for _, c := range a.copies() {
		if c.to != mallory && c.to != away && !(c.to == alice && id == local(1)) {
			a.t.Fatalf("data for %v went to %v", id, c.to)
		}
	}
	if len(a.rig.out.Sends()) > 0 {
		a.t.Fatalf("data was answered")
	}
}

// TestAttackA6Replay: what Alice proved to one node says nothing to another, and a captured exchange cannot be used for
// another identifier, address or port.
func TestAttackA6Replay(t *testing.T) {
	first, second := newRig(t, config()), newRig(t, config())
	cfg := config()
	cfg.Secret = [32]byte{9}
	other := newRig(t, cfg)
	captured := request(i3.KindInsert, 1, first.proven(toHost(local(1), alice)))
	for _, c := range []struct {
		name   string
		r      *rig
		after  machine.Duration
		change func([]byte)
		want   int
	}{
		{"as it was", first, 0, func([]byte) {}, 1},
		{"to another node", other, 0, func([]byte) {}, 0},
		{"two minutes later", second, 120 * machine.Second, func([]byte) {}, 0},
		{"for another id", newRig(t, config()), 0, func(b []byte) { b[entry+31]++ }, 0},
		{"for another address", newRig(t, config()), 0, func(b []byte) { b[entry+47]++ }, 0},
		{"for another port", newRig(t, config()), 0, func(b []byte) { b[entry+67]++ }, 0},
		{"for another key", newRig(t, config()), 0, func(b []byte) { b[entry+48]++ }, 0},
	} {
		b := slices.Clone(captured)
		c.change(b)
		c.r.now = c.r.now.Add(c.after)
		c.r.receive(mallory, b)
		if c.r.node.Triggers() != c.want {
			t.Errorf("replayed %s: %d triggers, want %d", c.name, c.r.node.Triggers(), c.want)
		}
	}
}

// TestAttackA6ReplayOften replays many captured exchanges where they were not meant for: on another node, when their
// time is over, and for something else.
func TestAttackA6ReplayOften(t *testing.T) {
	r, rng := newRig(t, config()), rand.New(rand.NewPCG(6, 7))
	captured := make([][]byte, 256)
	for i := range captured {
		kind := []i3.Kind{i3.KindInsert, i3.KindRemove}[i%2]
		captured[i] = request(kind, 1, r.proven(toHost(local(uint64(i)), host(i))))
	}
	cfg := config()
	cfg.Secret[0]++
	other, late := newRig(t, cfg), newRig(t, config())
	n, accepted := volume(20_000, 1_000_000), 0
	for range n {
		b := slices.Clone(captured[rng.IntN(len(captured))])
		at := r
		switch rng.IntN(4) {
		case 0:
			at = other
		case 1:
			at = late
			late.now = start.Add(120*machine.Second + machine.Duration(rng.Int64N(int64(3600*machine.Second))))
		case 2: // for another identifier of the node, or another key
			b[entry+[]int{7, 31, 48 + rng.IntN(16)}[rng.IntN(3)]] ^= 2 << rng.IntN(7)
		case 3: // for another address or port
			b[entry+[]int{45, 46, 47, 66, 67}[rng.IntN(5)]] ^= 1 << rng.IntN(8)
		}
		at.receive(mallory, b)
		accepted += at.accepted()
	}
	if triggers := r.node.Triggers() + other.node.Triggers() + late.node.Triggers(); accepted+triggers > 0 {
		t.Errorf("%d of %d replays accepted, %d triggers", accepted, n, triggers)
	}
	t.Logf("%d of %d replays accepted", accepted, n)
}

// TestAttackA3Folding: all right-constrained children of an identifier have one key, so those that share a prefix too
// are one place for packets. A second link to that place would bring it a second copy, and the same on every level
// below.
func TestAttackA3Folding(t *testing.T) {
	r := newRig(t, config())
	first, place := chain(local(1), 6, 0)
	r.insert(first)
	for suffix := uint64(1); suffix < 9; suffix++ {
		fold, _ := chain(local(1), 6, suffix)
		if got := r.status(i3.Insert{Trigger: fold}); got != i3.StatusRefused {
			t.Errorf("a link to the same place with suffix %d is %v: want refused", suffix, got)
		}
	}
	r.insert(toHost(place, alice), first) // a refresh is no fold
	r.receive(bob, data(local(1), "once"))
	if got := len(r.copies()); got != 1 {
		t.Errorf("%d copies of a packet arrive at the place: want 1", got)
	}
	elsewhere, _ := chain(local(1), 8, 0)
	r.insert(elsewhere)
	r.sleep(31 * machine.Second)
	other, _ := chain(local(1), 6, 7)
	r.insert(other) // the first has expired
}
