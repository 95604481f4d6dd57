package udp

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"

	"i3bench/replicate"
)

// A portableOut is what a portable socket sends with.
type portableOut struct {
	msgs    []ipv4.Message
	buffers [][]byte // of all messages of a call, one after the other
	source  netip.Addr
	oob     []byte // says it
	addrs   map[netip.AddrPort]*net.UDPAddr
}

// maxAddrs bounds the addresses that are remembered in the form that the net package wants. At the bound all are
// forgotten.
const maxAddrs = 8192

func (out *portableOut) init(cfg Config) {
	out.msgs = make([]ipv4.Message, cfg.Batch)
	out.addrs = make(map[netip.AddrPort]*net.UDPAddr)
}

// Send sends messages from an address that the system chooses.
func (p *portable) Send(ms []replicate.Message) (int, error) { return p.SendFrom(netip.Addr{}, ms) }

// SendFrom sends messages from an address of this host.
func (p *portable) SendFrom(source netip.Addr, ms []replicate.Message) (done int, err error) {
	out := &p.out
	if source = source.Unmap(); source.IsValid() && !source.Is4() {
		return 0, p.refused(ErrAddress)
	}
	if source != out.source {
		if out.source, out.oob = source, nil; source.IsValid() {
			out.oob = (&ipv4.ControlMessage{Src: source.AsSlice()}).Marshal()
		}
	}
	for done < len(ms) {
		n, bad := out.prepare(ms[done:])
		for k := 0; k < n; {
			p.count.sends.Add(1)
			w, err := p.batch.WriteBatch(out.msgs[k:n], dontWait)
			if err != nil {
				out.forget(n)
				return done, p.refused(explain(err))
			}
			p.count.took(ms[done : done+w])
			k += w
			done += w
		}
		out.forget(n)
		if bad != nil {
			return done, p.refused(bad)
		}
	}
	return done, nil
}

func (p *portable) refused(err error) error {
	p.count.refused.Add(1)
	return err
}

// explain returns the error that stands for one of the net package.
func explain(err error) error {
	errno, ok := reason(err)
	switch {
	case !ok:
		return fmt.Errorf("udp: send: %w", err)
	case full(errno):
		return replicate.ErrFull
	}
	return Refusal(errno)
}

// prepare makes messages of the first ones, and returns how many and why the next cannot be one: nil if only the batch
// is full.
func (out *portableOut) prepare(ms []replicate.Message) (int, error) {
	ms = ms[:min(len(ms), len(out.msgs))]
	out.buffers = out.buffers[:0]
	for i := range ms {
		to, err := check(&ms[i], 1)
		if err != nil {
			return i, err
		}
		begin := len(out.buffers)
		for _, v := range ms[i].Vectors {
			out.buffers = append(out.buffers, v.Bytes())
		}
		m := &out.msgs[i]
		m.Buffers, m.OOB, m.Addr = out.buffers[begin:len(out.buffers):len(out.buffers)], out.oob, out.addr(to)
	}
	return len(ms), nil
}

// forget drops the references to the first n messages' bytes.
func (out *portableOut) forget(n int) {
	for i := range out.msgs[:n] {
		out.msgs[i].Buffers = nil
	}
	clear(out.buffers)
}

func (out *portableOut) addr(to netip.AddrPort) *net.UDPAddr {
	a, ok := out.addrs[to]
	if !ok {
		if len(out.addrs) >= maxAddrs {
			clear(out.addrs)
		}
		a = net.UDPAddrFromAddrPort(to)
		out.addrs[to] = a
	}
	return a
}
