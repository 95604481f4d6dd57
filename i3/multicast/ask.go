package multicast

import (
	"net/netip"

	"i3bench/i3"
)

// MaxToken is the most bytes of a token that an Ask can show.
const MaxToken = 64

// askSize is the size in bytes of the body of an Ask, and of the Admit that answers it: no
// host sends more than it was sent.
const askSize = 128

// An Ask is the body of an Ask message, from a host that knows only a group's public
// name to the source.
//
//	0                               32              50    51   52                   116     128
//	+-------------------------------+---------------+------+---+--------------------+--------+
//	|          asker's key          |   reply to    |length| 0 |  token, zero-filled|   0    |
//	+-------------------------------+---------------+------+---+--------------------+--------+
type Ask struct {
	// Key is the asker's ephemeral X25519 public key.
	Key [32]byte
	// ReplyTo is where the answer goes.
	ReplyTo netip.AddrPort
	// Token is what the asker shows to be admitted, at most [MaxToken] bytes.
	Token []byte
}

// AppendTo appends the wire form of a to b. It panics if the token is too long.
func (a Ask) AppendTo(b []byte) []byte {
	var w [askSize]byte
	copy(w[:], a.Key[:])
	i3.AppendAddr(w[:32], a.ReplyTo)
	w[50] = byte(len(a.Token))
	copy(w[52 : 52+MaxToken : 52+MaxToken][:len(a.Token)], a.Token)
	return append(b, w[:]...)
}

// ParseAsk decodes the body of an Ask message. The token aliases it.
func ParseAsk(body []byte) (Ask, error) {
	if len(body) != askSize {
		return Ask{}, ErrLength
	}
	n := int(body[50])
	if n > MaxToken || body[51] != 0 || !zero(body[52+n:]) {
		return Ask{}, ErrReserved
	}
	addr, err := i3.ParseAddr(body[32:])
	if err != nil {
		return Ask{}, err
	}
	return Ask{Key: [32]byte(body), ReplyTo: addr, Token: body[52 : 52+n : 52+n]}, nil
}

// boxSize is the size in bytes of what an Admit seals: identifier, key, and the seal's own
// tag.
const boxSize = i3.IDSize + 32 + 16

// An Admit is the body of an Admit message, the source's answer to an Ask. What is in
// the box only the asker can read: the group's identifier and key, both zero if it is
// not let in.
//
//	0                               32        44                                 124   128
//	+-------------------------------+---------+----------------------------------+-----+
//	|         source's key          |  nonce  |               box                |  0  |
//	+-------------------------------+---------+----------------------------------+-----+
type Admit struct {
	// Key is the source's X25519 public key, to which the group's public name commits.
	Key [32]byte
	// Nonce is that of the seal.
	Nonce [12]byte
	// Box is sealed with AES-256-GCM.
	Box [boxSize]byte
}

// AppendTo appends the wire form of a to b.
func (a Admit) AppendTo(b []byte) []byte {
	var w [askSize]byte
	n := copy(w[:], a.Key[:])
	n += copy(w[n:], a.Nonce[:])
	copy(w[n:], a.Box[:])
	return append(b, w[:]...)
}

// ParseAdmit decodes the body of an Admit message.
func ParseAdmit(body []byte) (Admit, error) {
	if len(body) != askSize {
		return Admit{}, ErrLength
	}
	if !zero(body[44+boxSize:]) {
		return Admit{}, ErrReserved
	}
	return Admit{Key: [32]byte(body), Nonce: [12]byte(body[32:]), Box: [boxSize]byte(body[44:])}, nil
}

// zero reports whether every byte of b is zero.
func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
