package node

import (
	"i3bench/i3"
	"i3bench/matcher"
)

// handle is what the table stores for a target.
type handle = matcher.Target

// targets maps the targets of all triggers to the small handles that the table
// stores. A target is kept once however many triggers name it.
type targets struct {
	entries []targetEntry
	free    []uint32
	byValue map[i3.Target]uint32
}

// A targetEntry is a target and what is needed to send to it.
type targetEntry struct {
	target i3.Target
	// template is the header that packets for an identifier target leave with.
	template [i3.TemplateSize]byte
	// owner is the hash of the secret that removes the trigger, from its first
	// insertion. Right constraints give every identifier target one parent, so
	// one owner per target is one per trigger.
	owner i3.Key
	refs  int
}

func newTargets() targets {
	return targets{byValue: make(map[i3.Target]uint32)}
}

// at returns the entry of a handle.
func (t *targets) at(h uint32) *targetEntry { return &t.entries[h] }

// find returns the handle of a target that some trigger names.
func (t *targets) find(target i3.Target) (uint32, bool) {
	h, ok := t.byValue[target]
	return h, ok
}

// acquire returns the handle of a target, for one more trigger.
func (t *targets) acquire(target i3.Target, owner i3.Key) uint32 {
	if h, ok := t.byValue[target]; ok {
		t.entries[h].refs++
		return h
	}
	e := targetEntry{target: target, owner: owner, refs: 1}
	if id, ok := target.ID(); ok {
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
	t.byValue[target] = h
	return h
}

// release gives back one trigger's claim on a target.
func (t *targets) release(h uint32) {
	e := &t.entries[h]
	e.refs--
	if e.refs > 0 {
		return
	}
	delete(t.byValue, e.target)
	*e = targetEntry{}
	t.free = append(t.free, h)
}
