package matcher

import "math/bits"

// A ref names a member of a group: a cell, or a node of the trie over several.
// Zero is neither.
type ref uint32

const nodeRef ref = 1 << 31 // set in the reference of a node

func (r ref) isNode() bool  { return r&nodeRef != 0 }
func (r ref) index() uint32 { return uint32(r &^ nodeRef) }

// A node parts the suffixes that agree in all bits above one. It is a node of a
// binary trie without the nodes that have a single child (Morrison, "PATRICIA",
// 1968), so a group of n suffixes has n-1 of them.
type node struct {
	child [2]ref
	until [2]Tick // latest expiry below that child
	bit   uint32  // 0 is the least significant; strictly smaller further down
}

// side returns which child of n leads to suffix.
func (n *node) side(suffix uint64) uint64 { return suffix >> (n.bit & 63) & 1 }

// latest returns the latest expiry below n.
func (n *node) latest() Tick { return max(n.until[0], n.until[1]) }

// maxDepth is the number of nodes above a leaf at most, one for each bit.
const maxDepth = 64

// A trie holds the nodes of all groups. Leaves are cells, which it knows only by
// reference; callers give it their suffixes and expiries.
type trie struct {
	nodes pool[node]
	path  [maxDepth + 1]ref // where the last trace went: depth nodes and a leaf
}

// winner returns the leaf with a trigger that is live at now whose suffix
// exclusive-or the given one is smallest, or 0, and how many nodes it visited.
//
// All leaves below a node agree above its bit. So whoever takes the packet's
// side there beats whoever does not, and the search goes to that side unless
// everything on it has expired.
func (x *trie) winner(r ref, suffix uint64, now Tick) (leaf ref, steps int) {
	for r.isNode() {
		n := &x.nodes.items[r.index()]
		steps++
		b := n.side(suffix)
		if n.until[b] <= now {
			b ^= 1
			if n.until[b] <= now {
				return 0, steps // only at the root: no child was entered dead
			}
		}
		r = n.child[b]
	}
	return r, steps
}

// nearest is winner without regard to expiry: the only leaf that can have
// exactly this suffix.
func (x *trie) nearest(r ref, suffix uint64) ref {
	for r.isNode() {
		n := &x.nodes.items[r.index()]
		r = n.child[n.side(suffix)]
	}
	return r
}

// trace is nearest, and leaves the way in x.path. It returns the number of
// nodes on it.
func (x *trie) trace(r ref, suffix uint64) (depth int) {
	for r.isNode() {
		x.path[depth] = r
		depth++
		n := &x.nodes.items[r.index()]
		r = n.child[n.side(suffix)]
	}
	x.path[depth] = r
	return depth
}

// settle tells the first depth nodes of x.path that the latest expiry on the
// side of suffix is now until, from the lowest upwards.
func (x *trie) settle(depth int, suffix uint64, until Tick) {
	for i := depth - 1; i >= 0; i-- {
		n := &x.nodes.items[x.path[i].index()]
		b := n.side(suffix)
		if n.until[b] == until {
			return // and so nothing changes above
		}
		n.until[b] = until
		until = n.latest()
	}
}

// update records a new latest expiry of the leaf with this suffix.
func (x *trie) update(root ref, suffix uint64, until Tick) {
	x.settle(x.trace(root, suffix), suffix, until)
}

// insert adds a leaf with a suffix that no leaf below root has and returns the
// new root. near and nearUntil are of the leaf that nearest returns.
func (x *trie) insert(root ref, suffix uint64, leaf ref, until Tick, near uint64, nearUntil Tick) ref {
	bit := uint32(63 - bits.LeadingZeros64(suffix^near))
	depth := x.trace(root, suffix)
	at := 0
	for at < depth && x.nodes.items[x.path[at].index()].bit > bit {
		at++
	}
	below, belowUntil := x.path[at], nearUntil
	if below.isNode() {
		belowUntil = x.nodes.items[below.index()].latest()
	}
	i := x.nodes.get()
	n := &x.nodes.items[i]
	n.bit = bit
	b := n.side(suffix)
	n.child[b], n.until[b] = leaf, until
	n.child[b^1], n.until[b^1] = below, belowUntil
	root = x.replace(root, at, suffix, ref(i)|nodeRef)
	x.settle(at, suffix, n.latest())
	return root
}

// remove takes out the leaf with this suffix and returns the new root. The
// root must be a node: a group of one leaf has no trie.
func (x *trie) remove(root ref, suffix uint64) ref {
	at := x.trace(root, suffix) - 1
	i := x.path[at].index()
	n := &x.nodes.items[i]
	b := n.side(suffix) ^ 1
	sibling, until := n.child[b], n.until[b]
	root = x.replace(root, at, suffix, sibling)
	x.nodes.put(i)
	x.settle(at, suffix, until)
	return root
}

// replace puts r in place of x.path[at] and returns the root.
func (x *trie) replace(root ref, at int, suffix uint64, r ref) ref {
	if at == 0 {
		return r
	}
	n := &x.nodes.items[x.path[at-1].index()]
	n.child[n.side(suffix)] = r
	return root
}
