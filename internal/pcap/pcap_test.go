package pcap_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"i3bench/internal/pcap"
)

var (
	v4a = netip.MustParseAddrPort("10.0.0.1:3000")
	v4b = netip.MustParseAddrPort("10.0.0.2:3001")
	v6a = netip.MustParseAddrPort("[2001:db8::1]:3000")
	v6b = netip.MustParseAddrPort("[2001:db8::2]:3001")
)

// A capture is a file of records; this one goes to memory.
func ExampleWriter() {
	var file bytes.Buffer
	w, err := pcap.NewWriter(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = w.Write(1_500_000_000, v4a, v4b, []byte("hello"))
	fmt.Println(file.Len(), "bytes,", err)
	// Output: 73 bytes, <nil>
}

// record writes one datagram and returns what it added to the file.
func record(t *testing.T, at int64, from, to netip.AddrPort, payload []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := pcap.NewWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	file.Reset()
	if err := w.Write(at, from, to, payload); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestBytes compares a file with one written out by hand from the documents of the formats.
func TestBytes(t *testing.T) {
	var file bytes.Buffer
	w, err := pcap.NewWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(1_500_000_000, v4a, v4b, []byte("hi!")); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"4d3cb2a1", "0200", "0400", "00000000", "00000000", "00000400", "65000000", // file
		"01000000", "0065cd1d", "1f000000", "1f000000", // record
		"4500", "001f", "0000", "4000", "40", "11", "26cc", "0a000001", "0a000002", // IPv4
		"0bb8", "0bb9", "000b", "4afb", "686921", // UDP
	}, "")
	if got := hex.EncodeToString(file.Bytes()); got != want {
		t.Errorf("file is\n%s, want\n%s", got, want)
	}
}

// words sums 16-bit words as RFC 1071 has it, one after the other: a correct checksum makes the sum of all 0xffff.
func words(parts ...[]byte) uint16 {
	all := bytes.Join(parts, nil)
	if len(all)%2 == 1 {
		all = append(all, 0)
	}
	var s uint16
	for i := 0; i < len(all); i += 2 {
		v := binary.BigEndian.Uint16(all[i:])
		if s += v; s < v {
			s++
		}
	}
	return s
}

func TestChecksums(t *testing.T) {
	for n := range 300 {
		payload := make([]byte, n)
		for i := range payload {
			payload[i] = byte(i*i + n)
		}
		length := binary.BigEndian.AppendUint32(nil, uint32(n+8))
		ip4 := record(t, 0, v4a, v4b, payload)[16:]
		if got := words(ip4[:20]); got != 0xffff {
			t.Fatalf("%d bytes: IPv4 header sums to %04x", n, got)
		}
		if got := words(ip4[12:20], []byte{0, 17}, length, ip4[20:]); got != 0xffff {
			t.Fatalf("%d bytes: UDP over IPv4 sums to %04x", n, got)
		}
		ip6 := record(t, 0, v6a, v6b, payload)[16:]
		if got := words(ip6[8:40], []byte{0, 17}, length, ip6[40:]); got != 0xffff {
			t.Fatalf("%d bytes: UDP over IPv6 sums to %04x", n, got)
		}
		if !bytes.Equal(ip4[28:], payload) || !bytes.Equal(ip6[48:], payload) {
			t.Fatalf("%d bytes: the payload is not what was written", n)
		}
	}
}

// TestZeroChecksum: a sum of zero means that there is none, so it is written as 0xffff.
func TestZeroChecksum(t *testing.T) {
	for v := range 1 << 16 {
		b := record(t, 0, v6a, v6b, []byte{byte(v >> 8), byte(v)})
		if check := binary.BigEndian.Uint16(b[16+40+6:]); check == 0 {
			t.Fatalf("payload %04x has checksum zero", v)
		}
	}
}

func TestMappedIsIPv4(t *testing.T) {
	mapped := netip.MustParseAddrPort("[::ffff:10.0.0.1]:3000")
	if !bytes.Equal(record(t, 5, mapped, v4b, []byte("x")), record(t, 5, v4a, v4b, []byte("x"))) {
		t.Error("an IPv4-mapped address is not written as IPv4")
	}
}

func TestLargestDatagrams(t *testing.T) {
	if got := binary.BigEndian.Uint16(record(t, 0, v4a, v4b, make([]byte, 65507))[18:]); got != 65535 {
		t.Errorf("IPv4 length %d, want 65535", got)
	}
	if got := binary.BigEndian.Uint16(record(t, 0, v6a, v6b, make([]byte, 65527))[20:]); got != 65535 {
		t.Errorf("IPv6 length %d, want 65535", got)
	}
}

func TestWriteErrors(t *testing.T) {
	var file bytes.Buffer
	w, err := pcap.NewWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	file.Reset()
	for _, c := range []struct {
		name     string
		at       int64
		from, to netip.AddrPort
		size     int
		want     string
	}{
		{"two families", 0, v4a, v6a, 1, "one family"},
		{"two families, other way", 0, v6a, v4a, 1, "one family"},
		{"no source", 0, netip.AddrPort{}, v4a, 1, "one family"},
		{"no destination", 0, v4a, netip.AddrPort{}, 1, "one family"},
		{"too large for IPv4", 0, v4a, v4b, 65508, "at most 65507"},
		{"too large for IPv6", 0, v6a, v6b, 65528, "at most 65527"},
		{"before 1970", -1, v4a, v4b, 1, "from 1970 to 2106"},
		{"after 2106", 1 << 62, v4a, v4b, 1, "from 1970 to 2106"},
	} {
		err := w.Write(c.at, c.from, c.to, make([]byte, c.size))
		if err == nil || !strings.HasPrefix(err.Error(), "pcap: write datagram") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
	}
	if file.Len() != 0 {
		t.Errorf("refused datagrams left %d bytes in the file", file.Len())
	}
}

// full is a disk that is full after so many bytes.
type full int

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	if *f -= full(len(b)); *f < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterErrorsAreReported(t *testing.T) {
	disk := full(10)
	if _, err := pcap.NewWriter(&disk); !errors.Is(err, errFull) {
		t.Errorf("NewWriter: %v, want %v", err, errFull)
	}
	disk = full(30)
	w, err := pcap.NewWriter(&disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(0, v4a, v4b, []byte("hello")); !errors.Is(err, errFull) {
		t.Errorf("Write: %v, want %v", err, errFull)
	}
}
