package i3

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// A Target is where a trigger sends packets: another identifier, or the
// address of a host together with the key that constrains it. Target is a
// comparable value; the zero Target goes nowhere.
//
// It is kept as it is on the wire, without pointers: hosts and nodes hold
// millions of them, and netip.AddrPort alone is 32 bytes with one pointer.
type Target struct {
	w    ID // the identifier; or the address's two words and then the key's
	port uint16
	kind uint8 // targetID or targetHost; 0 goes nowhere
}

// ToID returns the target of a trigger chain.
func ToID(id ID) Target { return Target{w: id, kind: targetID} }

// ToHost returns the target for a host's address. The key is [RightKey] of the
// trigger's identifier for private identifiers (see [CheckConstraint]).
func ToHost(addr netip.AddrPort, key Key) (t Target) {
	if !addr.IsValid() {
		t.setHost([16]byte{}, key)
		return t
	}
	t.setHost(addr.Addr().As16(), key)
	t.port, t.kind = addr.Port(), targetHost
	return t
}

func (t *Target) setHost(addr [16]byte, key Key) {
	t.w = ID{[4]uint64{
		binary.BigEndian.Uint64(addr[0:]), binary.BigEndian.Uint64(addr[8:]),
		binary.BigEndian.Uint64(key[0:]), binary.BigEndian.Uint64(key[8:]),
	}}
}

// ID returns the target identifier and whether the target is one.
func (t Target) ID() (ID, bool) {
	if t.kind != targetID {
		return ID{}, false
	}
	return t.w, true
}

// IsID reports whether the target is an identifier.
func (t Target) IsID() bool { return t.kind == targetID }

// Host returns the address of the target and whether the target is a host.
func (t Target) Host() (netip.AddrPort, bool) {
	if t.kind != targetHost {
		return netip.AddrPort{}, false
	}
	return t.addr(), true
}

func (t *Target) addr() netip.AddrPort {
	var b [16]byte
	binary.BigEndian.PutUint64(b[0:], t.w.w[0])
	binary.BigEndian.PutUint64(b[8:], t.w.w[1])
	return netip.AddrPortFrom(netip.AddrFrom16(b).Unmap(), t.port)
}

// Key returns the constraint key of a host target, zero for an identifier.
func (t Target) Key() (k Key) {
	if t.kind == targetID {
		return k
	}
	binary.BigEndian.PutUint64(k[0:], t.w.w[2])
	binary.BigEndian.PutUint64(k[8:], t.w.w[3])
	return k
}

// String returns the identifier or the address.
func (t Target) String() string {
	if id, ok := t.ID(); ok {
		return id.String()
	}
	addr, _ := t.Host()
	return addr.String()
}

// A Trigger asks the infrastructure to forward packets for ID to Target. It is
// a comparable value; two triggers are the same trigger when they are equal.
type Trigger struct {
	ID     ID
	Target Target
}

// String returns the trigger as the paper writes it.
func (t Trigger) String() string { return fmt.Sprintf("(%v, %v)", t.ID, t.Target) }

// TriggerSize is the size in bytes of a trigger on the wire.
//
//	 0                              32                              64  65  66    68
//	+--------------------------------+-------------------------------+---+---+-----+---+
//	|              id                | id | address (16) + key (16)  |knd| 0 |port | 0 |
//	+--------------------------------+-------------------------------+---+---+-----+---+ 72
//
// Every trigger has the same size, so that lists of them need no lengths.
const TriggerSize = 72

// The kinds of targets on the wire.
const (
	targetID   = 1
	targetHost = 2
)

// AppendTo appends the wire form of t to b.
func (t Trigger) AppendTo(b []byte) []byte {
	var w [TriggerSize]byte
	t.ID.put(w[0:])
	t.Target.w.put(w[32:])
	w[64] = targetHost // of a target that goes nowhere, too: decoders refuse its address
	if t.Target.kind == targetID {
		w[64] = targetID
	}
	binary.BigEndian.PutUint16(w[66:], t.Target.port)
	return append(b, w[:]...)
}

// ParseTrigger decodes the trigger in the first [TriggerSize] bytes of b.
func ParseTrigger(b []byte) (Trigger, error) {
	if len(b) < TriggerSize {
		return Trigger{}, ErrShort
	}
	if b[65]|b[68]|b[69]|b[70]|b[71] != 0 {
		return Trigger{}, ErrReserved
	}
	t := Trigger{ID: loadID(b)}
	switch b[64] {
	case targetID:
		if b[66]|b[67] != 0 {
			return Trigger{}, ErrReserved
		}
		t.Target = ToID(loadID(b[32:]))
	case targetHost:
		addr, err := loadAddr(b[32:], b[66:])
		if err != nil {
			return Trigger{}, err
		}
		t.Target = ToHost(addr, Key(b[48:64]))
	default:
		return Trigger{}, ErrTarget
	}
	return t, nil
}

// AddrSize is the size in bytes of an address and port on the wire: 16 bytes of
// IPv6 (IPv4 as IPv4-mapped) and two of port.
const AddrSize = 18

// AppendAddr appends the wire form of an address to b.
func AppendAddr(b []byte, a netip.AddrPort) []byte {
	var w [AddrSize]byte
	putAddr(w[0:], w[16:], a)
	return append(b, w[:]...)
}

// ParseAddr decodes the address in the first [AddrSize] bytes of b. It refuses
// addresses that no packet may be sent to: unspecified, multicast, limited
// broadcast, port zero.
func ParseAddr(b []byte) (netip.AddrPort, error) {
	if len(b) < AddrSize {
		return netip.AddrPort{}, ErrShort
	}
	return loadAddr(b, b[16:])
}

func putAddr(addr, port []byte, a netip.AddrPort) {
	b := a.Addr().As16()
	copy(addr, b[:])
	binary.BigEndian.PutUint16(port, a.Port())
}

// broadcast is the limited broadcast address (RFC 919): a challenge sent there
// would reach every host of the link.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func loadAddr(addr, port []byte) (netip.AddrPort, error) {
	a := netip.AddrFrom16([16]byte(addr[:16])).Unmap()
	p := binary.BigEndian.Uint16(port)
	if a.IsUnspecified() || a.IsMulticast() || a == broadcast || p == 0 {
		return netip.AddrPort{}, ErrTarget
	}
	return netip.AddrPortFrom(a, p), nil
}
