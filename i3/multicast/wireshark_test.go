package multicast_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/internal/pcap"
	"i3bench/internal/prng"
	"i3bench/sim"
	"i3bench/testbed"
)

// The dissector of docs/i3.lua is a second decoder of the wire format, written from the same document. These tests give
// both the same datagrams and compare every field, and what each refuses.

// A sniffed datagram is one line of a capture.
type sniffed struct {
	at       machine.Time
	from, to netip.AddrPort
	data     []byte
}

// between returns captured datagrams from one port to another.
func between(from, to uint16, datagrams ...[]byte) (frames []sniffed) {
	src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), from)
	dst := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 2}), to)
	for i, d := range datagrams {
		frames = append(frames, sniffed{machine.Time(i), src, dst, d})
	}
	return frames
}

// everyPort makes tshark dissect all of port 3000, which the driver of virtual time uses, as i3.
const everyPort = "i3.port:3000"

// tshark writes a capture and returns the given fields of every frame.
func tshark(t *testing.T, frames []sniffed, fields []string, options ...string) []wireFields {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("multicast: tshark is not installed, so the dissector of docs/i3.lua is not tested")
	}
	file := filepath.Join(t.TempDir(), "i3.pcap")
	writeCapture(t, file, frames)
	args := []string{"-n", "-X", "lua_script:../../docs/i3.lua", "-r", file,
		"-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;"}
	for _, o := range options {
		args = append(args, "-o", o)
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var out, complaints bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, complaints.Bytes())
	}
	if s := complaints.String(); strings.Contains(s, "Lua") || strings.Contains(s, ".lua") {
		t.Fatalf("tshark complains about the script:\n%s", s)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(frames) {
		t.Fatalf("tshark printed %d frames, want %d", len(lines), len(frames))
	}
	parsed := make([]wireFields, len(lines))
	for i, line := range lines {
		parsed[i] = make(wireFields)
		for k, values := range strings.Split(line, "\t") {
			if values != "" {
				parsed[i][fields[k]] = strings.Split(values, ";")
			}
		}
	}
	return parsed
}

func writeCapture(t *testing.T, name string, frames []sniffed) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pcap.NewWriter(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.Write(int64(f.at), f.from, f.to, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// compareDissection gives frames to both decoders. It returns how many were malformed and what was seen.
func compareDissection(t *testing.T, frames []sniffed, options ...string) (malformed int, seen map[string]int) {
	t.Helper()
	names := append(slices.Clone(wireFieldNames), "i3.malformed", "i3mc.malformed")
	got := tshark(t, frames, names, options...)
	seen = make(map[string]int)
	wrong := 0
	for i, f := range frames {
		want := decodeFields(f.data)
		if want.malformed() {
			malformed++
		}
		if diff := want.difference(got[i]); diff != "" {
			if wrong++; wrong <= 5 {
				t.Errorf("frame %d, %x: %s", i+1, f.data, diff)
			}
		}
		for _, name := range []string{"i3.kind", "i3.ring.kind", "i3mc.type"} {
			for _, v := range want[name] {
				seen[name+" "+v]++
			}
		}
		if len(want["i3.kind"]) > 1 {
			seen["bundle"]++
		}
		if want["i3.padding"] != nil {
			seen["padding"]++
		}
	}
	if wrong > 5 {
		t.Errorf("%d of %d frames differ", wrong, len(frames))
	}
	return malformed, seen
}

// A block is one vector of a golden file.
type block struct {
	name string
	wire []byte
}

// readBlocks reads a golden file of three lines a vector.
func readBlocks(t *testing.T, file string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		lines := strings.Split(text, "\n")
		if len(lines) != 3 || strings.HasPrefix(text, "#") {
			continue
		}
		wire, err := hex.DecodeString(lines[2])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, block{lines[0], wire})
	}
	return all
}

// goldenDatagrams returns the datagrams of the golden files: messages of the multicast as payloads of data, those of
// rings as payloads of theirs.
func goldenDatagrams(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, v := range readBlocks(t, "../testdata/golden.txt") {
		if strings.HasPrefix(v.name, "datagram: ") {
			all = append(all, v.wire)
		}
	}
	if len(all) == 0 {
		t.Fatal("../testdata/golden.txt has no datagrams")
	}
	for _, m := range goldenRings(t) {
		all = append(all, ringDatagram(m))
	}
	id := i3.NewID(0x0123456789abcdef, i3.Key{1}, 7)
	for _, v := range multicast.ReadGolden(t) {
		if strings.HasPrefix(v.Name, "derived: ") {
			continue
		}
		h := i3.Packet{Kind: i3.KindData, HopLimit: 32, Length: uint16(len(v.Wire)), ID: id}
		all = append(all, append(h.AppendTo(nil), v.Wire...))
	}
	return all
}

// wantSeen fails unless every kind of packet up to one, every kind of ring message, and the given types of messages
// were among the frames.
func wantSeen(t *testing.T, seen map[string]int, last i3.Kind, types ...multicast.Type) {
	t.Helper()
	want := []string{"bundle"}
	for k := i3.KindData; k <= last; k++ {
		want = append(want, fmt.Sprint("i3.kind ", uint8(k)))
	}
	for k := range 5 {
		want = append(want, fmt.Sprint("i3.ring.kind ", k+1))
	}
	for _, typ := range types {
		want = append(want, fmt.Sprint("i3mc.type ", uint8(typ)))
	}
	for _, w := range want {
		if seen[w] == 0 {
			t.Errorf("no frame has %s: seen were %v", w, seen)
		}
	}
}

func allTypes() (types []multicast.Type) {
	for typ := multicast.TypeData; typ <= multicast.TypeEnd; typ++ {
		types = append(types, typ)
	}
	return types
}

// TestDissectorGolden: every kind of packet and message, a bundle of them all, and padding.
func TestDissectorGolden(t *testing.T) {
	datagrams := goldenDatagrams(t)
	var bundle []byte
	for _, d := range datagrams {
		if _, wire, rest, err := i3.Next(d); err == nil && wire != nil && len(rest) == 0 {
			bundle = append(bundle, d...)
		}
	}
	datagrams = append(datagrams, append(bundle, make([]byte, 33)...))
	_, seen := compareDissection(t, between(3000, 3000, datagrams...), everyPort)
	wantSeen(t, seen, i3.KindPushback, allTypes()...)
	if seen["padding"] == 0 {
		t.Error("no frame has padding")
	}
}

// TestDissectorNames: the info column begins with the name of the first packet's kind, and of a ring message's.
func TestDissectorNames(t *testing.T) {
	datagrams := goldenDatagrams(t)
	named := make(map[string]bool)
	for i, got := range tshark(t, between(3000, 3000, datagrams...), []string{"_ws.col.Info"}, everyPort) {
		p, wire, _, err := i3.Next(datagrams[i])
		if err != nil || wire == nil {
			continue
		}
		want := p.Kind.String()
		if p.Kind == i3.KindRing {
			want += " (" + [...]string{"ask", "answer", "tell", "follow", "leave", "moved"}[i3.Payload(wire)[0]-1] + ")"
		}
		if p.Kind == i3.KindHandover {
			does := "ask"
			switch b := i3.Payload(wire); {
			case b[0] == 1:
				does = "bring"
			case b[0] == 2:
				does = "ask mirror"
			case b[0] == 3:
				does = "mirror"
			case b[1] == 1:
				does = "offer"
			}
			want += " (" + does + ")"
		}
		named[p.Kind.String()] = true
		if info := strings.Join(got["_ws.col.Info"], ";"); !strings.HasPrefix(info, want) {
			t.Errorf("frame %d is called %q, want %q", i+1, info, want)
		}
	}
	for k := i3.KindData; k <= i3.KindPushback; k++ {
		if !named[k.String()] {
			t.Errorf("no frame begins with a packet of kind %v", k)
		}
	}
}

// TestDissectorExchange: what nodes and hosts say to each other while a tree is built, loses packets, and loses a
// member; and what members say while they form a ring, and one leaves it.
func TestDissectorExchange(t *testing.T) {
	frames := append(eavesdrop(t), eavesdropRing(t)...)
	malformed, seen := compareDissection(t, frames, everyPort)
	if malformed > 0 {
		t.Errorf("%d of %d datagrams of a real exchange are malformed", malformed, len(frames))
	}
	wantSeen(t, seen, i3.KindRing, multicast.TypeData, multicast.TypeHeartbeat, multicast.TypeQuery, multicast.TypeReply,
		multicast.TypeRefreshAck, multicast.TypeRequest, multicast.TypeRepair, multicast.TypeLeaving)
	t.Logf("%d datagrams compared: %v", len(frames), seen)
}

// eavesdrop runs a small group in virtual time and returns every datagram that was delivered.
func eavesdrop(t *testing.T) (frames []sniffed) {
	t.Helper()
	net := testbed.NewNetwork(nil, machine.Millisecond, testbed.Loss{Seed: 7, NodeMax: 0.1, HostMax: 0.2})
	world := sim.New(sim.Config{Seed: 7, Network: net})
	tap := func() (testbed.Endpoint, error) {
		e, err := world.Open()
		if err != nil {
			return nil, err
		}
		e.SetFilter(func(d machine.Datagram) bool {
			frames = append(frames, sniffed{world.Now(), d.From, e.Addr(), bytes.Clone(d.Bytes)})
			return true
		})
		return e, nil
	}
	bed, err := testbed.New(testbed.Config{Open: tap, Network: net, Seed: 7, Nodes: 3, Degree: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	var rs []*testbed.Receiver
	for i := range 8 {
		r, err := bed.AddReceiver(i%3, multicast.Events{})
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
		r.Join()
		world.Sleep(2 * machine.Second)
	}
	for range 40 {
		bed.Source().Send([]byte("payload"))
		world.Sleep(20 * machine.Millisecond)
	}
	for _, r := range rs {
		if r.Machine.Level() == 1 && r.Machine.Children() > 0 {
			r.Leave() // its children are told
			break
		}
	}
	world.Sleep(20 * machine.Second) // refreshes
	return frames
}

// TestDissectorRefuses damages datagrams and checks that the dissector calls malformed exactly what the decoders do.
func TestDissectorRefuses(t *testing.T) {
	rng := prng.New(20, 1)
	golden := goldenDatagrams(t)
	damaged := append(unusualDatagrams(t), unusualRings(t)...)
	for undamaged := len(damaged); len(damaged) < undamaged+1500; {
		d := bytes.Clone(golden[rng.IntN(len(golden))])
		switch rng.IntN(8) {
		case 0:
			d = d[:rng.IntN(len(d))+1]
		case 1:
			d = append(d, make([]byte, rng.IntN(60))...)
		case 2:
			d = append(d, golden[rng.IntN(len(golden))]...)
		default:
			for range 1 + rng.IntN(3) {
				d[rng.IntN(len(d))] ^= 1 << rng.IntN(8)
			}
		}
		damaged = append(damaged, d)
	}
	malformed, _ := compareDissection(t, between(3000, 3000, damaged...), everyPort)
	if malformed < len(damaged)/4 || malformed > len(damaged)*3/4 {
		t.Errorf("%d of %d damaged datagrams are malformed: too few of one kind to learn from", malformed, len(damaged))
	}
}

// unusualDatagrams returns what must be refused, or just not: numbers of entries, probes, and addresses in insertions
// and requests.
func unusualDatagrams(t *testing.T) (all [][]byte) {
	t.Helper()
	id := i3.NewID(2, i3.Key{}, 0)
	entry := i3.Insert{Trigger: i3.Trigger{ID: id, Target: i3.ToID(id)}}.AppendTo(nil)
	for _, n := range []int{0, 1, i3.MaxEntries, i3.MaxEntries + 1} {
		h := i3.Packet{Kind: i3.KindInsert, Length: uint16(n * i3.EntrySize), ID: id}
		all = append(all, append(h.AppendTo(nil), bytes.Repeat(entry, n)...))
	}
	for _, k := range []i3.Kind{i3.KindInsert, i3.KindRemove, i3.KindChallenge, i3.KindAck} {
		probe := i3.Insert{Trigger: i3.Trigger{ID: id, Target: i3.ToID(id)}, Probe: true}
		all = append(all, probe.AppendTo(i3.Packet{Kind: k, Length: i3.EntrySize, ID: id}.AppendTo(nil)))
	}
	for _, s := range []string{
		"0.0.0.0:1", "0.0.0.1:1", "223.255.255.255:1", "224.0.0.0:1", "239.255.255.255:1", "240.0.0.0:1",
		"255.255.255.254:1", "255.255.255.255:1", "10.0.0.7:0", "10.0.0.7:65535", "[::]:1", "[::1]:1", "[::ffff:0:0]:1",
		"[::fffe:a00:7]:1", "[fe80::1]:1", "[feff::1]:1", "[ff00::]:1", "[ffff::]:1", "[1::ffff:a00:7]:1", "[2001:db8::7]:0",
	} {
		host := netip.MustParseAddrPort(s)
		in := i3.Insert{Trigger: i3.Trigger{ID: id, Target: i3.ToHost(host, i3.RightKey(id))}}
		all = append(all, in.AppendTo(i3.Packet{Kind: i3.KindInsert, Length: i3.EntrySize, ID: id}.AppendTo(nil)))
		m := multicast.Message{Type: multicast.TypeRequest}.AppendTo(nil)
		m = multicast.Request{Group: id, Requester: host}.AppendTo(m)
		all = append(all, append(i3.Packet{Kind: i3.KindData, Length: uint16(len(m)), ID: id}.AppendTo(nil), m...))
	}
	return all
}

// TestDissectorRecognizes: without being told of a port it takes what has magic and version, and nothing else; and the
// captures that the project writes have good checksums.
func TestDissectorRecognizes(t *testing.T) {
	datagrams := goldenDatagrams(t)[:1]
	wrongMagic, wrongVersion := bytes.Clone(datagrams[0]), bytes.Clone(datagrams[0])
	wrongMagic[2]++
	wrongVersion[0] = 0x21
	frames := between(47001, 47002, datagrams...)
	frames = append(frames, between(47003, 47004, wrongMagic, wrongVersion, datagrams[0][:40])...)
	frames = append(frames, sniffed{0, netip.MustParseAddrPort("[2001:db8::1]:47005"),
		netip.MustParseAddrPort("[2001:db8::2]:47006"), datagrams[0]})
	// In a conversation that is known by now, also what could not be recognized on its own.
	frames = append(frames, between(47001, 47002, make([]byte, 9))...)
	got := tshark(t, frames, []string{"_ws.col.Protocol", "udp.checksum.status", "ip.checksum.status"},
		"udp.check_checksum:TRUE", "ip.check_checksum:TRUE")
	for i, want := range []string{"i3", "UDP", "UDP", "UDP", "i3", "i3"} {
		if p := got[i]["_ws.col.Protocol"]; !slices.Equal(p, []string{want}) {
			t.Errorf("frame %d is of protocol %q, want %s", i+1, p, want)
		}
		if s := got[i]["udp.checksum.status"]; !slices.Equal(s, []string{"1"}) {
			t.Errorf("frame %d: status of the UDP checksum is %q, want 1 (good)", i+1, s)
		}
		if s := got[i]["ip.checksum.status"]; i != 4 && !slices.Equal(s, []string{"1"}) {
			t.Errorf("frame %d: status of the IP checksum is %q, want 1 (good)", i+1, s)
		}
	}
}
