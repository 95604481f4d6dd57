package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net/netip"
)

// The constants of the file format.
const (
	magicNanoseconds = 0xa1b23c4d
	linkTypeRaw      = 101 // each record is an IPv4 or IPv6 packet
	snapLen          = 1 << 18
)

// Sizes of headers in bytes.
const (
	fileHeaderSize   = 24
	recordHeaderSize = 16
	ipv4HeaderSize   = 20
	ipv6HeaderSize   = 40
	udpHeaderSize    = 8
)

// The parts of the IP headers that are the same in every packet.
const (
	protocolUDP = 17
	timeToLive  = 64
)

// A Writer writes one capture. It is not safe for concurrent use.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter writes the header of a capture to w and returns a Writer for its datagrams. The error is w's.
func NewWriter(w io.Writer) (*Writer, error) {
	var h [fileHeaderSize]byte
	binary.LittleEndian.PutUint32(h[0:], magicNanoseconds)
	binary.LittleEndian.PutUint16(h[4:], 2) // version 2.4
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], snapLen)
	binary.LittleEndian.PutUint32(h[20:], linkTypeRaw)
	if _, err := w.Write(h[:]); err != nil {
		return nil, fmt.Errorf("pcap: write the header of a capture: %w", err)
	}
	return &Writer{w: w}, nil
}

// Write adds one datagram, seen at a time in nanoseconds since 1970. Both addresses must be of one family, IPv4-mapped
// ones counting as IPv4, and the datagram must fit an IP packet. On such an error nothing is written.
func (w *Writer) Write(nanoseconds int64, from, to netip.AddrPort, payload []byte) error {
	src, dst := from.Addr().Unmap(), to.Addr().Unmap()
	header := ipv4HeaderSize
	if src.Is6() {
		header = ipv6HeaderSize
	}
	// The length field of IPv4 counts its header, that of IPv6 does not.
	room := math.MaxUint16 - udpHeaderSize
	if src.Is4() {
		room -= ipv4HeaderSize
	}
	switch {
	case !src.IsValid() || !dst.IsValid() || src.Is4() != dst.Is4():
		return fmt.Errorf("pcap: write datagram from %v to %v: want two addresses of one family", from, to)
	case len(payload) > room:
		return fmt.Errorf("pcap: write datagram of %d bytes from %v: want at most %d", len(payload), from, room)
	case nanoseconds < 0 || nanoseconds/1e9 > math.MaxUint32:
		return fmt.Errorf("pcap: write datagram at %d ns: want a time from 1970 to 2106", nanoseconds)
	}
	size := header + udpHeaderSize + len(payload)
	b := binary.LittleEndian.AppendUint32(w.buf[:0], uint32(nanoseconds/1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(nanoseconds%1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(size)) // bytes kept
	b = binary.LittleEndian.AppendUint32(b, uint32(size)) // bytes there were
	if src.Is4() {
		b = appendIPv4(b, src, dst, udpHeaderSize+len(payload))
	} else {
		b = appendIPv6(b, src, dst, udpHeaderSize+len(payload))
	}
	b = appendUDP(b, netip.AddrPortFrom(src, from.Port()), netip.AddrPortFrom(dst, to.Port()), payload)
	w.buf = b
	if _, err := w.w.Write(b); err != nil {
		return fmt.Errorf("pcap: write datagram from %v: %w", from, err)
	}
	return nil
}

// appendIPv4 appends the header of a packet that carries so many bytes (RFC 791).
func appendIPv4(b []byte, src, dst netip.Addr, length int) []byte {
	start := len(b)
	b = append(b, 0x45, 0) // version 4, five words
	b = binary.BigEndian.AppendUint16(b, uint16(ipv4HeaderSize+length))
	b = append(b, 0, 0, 0x40, 0, timeToLive, protocolUDP, 0, 0) // no identification, do not fragment
	b = append(b, src.AsSlice()...)
	b = append(b, dst.AsSlice()...)
	binary.BigEndian.PutUint16(b[start+10:], ^fold(sum(0, b[start:])))
	return b
}

// appendIPv6 appends the header of a packet that carries so many bytes (RFC 8200).
func appendIPv6(b []byte, src, dst netip.Addr, length int) []byte {
	b = append(b, 0x60, 0, 0, 0) // version 6, no flow label
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	b = append(b, protocolUDP, timeToLive)
	b = append(b, src.AsSlice()...)
	return append(b, dst.AsSlice()...)
}

// appendUDP appends header and payload of a datagram (RFC 768). The checksum covers a pseudo-header of the addresses,
// protocol and length, the same sum for both families; a sum of zero is written as its other form.
func appendUDP(b []byte, from, to netip.AddrPort, payload []byte) []byte {
	length := udpHeaderSize + len(payload)
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	b = append(b, 0, 0)
	b = append(b, payload...)
	pseudo := sum(sum(uint32(protocolUDP)+uint32(length), from.Addr().AsSlice()), to.Addr().AsSlice())
	check := ^fold(sum(pseudo, b[start:]))
	if check == 0 {
		check = 0xffff
	}
	binary.BigEndian.PutUint16(b[start+6:], check)
	return b
}

// sum adds the 16-bit words of b to s (RFC 1071). 64 KiB of them cannot overflow it.
func sum(s uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

// fold adds the carries of a sum to it until it has 16 bits.
func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
