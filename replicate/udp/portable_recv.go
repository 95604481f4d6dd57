package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/ipv4"
)

// A portableIn is what a portable socket receives with.
type portableIn struct {
	msgs    []ipv4.Message
	buffers [][1][]byte // of the messages, so that none has to be made
	oob     int         // bytes of control data to make room for
	hold    [1]ipv4.Message
	held    bool // hold has the datagram that ended a Wait
}

func (in *portableIn) init(cfg Config) {
	in.msgs, in.buffers = make([]ipv4.Message, cfg.Batch), make([][1][]byte, cfg.Batch)
	if cfg.Destinations {
		in.oob = len(ipv4.NewControlMessage(ipv4.FlagDst))
	}
	for i := range in.msgs {
		in.msgs[i].OOB = make([]byte, in.oob)
	}
	in.hold[0] = ipv4.Message{Buffers: [][]byte{make([]byte, 1<<16)}, OOB: make([]byte, in.oob)}
}

// Recv receives what is there, first the datagram that ended a Wait.
func (p *portable) Recv(rs []Received) (n int, err error) {
	in := &p.in
	rs = rs[:min(len(rs), len(in.msgs))]
	if len(rs) == 0 {
		return 0, nil
	}
	if in.held {
		in.held, n = false, 1
		m := &in.hold[0]
		size := m.N
		copy(rs[0].Buf, m.Buffers[0][:size])
		in.result(m, size, &rs[0])
	}
	for n < len(rs) {
		k, e := p.read(rs[n:])
		if n += k; e != nil {
			err = e
		}
		if k == 0 {
			break
		}
	}
	if n == 0 {
		return 0, err
	}
	p.count.arrived(rs[:n])
	return n, nil
}

// read receives with one call of the batch, which is one datagram where the system has no more.
func (p *portable) read(rs []Received) (int, error) {
	in := &p.in
	for i := range rs {
		in.buffers[i][0] = rs[i].Buf
		in.msgs[i].Buffers = in.buffers[i][:]
		in.msgs[i].OOB = in.msgs[i].OOB[:in.oob]
	}
	if dontWait == 0 {
		_ = p.conn.SetReadDeadline(time.Now().Add(time.Millisecond)) // or it would wait for ever
	}
	n, err := p.batch.ReadBatch(in.msgs[:len(rs)], dontWait)
	for i := range rs {
		in.buffers[i][0] = nil
	}
	if err != nil {
		errno, ok := reason(err)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) || ok && full(errno):
			return 0, nil
		case errors.Is(err, net.ErrClosed):
			return 0, errClosed
		case ok:
			return 0, Refusal(errno)
		}
		return 0, fmt.Errorf("udp: receive: %w", err)
	}
	for i := range n {
		size := in.msgs[i].N
		if in.msgs[i].Flags&truncated != 0 {
			size = len(rs[i].Buf) + 1 // how much longer, nobody tells
		}
		in.result(&in.msgs[i], size, &rs[i])
	}
	return n, nil
}

// result writes what a message of so many bytes says.
func (in *portableIn) result(m *ipv4.Message, size int, to *Received) {
	to.cut(size, 0)
	to.From, to.To = unmapped(m.Addr), netip.Addr{}
	var control ipv4.ControlMessage
	if in.oob > 0 && control.Parse(m.OOB[:m.NN]) == nil {
		if dst, ok := netip.AddrFromSlice(control.Dst); ok {
			to.To = dst.Unmap()
		}
	}
}
