package udp

import (
	"net/netip"
	"testing"
	"time"

	"i3bench/replicate"
)

// loopback is where the sockets of tests are.
var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// A form is an implementation of Conn. All have the same tests.
type form struct {
	name string
	open func(Config) (Conn, error)
	caps bool // whether it may have trains, sources and destinations
}

// open opens a socket that the test closes.
func open(tb testing.TB, f form, cfg Config) Conn {
	tb.Helper()
	c, err := f.open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return c
}

// results returns n results with buffers of so many bytes.
func results(n, bytes int) []Received {
	rs := make([]Received, n)
	for i := range rs {
		rs[i].Buf = make([]byte, bytes)
	}
	return rs
}

// message returns a message of datagrams of the given sizes, all but the last equal, each of a header and a payload.
func message(to netip.AddrPort, datagrams ...[]byte) replicate.Message {
	m := replicate.Message{To: to, Copies: len(datagrams)}
	for _, d := range datagrams {
		m.Size += len(d)
		if cut := len(d) / 3; cut > 0 {
			m.Vectors = append(m.Vectors, replicate.VectorOf(d[:cut]))
			d = d[cut:]
		}
		if len(d) > 0 {
			m.Vectors = append(m.Vectors, replicate.VectorOf(d))
		}
	}
	if len(datagrams) > 1 {
		m.Segment = len(datagrams[0])
	}
	return m
}

// messages returns a train of the datagrams, or a message for each.
func messages(to netip.AddrPort, datagrams [][]byte, train bool) (ms []replicate.Message) {
	if train {
		return []replicate.Message{message(to, datagrams...)}
	}
	for _, d := range datagrams {
		ms = append(ms, message(to, d))
	}
	return ms
}

// patience is how long a test waits for a datagram on the same host.
const patience = 5 * time.Second

// receive returns the next want datagrams, copied, with what came with the first of each result.
func receive(tb testing.TB, c Conn, rs []Received, want int) (got [][]byte, heads []Received) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for len(got) < want {
		n, err := c.Recv(rs)
		if err != nil {
			tb.Fatalf("recv: %v", err)
		}
		for i := range rs[:n] {
			heads = append(heads, rs[i])
			for k := range rs[i].Datagrams() {
				got = append(got, append([]byte{}, rs[i].Datagram(k)...))
			}
		}
		if n > 0 {
			continue
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%d of %d datagrams after %v", len(got), want, patience)
		}
		if _, err := c.Wait(time.Until(deadline)); err != nil {
			tb.Fatalf("wait: %v", err)
		}
	}
	return got, heads
}

func portableForm(cfg Config) (Conn, error) { cfg.Portable = true; return Open(cfg) }

func classes(cfg Config) (Conn, error) {
	c, err := OpenClasses(cfg)
	if err != nil {
		return nil, err // not a Conn that is a nil of Classes
	}
	return c, nil
}
