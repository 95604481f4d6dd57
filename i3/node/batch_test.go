package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// TestBatchEqualsOneByOne compares what two nodes with the same triggers make of the same data packets: one gets them
// all at once, in datagrams of one or several packets, the other one at a time.
func TestBatchEqualsOneByOne(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		batched, single := newTwin(t, rng.IntN, node.Unlimited()), newTwin(t, rng.IntN, node.Unlimited())
		batched.out = machine.NewOutbox(0, 0, 0)
		for range 60 {
			tr := batched.all[rng.IntN(len(batched.all))]
			for _, w := range []*twin{batched, single} {
				w.receive(bob, request(i3.KindInsert, 1, w.proven(tr)))
			}
		}
		var packets, datagrams [][]byte
		for i := range 1 + rng.IntN(200) {
			id := batched.ids[rng.IntN(len(batched.ids))]
			p := dataWithin(id, uint8(rng.IntN(4)), fmt.Sprint("packet ", i))
			packets = append(packets, p)
			if len(datagrams) > 0 && rng.IntN(3) == 0 {
				datagrams[len(datagrams)-1] = append(datagrams[len(datagrams)-1], p...)
			} else {
				datagrams = append(datagrams, slices.Clone(p))
			}
		}
		var want []copied
		countSingle := single.delta(func() {
			for _, p := range packets {
				single.receive(bob, p)
				want = append(want, single.copies()...)
			}
		})
		countBatch := batched.delta(func() { batched.receive(bob, datagrams...) })
		if got := sorted(batched.copies()); !slices.Equal(got, sorted(want)) {
			t.Fatalf("seed %d: in a batch\n%v\none by one\n%v", seed, got, want)
		}
		if countBatch != countSingle || len(want) == 0 {
			t.Fatalf("seed %d: %d copies; in a batch counted %+v, one by one %+v", seed, len(want), countBatch, countSingle)
		}
	}
}

// Requests of one batch are handled in order, in whatever datagrams they come.
func TestBatchOfRequests(t *testing.T) {
	r := newRig(t, config())
	tr := toHost(local(1), alice)
	insert, remove := request(i3.KindInsert, 1, r.proven(tr)), request(i3.KindRemove, 2, r.proven(tr))
	want := []i3.Status{i3.StatusMissing, i3.StatusInserted, i3.StatusRefreshed, i3.StatusRemoved, i3.StatusMissing}
	sequence := [][]byte{remove, insert, insert, remove, remove}
	for _, datagrams := range [][][]byte{sequence, {slices.Concat(sequence...)}} {
		r.receive(alice, datagrams...)
		var got []i3.Status
		for _, reply := range r.replies() {
			got = append(got, reply.acks[0].Status)
		}
		if !slices.Equal(got, want) {
			t.Errorf("in %d datagrams: %v, want %v", len(datagrams), got, want)
		}
	}
}

// traffic is a node with every kind of trigger, and a batch that meets them all.
func traffic(f failer, limits node.Limits) (*rig, []machine.Datagram) {
	cfg := config()
	cfg.Limits = limits
	r := newRig(f, cfg)
	r.out = machine.NewOutbox(0, 0, 0)
	near, second := chain(local(1), 6, 0)
	far, _ := chain(local(1), remote(1).Prefix(), 0)
	r.insert(near, far, toHost(second, alice))
	for i := range 7 {
		r.insert(toHost(local(1), host(i)))
	}
	var batch []machine.Datagram
	for i := range 64 {
		id := []i3.ID{local(1), local(2), remote(1), second}[i%4]
		batch = append(batch, machine.Datagram{From: bob, Bytes: data(id, "some payload")})
	}
	return r, batch
}

// rewind makes a batch fit to be received again: a node writes the hop limit, and nothing else.
func rewind(batch []machine.Datagram) {
	for _, d := range batch {
		i3.SetHopLimit(d.Bytes, i3.DefaultHopLimit)
	}
}

// In steady state no data packet costs an allocation or the copy of a byte, with or without limits.
func TestDataDoesNotAllocate(t *testing.T) {
	dataDoesNotAllocate(t, node.Unlimited())
	dataDoesNotAllocate(t, node.Limits{Packets: node.Rate{PerSecond: 1e6}})
}

func dataDoesNotAllocate(t *testing.T, limits node.Limits) {
	t.Helper()
	r, batch := traffic(t, limits)
	copies := 0
	run := func() {
		rewind(batch)
		r.out.Reset()
		r.node.Receive(r.now, batch, r.out)
		copies += len(r.out.Forwards())
	}
	run()
	if n := testing.AllocsPerRun(200, run); n != 0 {
		t.Errorf("%v allocations per batch of %d packets", n, len(batch))
	}
	if copies == 0 || len(r.out.Sends()) != 0 || r.node.Counters().DropHopLimit != 0 {
		t.Errorf("%d copies, %d datagrams made, counters %+v", copies, len(r.out.Sends()), r.node.Counters())
	}
	inside := 0
	for _, f := range r.out.Forwards() {
		for _, d := range batch {
			if &f.Body[len(f.Body)-1] == &d.Bytes[len(d.Bytes)-1] {
				inside++
			}
		}
	}
	if inside != len(r.out.Forwards()) {
		t.Errorf("%d of %d copies have their payload in the datagram that arrived", inside, len(r.out.Forwards()))
	}
}

// Neither garbage nor a refresh, a probe or a challenge allocates.
func TestControlDoesNotAllocate(t *testing.T) {
	controlDoesNotAllocate(t, node.Unlimited())
	controlDoesNotAllocate(t, node.Limits{MaxPerSource: 2})
}

func controlDoesNotAllocate(t *testing.T, limits node.Limits) {
	t.Helper()
	cfg := config()
	cfg.Limits = limits
	r := newRig(t, cfg)
	link, _ := chain(local(1), 6, 0)
	r.insert(toHost(local(1), alice), link)
	cases := malformed()
	cases["refresh of a host"] = request(i3.KindInsert, 1, r.proven(toHost(local(1), alice)))
	cases["refresh of a chain"] = request(i3.KindInsert, 1, i3.Insert{Trigger: link})
	cases["probe"] = request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), bob), Probe: true})
	cases["challenge"] = request(i3.KindInsert, 1, i3.Insert{Trigger: toHost(local(1), bob)})
	cases["not owner"] = request(i3.KindInsert, 1, r.proven(toHost(remote(1), bob)))
	cases["missing"] = request(i3.KindRemove, 1, r.proven(toHost(local(7), bob)))
	for name, bytes := range cases {
		batch := []machine.Datagram{{From: bob, Bytes: bytes}}
		n := testing.AllocsPerRun(50, func() {
			r.out.Reset()
			r.node.Receive(r.now, batch, r.out)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
