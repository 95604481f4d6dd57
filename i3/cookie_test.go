package i3_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3"
)

// TestCookieIsTheDocumentedMAC computes a nonce from the bytes that doc and wire format name.
func TestCookieIsTheDocumentedMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		epoch := rapid.Uint32().Draw(t, "epoch")
		tr := i3.Trigger{ID: anyID.Draw(t, "id"), Target: i3.ToHost(anyAddr.Draw(t, "host"), anyKey.Draw(t, "key"))}
		host, _ := tr.Target.Host()
		id, key := tr.ID.Bytes(), tr.Target.Key()
		mac := hmac.New(sha256.New, secret[:])
		mac.Write(binary.BigEndian.AppendUint32(nil, epoch))
		mac.Write(id[:])
		mac.Write(i3.AppendAddr(nil, host))
		mac.Write(key[:])
		want := i3.Nonce(mac.Sum(nil)[:16])
		c := i3.NewCookies(secret)
		if got := c.Nonce(epoch, tr); got != want {
			t.Fatalf("nonce %x, want %x", got, want)
		}
		if !c.Check(epoch, tr, want) {
			t.Fatal("a nonce of this epoch is refused")
		}
	})
}

// TestCookieProvesOneThing: a nonce is good for one trigger and two epochs, and for nothing else.
func TestCookieProvesOneThing(t *testing.T) {
	key := i3.RightKey(idA)
	tr := i3.Trigger{ID: idA, Target: i3.ToHost(host4, key)}
	at := func(addr string) i3.Trigger {
		return i3.Trigger{ID: idA, Target: i3.ToHost(netip.MustParseAddrPort(addr), key)}
	}
	const epoch = 77
	c := i3.NewCookies([32]byte{31: 1})
	n := c.Nonce(epoch, tr)
	flip := func(i int) i3.Nonce {
		m := n
		m[i] ^= 1
		return m
	}
	for _, row := range []struct {
		name  string
		by    *i3.Cookies
		epoch uint32
		tr    i3.Trigger
		nonce i3.Nonce
		want  bool
	}{
		{"same epoch", c, epoch, tr, n, true},
		{"next epoch", c, epoch + 1, tr, n, true},
		{"two epochs later", c, epoch + 2, tr, n, false},
		{"the epoch before it was issued", c, epoch - 1, tr, n, false},
		{"another node of the same secret", i3.NewCookies([32]byte{31: 1}), epoch, tr, n, true},
		{"another secret", i3.NewCookies([32]byte{31: 2}), epoch, tr, n, false},
		{"another identifier", c, epoch, i3.Trigger{ID: idA.WithSuffix(9), Target: tr.Target}, n, false},
		{"another prefix", c, epoch, i3.Trigger{ID: idA.Public(), Target: tr.Target}, n, false},
		{"another address", c, epoch, at("10.0.0.8:3001"), n, false},
		{"another port", c, epoch, at("10.0.0.7:3002"), n, false},
		{"the address as IPv4-compatible", c, epoch, at("[::10.0.0.7]:3001"), n, false},
		{"the address as IPv4-mapped", c, epoch, at("[::ffff:10.0.0.7]:3001"), n, true},
		{"another key", c, epoch, i3.Trigger{ID: idA, Target: i3.ToHost(host4, i3.Key{})}, n, false},
		{"no nonce", c, epoch, tr, i3.Nonce{}, false},
		{"first bit flipped", c, epoch, tr, flip(0), false},
		{"last bit flipped", c, epoch, tr, flip(15), false},
		{"an earlier nonce", c, epoch, tr, c.Nonce(epoch-2, tr), false},
		{"the one of the epoch before", c, epoch, tr, c.Nonce(epoch-1, tr), true},
	} {
		if got := row.by.Check(row.epoch, row.tr, row.nonce); got != row.want {
			t.Errorf("%s: Check is %v, want %v", row.name, got, row.want)
		}
	}
	if first, last := c.Nonce(0, tr), c.Nonce(^uint32(0), tr); !c.Check(0, tr, last) || c.Check(^uint32(0), tr, first) {
		t.Error("epochs do not wrap around: 0 must follow the largest")
	}
}

// TestCookiesKeepNoState: answers do not depend on what was asked before, which is what makes them stateless.
func TestCookiesKeepNoState(t *testing.T) {
	shared := i3.NewCookies([32]byte{5})
	rapid.Check(t, func(t *rapid.T) {
		tr := i3.Trigger{ID: anyID.Draw(t, "id"), Target: anyTarget.Draw(t, "target")}
		epoch := rapid.Uint32().Draw(t, "epoch")
		if got, want := shared.Nonce(epoch, tr), i3.NewCookies([32]byte{5}).Nonce(epoch, tr); got != want {
			t.Fatalf("a used Cookies issues %x, a new one %x", got, want)
		}
	})
}
