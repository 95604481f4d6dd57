package udp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// OpenGroup opens n sockets of one port, at most 1,024, and steers what arrives among them. They are to be closed
// together: when one is, the kernel moves the last into its place. Where the configuration asks for the portable form,
// and on other systems than Linux, n must be 1.
func OpenGroup(cfg Config, n int, steer Steering) ([]Conn, error) {
	cfg, err := cfg.withDefaults()
	switch {
	case err != nil:
		return nil, err
	case n < 1 || n > maxGroup || cfg.Portable && n > 1:
		return nil, fmt.Errorf("udp: open group: %d sockets: want 1 to %d, or 1 of the portable form", n, maxGroup)
	case steer.offset < 0 || steer.offset > MaxDatagram:
		return nil, fmt.Errorf("udp: open group: steer by the word at %d: want 0 to %d", steer.offset, MaxDatagram)
	case cfg.Portable:
		c, err := openPortable(cfg)
		if err != nil {
			return nil, err
		}
		return []Conn{c}, nil
	}
	var group []Conn
	program := steer.program(n)
	for range n {
		s, err := openSocket(cfg, true, program)
		if err != nil {
			closeAll(group)
			return nil, err
		}
		group = append(group, s)
		cfg.Local, program = s.local, nil // the others join the first
	}
	return group, nil
}

// program returns what the kernel runs for each datagram to find its socket, of n.
func (s Steering) program(n int) []unix.SockFilter {
	if !s.byWord {
		return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}
	}
	// word * n >> 32 is (high half * n + (low half * n >> 16)) >> 16, which stays within 32 bits. A load beyond the end
	// of the datagram ends the program with 0.
	k := uint32(n)
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: uint32(s.offset)},
		{Code: unix.BPF_ST}, // to word 0 of the scratch memory
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xffff},
		{Code: unix.BPF_ALU | unix.BPF_MUL | unix.BPF_K, K: k},
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 16},
		{Code: unix.BPF_MISC | unix.BPF_TAX},
		{Code: unix.BPF_LD | unix.BPF_MEM},
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 16},
		{Code: unix.BPF_ALU | unix.BPF_MUL | unix.BPF_K, K: k},
		{Code: unix.BPF_ALU | unix.BPF_ADD | unix.BPF_X},
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 16},
		{Code: unix.BPF_RET | unix.BPF_A},
	}
}
