package node_test

import (
	"testing"

	"i3bench/i3"
	"i3bench/i3/node"
)

func TestRemoveByNonce(t *testing.T) {
	r := newRig(t, config())
	tr, stays := toHost(local(1), alice), toHost(local(1), bob)
	r.insert(tr, stays)
	r.receive(mallory, request(i3.KindRemove, 3, i3.Insert{Trigger: tr}))
	got := r.one()
	if got.to != alice || got.packet.Kind != i3.KindChallenge || r.node.Triggers() != 2 {
		t.Fatalf("removal without a nonce: %v to %v, %d triggers", got.packet.Kind, got.to, r.node.Triggers())
	}
	in := i3.Insert{Trigger: tr, Nonce: got.challenges[0].Nonce}
	for _, want := range []i3.Status{i3.StatusRemoved, i3.StatusMissing} {
		a := r.ask(alice, i3.KindRemove, in)[0]
		if a.Status != want || a.Count != 1 || a.Trigger != tr {
			t.Fatalf("removal: %v, count %d; want %v, 1", a.Status, a.Count, want)
		}
	}
	if r.matches(tr.ID) != 1 || r.copies()[0].to != bob || r.node.Counters().Removed != 1 {
		t.Errorf("copies %v after a removal, want one to %v", r.copies(), bob)
	}
	if err := r.node.Check(); err != nil {
		t.Error(err)
	}
}

// A removal is a removal, whatever its flags: without a nonce nobody removes what another host inserted.
func TestProbeFlagDoesNotRemove(t *testing.T) {
	r := newRig(t, config())
	tr := toHost(local(1), alice)
	r.insert(tr)
	count := r.delta(func() {
		r.receive(mallory, request(i3.KindRemove, 3, i3.Insert{Trigger: tr, Probe: true}))
	})
	if r.node.Triggers() != 1 || r.matches(tr.ID) != 1 {
		t.Fatalf("a stranger removed a trigger: counters %+v", count)
	}
	if want := (node.Counters{Packets: 1, DropMalformed: 1}); count != want {
		t.Errorf("counters %+v, want %+v", count, want)
	}
}

// Identifier targets have no address to challenge; who inserted the trigger first holds the secret.
func TestRemoveBySecret(t *testing.T) {
	mine, others := i3.Nonce{1}, i3.Nonce{2}
	link, _ := chain(local(1), 6, 0)
	for _, c := range []struct {
		name           string
		owners         []i3.Key // of the insertions, in order
		show           i3.Nonce
		want           i3.Status
		removed, tried int
	}{
		{"right secret", []i3.Key{i3.OwnerOf(mine)}, mine, i3.StatusRemoved, 1, 1},
		{"wrong secret", []i3.Key{i3.OwnerOf(mine)}, others, i3.StatusRefused, 0, 1},
		{"no secret", []i3.Key{i3.OwnerOf(mine)}, i3.Nonce{}, i3.StatusRefused, 0, 1},
		{"the hash itself", []i3.Key{i3.OwnerOf(mine)}, i3.Nonce(i3.OwnerOf(mine)), i3.StatusRefused, 0, 1},
		{"none was set", []i3.Key{{}}, mine, i3.StatusRefused, 0, 1},
		{"none was set, none shown", []i3.Key{{}}, i3.Nonce{}, i3.StatusRefused, 0, 1},
		{"refreshed by another", []i3.Key{i3.OwnerOf(mine), i3.OwnerOf(others)}, mine, i3.StatusRemoved, 1, 1},
		{"refresher's secret", []i3.Key{i3.OwnerOf(mine), i3.OwnerOf(others)}, others, i3.StatusRefused, 0, 1},
		{"refreshed without", []i3.Key{i3.OwnerOf(mine), {}}, mine, i3.StatusRemoved, 1, 1},
		{"set by a refresh only", []i3.Key{{}, i3.OwnerOf(mine)}, mine, i3.StatusRefused, 0, 1},
		{"never inserted", nil, mine, i3.StatusMissing, 0, 0},
	} {
		r := newRig(t, config())
		for _, owner := range c.owners {
			r.ask(bob, i3.KindInsert, i3.Insert{Trigger: link, Owner: owner})
		}
		a := r.ask(mallory, i3.KindRemove, i3.Insert{Trigger: link, Nonce: c.show})[0]
		if a.Status != c.want || int(r.node.Counters().Removed) != c.removed || r.node.Triggers() != c.tried-c.removed {
			t.Errorf("%s: %v, %d triggers left; want %v, %d", c.name, a.Status, r.node.Triggers(), c.want, c.tried-c.removed)
		}
		if err := r.node.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Left constraints let many identifiers point at one. Each such trigger has an owner of its own: to have inserted one
// of them gives no right to remove the others, and takes none from their owners.
func TestOwnersOfOneTarget(t *testing.T) {
	to := local(1)
	name := func(n uint64) i3.Trigger {
		return i3.Trigger{ID: i3.NewID(2*n, i3.LeftKey(to), 0).Public(), Target: i3.ToID(to)}
	}
	mine, others := i3.Nonce{1}, i3.Nonce{2}
	r := newRig(t, config())
	r.ask(mallory, i3.KindInsert, i3.Insert{Trigger: name(2), Owner: i3.OwnerOf(others)})
	r.ask(bob, i3.KindInsert, i3.Insert{Trigger: name(3), Owner: i3.OwnerOf(mine)})
	if s := r.ask(mallory, i3.KindRemove, i3.Insert{Trigger: name(3), Nonce: others})[0].Status; s != i3.StatusRefused {
		t.Errorf("removal with the secret of another trigger: %v, want refused", s)
	}
	if s := r.ask(bob, i3.KindRemove, i3.Insert{Trigger: name(2), Nonce: mine})[0].Status; s != i3.StatusRefused {
		t.Errorf("removal of another's trigger: %v, want refused", s)
	}
	if s := r.ask(bob, i3.KindRemove, i3.Insert{Trigger: name(3), Nonce: mine})[0].Status; s != i3.StatusRemoved {
		t.Errorf("removal by its owner: %v, want removed", s)
	}
	if s := r.ask(bob, i3.KindRemove, i3.Insert{Trigger: name(4), Nonce: mine})[0].Status; s != i3.StatusMissing {
		t.Errorf("removal of what was never inserted: %v, want missing", s)
	}
	if err := r.node.Check(); err != nil {
		t.Error(err)
	}
}

// An owner lasts as long as its trigger: who inserts it after it is gone owns it.
func TestOwnerGoesWithTheTrigger(t *testing.T) {
	first, second := i3.Nonce{1}, i3.Nonce{2}
	link, _ := chain(local(1), 6, 0)
	r := newRig(t, config())
	r.ask(bob, i3.KindInsert, i3.Insert{Trigger: link, Owner: i3.OwnerOf(first)})
	r.sleep(2 * lifetime)
	r.ask(bob, i3.KindInsert, i3.Insert{Trigger: link, Owner: i3.OwnerOf(second)})
	if s := r.ask(bob, i3.KindRemove, i3.Insert{Trigger: link, Nonce: first})[0].Status; s != i3.StatusRefused {
		t.Errorf("removal by the owner before: %v, want refused", s)
	}
	if s := r.ask(bob, i3.KindRemove, i3.Insert{Trigger: link, Nonce: second})[0].Status; s != i3.StatusRemoved {
		t.Errorf("removal by the owner: %v, want removed", s)
	}
}
