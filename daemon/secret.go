package daemon

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
)

// PositionOf returns the place on the ring that follows from an address, for nodes that are given none: a node that
// starts again comes back to its place.
func PositionOf(a netip.AddrPort) uint64 {
	sum := sha256.Sum256([]byte("i3bench position " + a.String()))
	return binary.BigEndian.Uint64(sum[:])
}

// A secret is what a node's keys are derived from.
type secret struct {
	bytes []byte
	self  netip.AddrPort
}

// minSecret is the least length of a secret, in bytes.
const minSecret = 32

// loadSecret reads the secret from a file, or draws one if there is no name.
func loadSecret(name string, self netip.AddrPort) (secret, error) {
	if name == "" {
		b := make([]byte, minSecret)
		rand.Read(b) // never fails: see crypto/rand
		return secret{b, self}, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return secret{}, fmt.Errorf("daemon: secret: %w", err)
	}
	b, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(b) < minSecret { // the error would tell of the secret
		return secret{}, fmt.Errorf("daemon: secret %s: want %d hexadecimal digits or more", name, 2*minSecret)
	}
	return secret{b, self}, nil
}

// key fills k with the key for a purpose. Nodes that share a secret have other keys each: none can answer for another.
func (s secret) key(purpose string, k []byte) {
	b, err := hkdf.Key(sha256.New, s.bytes, nil, "i3bench "+purpose+" "+s.self.String(), len(k))
	if err != nil {
		panic(err) // only for a key of some thousand bytes
	}
	copy(k, b)
}
