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
	putAddr(b[36:], b[52:], t.Target.addr)
	copy(b[54:], t.Target.key[:])
	c.mac.Reset()
	c.mac.Write(b)
	copy(n[:], c.mac.Sum(c.out[:0]))
	return n
}

// Check reports whether n is a nonce for t issued in the given epoch or the one
// before it. It takes the same time for every wrong nonce.
func (c *Cookies) Check(epoch uint32, t Trigger, n Nonce) bool {
	cur, prev := c.Nonce(epoch, t), c.Nonce(epoch-1, t)
	return subtle.ConstantTimeCompare(n[:], cur[:])|subtle.ConstantTimeCompare(n[:], prev[:]) == 1
}
