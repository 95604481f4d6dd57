package node

import (
	"fmt"
	"maps"

	"i3bench/i3/machine"
	"i3bench/matcher"
)

// Limits that tests count up to.
const (
	MaxLocal  = maxLocal
	MaxCopies = maxCopies
)

// Targets returns the number of targets that the node keeps.
func (n *Node) Targets() int { return len(n.targets.entries) - len(n.targets.free) }

// Check returns an error unless the targets are exactly those that stored triggers name, each by one trigger, and every
// place is either in use or free.
func (n *Node) Check() error {
	named := make(map[matcher.Target]bool)
	for id, h := range n.table.All(0) {
		if n.targets.at(h).kind == 0 || named[h] {
			return fmt.Errorf("handle %d of %v is free or another's", h, id)
		}
		named[h] = true
	}
	free := make(map[uint32]bool)
	for _, h := range n.targets.free {
		if *n.targets.at(matcher.Target(h)) != (target{}) || free[h] {
			return fmt.Errorf("handle %d is free twice or still in use", h)
		}
		free[h] = true
	}
	if len(free)+len(named) != len(n.targets.entries) {
		return fmt.Errorf("%d free and %d used of %d places", len(free), len(named), len(n.targets.entries))
	}
	return n.checkQuotas()
}

// checkQuotas returns an error unless the tallies are what counting all triggers gives.
func (n *Node) checkQuotas() error {
	if !n.quota.on {
		return nil
	}
	q := &n.quota
	l := q.limits
	sources, targets, keys := newTally(l.MaxPerSource), newTally(l.MaxPerTarget), newTally(l.MaxPerKey)
	for id, h := range n.table.All(0) {
		if e := n.targets.at(h); e.counted {
			b := q.bill(id, e)
			sources.add(b.source)
			targets.add(b.target)
			keys.add(b.key)
		}
	}
	if !maps.Equal(sources, q.sources) || !maps.Equal(targets, q.targets) || !maps.Equal(keys, q.keys) {
		return fmt.Errorf("quotas of %d sources, %d targets, %d keys are not those of the table: %d, %d, %d",
			len(q.sources), len(q.targets), len(q.keys), len(sources), len(targets), len(keys))
	}
	return nil
}

// Counts returns of how many sources, targets and keys the node keeps a count.
func (n *Node) Counts() (sources, targets, keys int) {
	return len(n.quota.sources), len(n.quota.targets), len(n.quota.keys)
}

// Dump describes every stored trigger with its owner, in an order that depends on the operations alone.
func (n *Node) Dump() (all []string) {
	for id, h := range n.table.All(0) {
		e := n.targets.at(h)
		var owner [16]byte
		to := e.host().String()
		if next, ok := e.id(); ok {
			owner, to = e.proof, next.String()
		}
		all = append(all, fmt.Sprintf("%v %v %x", id, to, owner))
	}
	return all
}

// Lifetime returns how long a trigger lives.
func (n *Node) Lifetime() machine.Duration { return n.cfg.Lifetime }

// Table describes the shape of the node's table.
func (n *Node) Table() matcher.Stats { return n.table.Stats() }
