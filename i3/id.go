package i3

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// An identifier is a prefix that says where it lives, a key that constrains
// which triggers may be chained, and a suffix that anycast matches by longest
// prefix (paper section 2.1).
//
//	0                64                              192             256
//	+----------------+-------------------------------+---------------+
//	|     prefix     |              key              |    suffix     |
//	+----------------+-------------------------------+---------------+
//	|<-------- exact: must be equal ---------------->|<--- LPM ----->|
const (
	IDBits    = 256 // m in the paper
	ExactBits = 192 // k in the paper
	IDSize    = IDBits / 8
	KeySize   = 16
)

// publicBit is the least significant bit of the prefix. It separates the
// identifiers that anyone may know from those whose secrecy is the right to
// use them (see [CheckConstraint]).
const publicBit = 1

// An ID names a rendezvous point. Senders address packets to an ID and
// receivers insert triggers for it.
//
// ID is a comparable value: it may be a map key and is compared with ==. The
// zero ID is valid and has no special meaning.
type ID struct {
	// w holds the identifier as four big-endian words, most significant
	// first, so that matching is arithmetic on registers, not on bytes.
	w [4]uint64
}

// A Key is the middle 128 bits of an [ID], the part that constraints fix.
type Key [KeySize]byte

// Exact is the part of an [ID] that must match exactly: prefix and key. All
// triggers of one Exact live on one node, because longest-prefix match must see
// all of them.
type Exact [ExactBits / 64]uint64

// WithSuffix returns the identifier that consists of e and a suffix.
func (e Exact) WithSuffix(suffix uint64) ID { return ID{[4]uint64{e[0], e[1], e[2], suffix}} }

// NewID assembles an identifier from its three parts.
func NewID(prefix uint64, key Key, suffix uint64) ID {
	return ID{[4]uint64{
		prefix,
		binary.BigEndian.Uint64(key[0:]),
		binary.BigEndian.Uint64(key[8:]),
		suffix,
	}}
}

// IDFrom returns the identifier whose big-endian bytes are b.
func IDFrom(b [IDSize]byte) ID { return loadID(b[:]) }

// loadID reads an identifier from the first IDSize bytes of b.
func loadID(b []byte) ID {
	_ = b[IDSize-1]
	return ID{[4]uint64{
		binary.BigEndian.Uint64(b[0:]),
		binary.BigEndian.Uint64(b[8:]),
		binary.BigEndian.Uint64(b[16:]),
		binary.BigEndian.Uint64(b[24:]),
	}}
}

// ParseID parses the form written by [ID.String]: exactly 64 hex digits.
func ParseID(s string) (ID, error) {
	var b [IDSize]byte
	if len(s) != hex.EncodedLen(IDSize) {
		return ID{}, fmt.Errorf("i3: parse ID %.70q: want %d hex digits, have %d", s, hex.EncodedLen(IDSize), len(s))
	}
	if _, err := hex.Decode(b[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("i3: parse ID %q: %w", s, err)
	}
	return IDFrom(b), nil
}

// MustParseID is like [ParseID] but panics on error. It is for tests and for
// package-level variables.
func MustParseID(s string) ID {
	id, err := ParseID(s)
	if err != nil {
		panic(err)
	}
	return id
}

// Bytes returns the big-endian bytes of id, as they appear on the wire.
func (id ID) Bytes() (b [IDSize]byte) {
	id.put(b[:])
	return b
}

// put writes the wire form of id to the first IDSize bytes of b.
func (id ID) put(b []byte) {
	_ = b[IDSize-1]
	binary.BigEndian.PutUint64(b[0:], id.w[0])
	binary.BigEndian.PutUint64(b[8:], id.w[1])
	binary.BigEndian.PutUint64(b[16:], id.w[2])
	binary.BigEndian.PutUint64(b[24:], id.w[3])
}

// AppendTo appends the wire form of id to b.
func (id ID) AppendTo(b []byte) []byte {
	w := id.Bytes()
	return append(b, w[:]...)
}

// Prefix returns the first 64 bits of id, its position on the ring.
func (id ID) Prefix() uint64 { return id.w[0] }

// Key returns the middle 128 bits of id.
func (id ID) Key() (k Key) {
	binary.BigEndian.PutUint64(k[0:], id.w[1])
	binary.BigEndian.PutUint64(k[8:], id.w[2])
	return k
}

// Suffix returns the last 64 bits of id.
func (id ID) Suffix() uint64 { return id.w[3] }

// Words returns the identifier as four words, the most significant first. Unlike
// the arrays of [ID] and [Exact] they stay in registers, which hot paths need.
func (id *ID) Words() (a, b, c, suffix uint64) { return id.w[0], id.w[1], id.w[2], id.w[3] }

// Exact returns the first [ExactBits] bits of id.
func (id ID) Exact() Exact { return Exact{id.w[0], id.w[1], id.w[2]} }

// WithSuffix returns id with its last 64 bits replaced. Anycast puts the
// quantity to be minimized there: a loss class, or the hash of a sequence number.
func (id ID) WithSuffix(suffix uint64) ID {
	id.w[3] = suffix
	return id
}

// IsPublic reports whether id is of the public kind: known to anyone, and
// usable only for triggers whose left constraint holds.
func (id ID) IsPublic() bool { return id.w[0]&publicBit != 0 }

// Public returns id with its public bit set.
func (id ID) Public() ID {
	id.w[0] |= publicBit
	return id
}

// Private returns id with its public bit cleared.
func (id ID) Private() ID {
	id.w[0] &^= publicBit
	return id
}

// IsZero reports whether every bit of id is zero.
func (id ID) IsZero() bool { return id == ID{} }

// Matches reports whether a packet sent to id may be given to a trigger for t.
// Among the triggers that match, the packet goes to those with the smallest
// [ID.Distance], and all of these have the same identifier.
func (id ID) Matches(t ID) bool { return id.Exact() == t.Exact() }

// Distance returns the exclusive or of the two suffixes. The smallest distance
// is the longest common prefix with a tie-break that no two identifiers share.
func (id ID) Distance(t ID) uint64 { return id.w[3] ^ t.w[3] }

// CommonPrefixLen returns the number of leading bits in which id and other
// agree, from 0 to [IDBits].
func (id ID) CommonPrefixLen(other ID) int {
	for i := range id.w {
		if x := id.w[i] ^ other.w[i]; x != 0 {
			return 64*i + bits.LeadingZeros64(x)
		}
	}
	return IDBits
}

// Compare orders identifiers as 256-bit big-endian numbers.
func (id ID) Compare(other ID) int {
	for i := range id.w {
		if c := cmp.Compare(id.w[i], other.w[i]); c != 0 {
			return c
		}
	}
	return 0
}

// String returns id as 64 hex digits.
func (id ID) String() string {
	b := id.Bytes()
	return hex.EncodeToString(b[:])
}
