package multicast

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"net/netip"

	"i3bench/i3"
)

// A Door is what a source has to let in those who know only its group's public name.
type Door struct {
	// Secret is 32 random bytes from which the name and the source's key follow. Who
	// has it can take the name's packets; the name lasts as long as it is kept.
	Secret [32]byte
	// Admit decides about one asker. It runs inside the machine's call and must not
	// call the machine; it is called again if the answer was lost. Nil lets everybody in.
	Admit func(Asker) bool
	// Rate is how many asks a second are answered, and at once after a pause. The others are
	// dropped. Default [DefaultAsks].
	Rate int
}

// DefaultAsks is how many asks a second a source answers: each takes it some 0.2 ms.
const DefaultAsks = 100

// An Asker is a host that asks to be let into a group.
type Asker struct {
	// Addr is where the answer goes. Nobody has proven that the asker is there.
	Addr netip.AddrPort
	// Key is the asker's ephemeral public key. Only who made it can read the answer.
	Key [32]byte
	// Token is what it shows, at most [MaxToken] bytes, valid only during the call. It
	// crosses the network in the clear, so who sees it may show it too, unless it is a
	// proof: see Proves.
	Token []byte

	name i3.ID
}

// Proves reports whether the asker has shown that it knows a secret, see [Name]. The
// proof is for its key, address and the name alone, so nobody else can use it.
func (a Asker) Proves(secret []byte) bool {
	want := proof(secret, a.name, a.Key, a.Addr)
	return subtle.ConstantTimeCompare(want[:], a.Token) == 1
}

// proof is HMAC-SHA-256 under the secret.
func proof(secret []byte, name i3.ID, key [32]byte, addr netip.AddrPort) (p [32]byte) {
	mac := hmac.New(sha256.New, secret)
	id := name.Bytes()
	mac.Write(id[:])
	mac.Write(i3.AppendAddr(key[:], addr))
	mac.Sum(p[:0])
	return p
}

// A Name is what a receiver has of a group of which it knows no more than its public
// name.
type Name struct {
	// ID is the name, see [PublicName].
	ID i3.ID
	// Token is shown to the source as it is, at most [MaxToken] bytes.
	Token []byte
	// Secret, if not empty, is proven to the source instead, without showing it.
	Secret []byte
	// Entropy is 32 bytes that nobody can guess, from the operating system, from which
	// the key comes that the answer is sealed for. Receivers may share them.
	Entropy [32]byte
}

func (n *Name) check() error {
	if !n.ID.IsPublic() {
		return fmt.Errorf("multicast: config: name %v: want a public identifier", n.ID)
	}
	if len(n.Token) > MaxToken {
		return fmt.Errorf("multicast: config: token of %d bytes: want at most %d", len(n.Token), MaxToken)
	}
	return nil
}

// PublicName returns the public name of a group whose source has the door's secret.
//
// Its key is the left constraint of one that only the source knows, so that nobody else
// can have a trigger for it. Its prefix and suffix, 127 bits of them, commit to the
// source's key, so that whoever knows the name knows a true answer from a forged one.
func PublicName(secret [32]byte) i3.ID {
	return nameOf(publicKey(doorKey(&secret)), i3.LeftKeyOf(triggerKey(&secret)))
}

// nameOf returns the name that commits to a source's key.
func nameOf(public [32]byte, key i3.Key) i3.ID {
	sum := digest("i3bench name\x00", public[:])
	return i3.NewID(binary.BigEndian.Uint64(sum[:])|1, key, binary.BigEndian.Uint64(sum[8:]))
}

// triggerKey returns the key of the host target of the name's trigger.
func triggerKey(secret *[32]byte) i3.Key {
	sum := digest("i3bench door trigger\x00", secret[:])
	return i3.Key(sum[:i3.KeySize])
}

// doorKey returns the source's key pair.
func doorKey(secret *[32]byte) *ecdh.PrivateKey {
	return keyPair(digest("i3bench door key\x00", secret[:]))
}

func digest(domain string, parts ...[]byte) (sum [32]byte) {
	h := sha256.New()
	h.Write([]byte(domain))
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}

func keyPair(b [32]byte) *ecdh.PrivateKey {
	k, err := ecdh.X25519().NewPrivateKey(b[:])
	if err != nil {
		panic(err) // any 32 bytes are a key
	}
	return k
}

func publicKey(k *ecdh.PrivateKey) [32]byte { return [32]byte(k.PublicKey().Bytes()) }

// sealer returns what seals and opens the answer to one asker. It returns an error if the
// other's key is none.
func sealer(own *ecdh.PrivateKey, other, asker, source [32]byte, name i3.ID) (cipher.AEAD, error) {
	public, err := ecdh.X25519().NewPublicKey(other[:])
	if err != nil {
		return nil, err
	}
	shared, err := own.ECDH(public)
	if err != nil {
		return nil, err
	}
	id := name.Bytes()
	key := digest("i3bench admit\x00", shared, asker[:], source[:], id[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
