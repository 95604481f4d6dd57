package node

import (
	"fmt"

	"i3bench/matcher"
)

// Limits that tests count up to.
const (
	MaxLocal  = maxLocal
	MaxCopies = maxCopies
)

// Targets returns the number of targets that the node keeps.
func (n *Node) Targets() int { return len(n.targets.byValue) }

// Check returns an error unless the targets are exactly those that stored triggers name, each counted once for every
// trigger, and every place is either in use or free.
func (n *Node) Check() error {
	refs := make(map[matcher.Target]int)
	for _, h := range n.table.All(0) {
		refs[h]++
	}
	if len(refs) != len(n.targets.byValue) {
		return fmt.Errorf("triggers name %d targets, the node keeps %d", len(refs), len(n.targets.byValue))
	}
	for _, h := range n.targets.byValue {
		if e := n.targets.at(h); e.refs != refs[matcher.Target(h)] {
			return fmt.Errorf("target %v at handle %d has %d references, %d triggers name it",
				e.target, h, e.refs, refs[matcher.Target(h)])
		}
	}
	free := make(map[uint32]bool)
	for _, h := range n.targets.free {
		if *n.targets.at(h) != (targetEntry{}) || free[h] {
			return fmt.Errorf("handle %d is free twice or still in use", h)
		}
		free[h] = true
	}
	if len(free)+len(refs) != len(n.targets.entries) {
		return fmt.Errorf("%d free and %d used of %d places", len(free), len(refs), len(n.targets.entries))
	}
	return nil
}

// Dump describes every stored trigger with its owner, in an order that depends on the operations alone.
func (n *Node) Dump() (all []string) {
	for id, h := range n.table.All(0) {
		e := n.targets.at(uint32(h))
		all = append(all, fmt.Sprintf("%v %v %x %d", id, e.target, e.owner, e.refs))
	}
	return all
}
