package node

import (
	"unsafe"

	"i3bench/i3"
	"i3bench/matcher"
)

// Hot returns how many of a node's first bytes the usual packets need, see
// [machine.Toucher].
func (n *Node) Hot() uintptr { return unsafe.Offsetof(n.count) + unsafe.Offsetof(n.count.Refreshed) }

// Touch reads what a packet will need, see [machine.Toucher]: the triggers of its
// identifier and where they lead.
func (n *Node) Touch(b []byte, step int, hint uint64) (next uint64, sum byte) {
	if step < matcher.Steps {
		p, _, _, err := i3.Next(b)
		if err != nil || len(b) == 0 {
			return 0, 0
		}
		return n.table.Approach(p.ID, step, hint)
	}
	var some [16]handle
	for _, h := range n.table.Approached(hint, some[:0]) {
		sum += byte(n.targets.at(h).kind)
	}
	return 0, sum
}
