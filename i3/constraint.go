package i3

import "crypto/sha256"

// The constraints of Secure-i3 (Lakshminarayanan, Adkins, Perrig, Stoica,
// "Securing User-Controlled Routing Infrastructures", IEEE/ACM ToN 16(3), 2008;
// rules as in the released i3 code). View each trigger as an edge between
// identifiers. A left constraint fixes the key of the edge's start from its end,
// a right constraint the key of its end from its start, each through a one-way
// function of its own. A cycle, or two paths that meet again, needs a collision
// between the two functions or a fixed point of one: 2^64 work at least. So
// triggers that were accepted one by one form trees.
//
// One thing the rules leave open: the children of x all have one key, so two
// that share a prefix too are one place for packets, and x may be chained to
// that place once for each suffix. The node refuses the second such trigger.

// domain separates the uses of SHA-256 in this package.
const (
	domainLeft  = "i3 h_l\x00"
	domainRight = "i3 h_r\x00"
	domainOwner = "i3 owner\x00"
)

// LeftKey returns h_l(y): the key that an identifier must have to be chained
// to y by the left constraint. Only who knows y can compute it.
func LeftKey(y ID) Key {
	b := y.Bytes()
	return oneWay(domainLeft, b[:])
}

// LeftKeyOf returns h_l of a host target's key: the key of a public identifier
// whose owner alone knows k.
func LeftKeyOf(k Key) Key { return oneWay(domainLeft, k[:]) }

// RightKey returns h_r(x): the key that the target of a trigger for x must
// have. Anyone who knows x can compute it, hence only private identifiers admit
// it.
func RightKey(x ID) Key {
	b := x.Bytes()
	return oneWay(domainRight, b[:])
}

// OwnerOf returns the value a node stores for a trigger's owner. Showing the
// secret it was made from removes the trigger.
func OwnerOf(secret Nonce) Key { return oneWay(domainOwner, secret[:]) }

// CheckConstraint returns nil if a node may accept t, else [ErrConstraint]:
// the left constraint holds, or t.ID is private and the right one holds.
func CheckConstraint(t Trigger) error {
	// The right constraint first: trees are made of it, and a hash costs more than
	// all the rest of an insertion.
	if !t.ID.IsPublic() && t.Target.constrained() == RightKey(t.ID) {
		return nil
	}
	if t.ID.Key() == t.Target.leftKey() {
		return nil
	}
	return ErrConstraint
}

// leftKey returns the key that the left constraint asks of a trigger to t.
func (t Target) leftKey() Key {
	if t.kind == targetID {
		return LeftKey(t.w)
	}
	return LeftKeyOf(t.Key())
}

// constrained returns the key of a target that the right constraint fixes.
func (t Target) constrained() Key {
	if t.kind == targetID {
		return t.w.Key()
	}
	return t.Key()
}

// oneWay returns the first 128 bits of SHA-256 over domain and b. It works in a
// fixed buffer so that nothing escapes.
func oneWay(domain string, b []byte) (k Key) {
	var buf [64]byte
	n := copy(buf[:], domain)
	n += copy(buf[n:], b)
	sum := sha256.Sum256(buf[:n])
	copy(k[:], sum[:])
	return k
}
