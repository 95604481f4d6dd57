package node

import (
	"crypto/subtle"
	"net/netip"

	"i3bench/i3"
	"i3bench/matcher"
)

// handle is what the table stores for a target.
type handle = matcher.Target

// targets keeps the targets of all triggers under the small handles that the
// table stores. Every trigger has a target of its own: nearly all differ anyhow,
// for the constraint makes a host's target depend on its trigger's identifier, and
// so a trigger is found among the few of its identifier, without a map.
type targets struct {
	entries []target
	free    []uint32
}

// A target is where a trigger leads, in the form in which that is needed: one
// cache line. The zero target is a free place.
type target struct {
	// wire is the header that packets for an identifier leave with, or a host's
	// address and key.
	wire [i3.TemplateSize]byte
	// proof is what the hash of the secret that removes the trigger of an
	// identifier target must be, from its first insertion; for a host target, the
	// nonce that was last found right.
	proof [16]byte
	// epoch is that of cookies in which the nonce was; for an identifier target, the
	// account of whoever asked for it first.
	epoch   uint32
	kind    targetKind
	counted bool // in the quotas; one that was handed over is with its next refresh
	// pass is 0, or it is of a mirror, and this the last pass through the triggers of its owner that it was found in.
	pass uint16
}

type targetKind uint8

const (
	toID targetKind = 1 + iota
	toHost
)

// targetOf returns the target of a trigger.
func targetOf(t i3.Target) (e target) {
	if id, ok := t.ID(); ok {
		e.kind = toID
		i3.AppendTemplate(e.wire[:0], i3.KindData, id)
		return e
	}
	e.kind = toHost
	addr, _ := t.Host()
	key := t.Key()
	copy(e.wire[i3.AddrSize:], key[:])
	i3.AppendAddr(e.wire[:0], addr)
	return e
}

// leads reports whether two targets are one. The cookie of a link is not part of it.
func (e *target) leads(f *target) bool {
	if e.kind != f.kind || e.kind != toID {
		return e.kind == f.kind && e.wire == f.wire
	}
	return [i3.IDSize]byte(e.wire[i3.TemplateSize-i3.IDSize:]) == [i3.IDSize]byte(f.wire[i3.TemplateSize-i3.IDSize:])
}

// id returns the identifier that the target is, if it is one.
func (e *target) id() (id i3.ID, ok bool) {
	if e.kind != toID {
		return i3.ID{}, false
	}
	return i3.IDFrom([i3.IDSize]byte(e.wire[i3.TemplateSize-i3.IDSize:])), true
}

// host returns the address of a host target.
func (e *target) host() netip.AddrPort {
	addr := netip.AddrFrom16([16]byte(e.wire[:16])).Unmap()
	return netip.AddrPortFrom(addr, uint16(e.wire[16])<<8|uint16(e.wire[17]))
}

// proven reports whether a nonce was found right in this epoch of cookies. Like
// the check that it spares, it does not tell how nearly a wrong one is right.
func (e *target) proven(epoch uint32, n i3.Nonce) bool {
	return e.kind == toHost && e.epoch == epoch && subtle.ConstantTimeCompare(e.proof[:], n[:]) == 1
}

// at returns the target of a handle. It is good until the next add.
func (t *targets) at(h handle) *target { return &t.entries[h] }

// add returns a handle for a target.
func (t *targets) add(e target) handle {
	if n := len(t.free); n > 0 {
		h := t.free[n-1]
		t.free = t.free[:n-1]
		t.entries[h] = e
		return handle(h)
	}
	t.entries = append(t.entries, e)
	return handle(len(t.entries) - 1)
}

// release takes back a handle.
func (t *targets) release(h handle) {
	t.entries[h] = target{}
	t.free = append(t.free, uint32(h))
}
