package node

import (
	"i3bench/i3"
	"i3bench/matcher"
)

// handle is what the table stores for a target.
type handle = matcher.Target

// targets maps the targets of all triggers to the small handles that the table
// stores. The target of a host is kept once however many triggers name it.
type targets struct {
	entries []targetEntry
	free    []uint32
	byValue map[targetKey]uint32
}

// A targetKey is what has a handle of its own: a host target, or an identifier
// target together with the identifier of its trigger. Left constraints let
// strangers point at an identifier too, so that triggers which share such a
// target must not share its owner.
type targetKey struct {
	target i3.Target
	from   i3.ID // zero for a host target
}

func keyOf(t i3.Trigger) targetKey {
	if _, isID := t.Target.ID(); isID {
		return targetKey{t.Target, t.ID}
	}
	return targetKey{target: t.Target}
}

// A targetEntry is a target and what is needed to send to it.
type targetEntry struct {
	targetKey
	// template is the header that packets for an identifier target leave with.
	template [i3.TemplateSize]byte
	// owner is the hash of the secret that removes the trigger of an identifier
	// target, from its first insertion.
	owner i3.Key
	refs  int
}

func newTargets() targets {
	return targets{byValue: make(map[targetKey]uint32)}
}

// at returns the entry of a handle.
func (t *targets) at(h uint32) *targetEntry { return &t.entries[h] }

// find returns the handle of a trigger's target if the table may name it.
func (t *targets) find(tr i3.Trigger) (uint32, bool) {
	h, ok := t.byValue[keyOf(tr)]
	return h, ok
}

// acquire returns the handle of a trigger's target, for one more trigger.
func (t *targets) acquire(tr i3.Trigger, owner i3.Key) uint32 {
	key := keyOf(tr)
	if h, ok := t.byValue[key]; ok {
		t.entries[h].refs++
		return h
	}
	e := targetEntry{targetKey: key, owner: owner, refs: 1}
	if id, ok := tr.Target.ID(); ok {
		i3.AppendTemplate(e.template[:0], i3.KindData, id)
	}
	var h uint32
	if n := len(t.free); n > 0 {
		h = t.free[n-1]
		t.free = t.free[:n-1]
		t.entries[h] = e
	} else {
		h = uint32(len(t.entries))
		t.entries = append(t.entries, e)
	}
	t.byValue[key] = h
	return h
}

// release gives back one trigger's claim on a target.
func (t *targets) release(h uint32) {
	e := &t.entries[h]
	e.refs--
	if e.refs > 0 {
		return
	}
	delete(t.byValue, e.targetKey)
	*e = targetEntry{}
	t.free = append(t.free, h)
}
