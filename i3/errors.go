package i3

import "errors"

// The errors of the decoders. They are sentinels so that refusing a packet
// allocates nothing; each names what was wrong with the input.
var (
	ErrShort      = errors.New("i3: packet ends before its header or declared payload")
	ErrMagic      = errors.New("i3: first bytes are not those of an i3 packet")
	ErrVersion    = errors.New("i3: version is not 1")
	ErrKind       = errors.New("i3: unknown packet kind")
	ErrReserved   = errors.New("i3: reserved bits are not zero")
	ErrLength     = errors.New("i3: payload is not a whole number of entries, or holds too many")
	ErrTarget     = errors.New("i3: target is neither an identifier nor a usable address")
	ErrStatus     = errors.New("i3: unknown status in an acknowledgement")
	ErrPadding    = errors.New("i3: padding holds a byte that is not zero")
	ErrConstraint = errors.New("i3: neither the left nor the right constraint holds")
)
