package i3

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

// A Cookies issues and checks the nonces of challenges without keeping any
// state per host: a nonce is a MAC over (epoch, id, target, port) under the
// node's secret. It is valid in the epoch it was issued in and in the next one.
//
// A Cookies is not safe for concurrent use.
type Cookies struct {
	mac hash.Hash
	in  [4 + IDSize + AddrSize + KeySize]byte
	out [sha256.Size]byte
}

// NewCookies returns a Cookies under the given secret.
func NewCookies(secret [32]byte) *Cookies {
	return &Cookies{mac: hmac.New(sha256.New, secret[:])}
}

// Nonce returns the nonce for t in the given epoch. t's target must be a host.
func (c *Cookies) Nonce(epoch uint32, t Trigger) (n Nonce) {
	b := c.in[:]
	binary.BigEndian.PutUint32(b, epoch)
	t.ID.put(b[4:])
	host := t.Target.w.Bytes()
	copy(b[36:], host[:AddrSize-2])
	binary.BigEndian.PutUint16(b[52:], t.Target.port)
	copy(b[54:], host[AddrSize-2:])
	c.mac.Reset()
	c.mac.Write(b)
	copy(n[:], c.mac.Sum(c.out[:0]))
	return n
}

// Check reports whether n is a nonce for t issued in the given epoch or the one
// before it. It tries the current epoch first, for most right nonces are of it.
// Every wrong nonce costs the same, both MACs, each compared in constant time;
// what a quicker answer tells is the epoch of a nonce that was right.
func (c *Cookies) Check(epoch uint32, t Trigger, n Nonce) bool {
	cur := c.Nonce(epoch, t)
	if subtle.ConstantTimeCompare(n[:], cur[:]) == 1 {
		return true
	}
	prev := c.Nonce(epoch-1, t)
	return subtle.ConstantTimeCompare(n[:], prev[:]) == 1
}
