package replicate_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"i3bench/replicate"
)

var _ replicate.Port = (*replicate.Inproc)(nil)

// address returns an address that differs for each i.
func address(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(1000+i))
}

func open(t fataler, p *replicate.Inproc, addr netip.AddrPort, size int) *replicate.Mailbox {
	t.Helper()
	m, err := p.Open(addr, size)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return m
}

// receive returns the datagrams in a mailbox, and releases them.
func receive(t fataler, m *replicate.Mailbox) []string {
	t.Helper()
	var got []string
	var b strings.Builder
	ps := make([]replicate.Piece, 3)
	for n := m.GetBatch(ps); n > 0; n = m.GetBatch(ps) {
		for _, p := range ps[:n] {
			v, ok := m.View(p)
			if !ok {
				t.Fatalf("piece %+v is stale", p)
			}
			if b.Write(v); !p.More {
				got = append(got, b.String())
				b.Reset()
			}
		}
		if stale := m.Release(ps[:n]); stale != 0 {
			t.Fatalf("%d pieces are stale", stale)
		}
	}
	if b.Len() > 0 {
		t.Fatalf("datagram %q has no end", b.String())
	}
	return got
}

// message makes a message of parts, which are copied into a slot of s each, but for those in brackets.
func message(t testing.TB, s *replicate.Slab, to, segment int, parts ...string) replicate.Message {
	m := replicate.Message{To: address(to), Segment: segment, Copies: 1}
	for _, part := range parts {
		b := []byte(strings.Trim(part, "[]"))
		if part[0] != '[' {
			f := take(t, s, part)
			b, _ = s.Bytes(f)
		}
		m.Vectors = append(m.Vectors, replicate.VectorOf(b))
		m.Size += len(b)
	}
	return m
}

func TestInprocDelivers(t *testing.T) {
	for _, c := range []struct {
		name    string
		segment int
		parts   []string
		want    []string
		pieces  int
	}{
		{"datagram", 0, []string{"payload"}, []string{"payload"}, 1},
		{"header", 0, []string{"[header]", "payload"}, []string{"headerpayload"}, 2},
		{"train of one vector", 3, []string{"abcdefgh"}, []string{"abc", "def", "gh"}, 3},
		{"train of many", 4, []string{"[h]", "abc", "[i]", "def", "[j]", "gh"}, []string{"habc", "idef", "jgh"}, 6},
		{"borders inside vectors", 4, []string{"abcdef", "[ghi]", "j"}, []string{"abcd", "efgh", "ij"}, 5},
		{"longer than a slot", 0, []string{"[" + strings.Repeat("x", 150) + "]"}, []string{strings.Repeat("x", 150)}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSlab(t, 16, 64)
			p := replicate.NewInproc(s)
			box := open(t, p, address(1), c.pieces)
			if n, err := p.Send([]replicate.Message{message(t, s, 1, c.segment, c.parts...)}); n != 1 || err != nil {
				t.Fatalf("sent %d, %v", n, err)
			}
			if got := receive(t, box); !slices.Equal(got, c.want) {
				t.Errorf("received %q, want %q", got, c.want)
			}
			if got := p.Stats(); got != (replicate.InprocStats{Delivered: 1}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestInprocDrops: what cannot be delivered is dropped whole, counted once, and hurts no other address.
func TestInprocDrops(t *testing.T) {
	s := newSlab(t, 5, 64)
	p := replicate.NewInproc(s)
	slow, fast := open(t, p, address(1), 4), open(t, p, address(2), 16)
	if _, err := p.Open(address(1), 4); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1001") {
		t.Errorf("opened an address twice: %v", err)
	}
	abc := message(t, s, 1, 1, "abc") // three pieces
	again := abc
	to2 := abc
	to2.To, to2.Copies = address(2), 3
	nobody := abc
	nobody.To, nobody.Copies = address(3), 5
	long := message(t, s, 2, 0, "["+strings.Repeat("x", 64*4)+"]") // four slots are left, all for this
	long.Copies = 10
	longer := message(t, s, 2, 0, "["+strings.Repeat("x", 64*5)+"]")
	longer.Copies = 20
	p.Send([]replicate.Message{abc, again, to2, nobody, longer, long})
	want := replicate.InprocStats{Delivered: 1 + 3 + 10, Full: 1, Unknown: 5, NoSlot: 20}
	if got := p.Stats(); got != want || slow.Dropped() != 1 || fast.Dropped() != 20 {
		t.Errorf("%+v, dropped %d and %d, want %+v, 1 and 20", got, slow.Dropped(), fast.Dropped(), want)
	}
	if got := receive(t, slow); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("slow: %q", got)
	}
	if got := receive(t, fast); len(got) != 4 || len(got[3]) != 256 {
		t.Errorf("fast: %q", got)
	}
	p.Close(address(2))
	p.Send([]replicate.Message{to2})
	if got := p.Stats(); got.Unknown != 8 || s.Stats().Free != 4 {
		t.Errorf("after close: %+v, %+v", got, s.Stats())
	}
}

// TestInprocKeepsBytes: what is received is what was sent, whatever its form and whoever reads late, and all slots
// come back.
func TestInprocKeepsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := replicate.NewSlab(replicate.SlabConfig{Slots: 8, Size: 64})
		if err != nil {
			t.Fatal(err)
		}
		p := replicate.NewInproc(s)
		var boxes [3]*replicate.Mailbox
		var want [3][]string
		for i := range boxes {
			boxes[i] = open(t, p, address(i), 8<<i)
		}
		var packets uint64
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			to := rapid.IntRange(0, 2).Draw(t, "to")
			m, all, frames := drawMessage(t, s)
			m.To = address(to)
			before := p.Stats().Delivered
			p.Send([]replicate.Message{m})
			packets += uint64(m.Copies)
			if p.Stats().Delivered > before {
				want[to] = append(want[to], datagrams(all, m.Segment)...)
			}
			for _, f := range frames {
				s.Put(f)
			}
			if rapid.Bool().Draw(t, "receive") {
				if got := receive(t, boxes[to]); !slices.Equal(got, want[to]) {
					t.Fatalf("received %q, want %q", got, want[to])
				}
				want[to] = nil
			}
		}
		for i := range boxes {
			if got := receive(t, boxes[i]); !slices.Equal(got, want[i]) {
				t.Fatalf("received %q, want %q", got, want[i])
			}
		}
		if got := p.Stats(); got.Delivered+got.Full+got.NoSlot+got.Unknown != packets || s.Stats().Stale != 0 {
			t.Fatalf("%+v of %d packets, %+v", got, packets, s.Stats())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// drawMessage returns a message, its bytes, and the frames it lies in in part.
func drawMessage(t *rapid.T, s *replicate.Slab) (m replicate.Message, all []byte, frames []replicate.Frame) {
	m.Copies = rapid.IntRange(1, 3).Draw(t, "copies")
	m.Segment = rapid.IntRange(0, 40).Draw(t, "segment")
	for range rapid.IntRange(1, 5).Draw(t, "vectors") {
		b := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "bytes")
		all = append(all, b...)
		if rapid.Bool().Draw(t, "in slab") {
			if f, ok := s.Take(); ok {
				f.Len = uint16(len(b))
				frames = append(frames, f)
				in, _ := s.Bytes(f)
				copy(in, b)
				b = in
			}
		}
		m.Vectors = append(m.Vectors, replicate.VectorOf(b))
	}
	m.Size = len(all)
	return m, all, frames
}

// datagrams cuts bytes into datagrams.
func datagrams(all []byte, segment int) []string {
	if segment == 0 {
		segment = len(all)
	}
	var ds []string
	for b := range slices.Chunk(all, segment) {
		ds = append(ds, string(b))
	}
	return ds
}

// TestInprocAcrossGoroutines: consumers on goroutines of their own see every packet that was delivered, whole.
func TestInprocAcrossGoroutines(t *testing.T) {
	const consumers = 2
	n := rounds() / 10
	s := newSlab(t, 64, 64)
	p := replicate.NewInproc(s)
	header := []byte("to 0:")
	ms := make([]replicate.Message, consumers)
	var seen [consumers]int
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range consumers {
		box := open(t, p, address(i), 64)
		wg.Go(func() { seen[i] = drain(t, box, i, done) })
	}
	for i := range n {
		f := take(t, s, fmt.Sprintf("packet %08d", i))
		b, _ := s.Bytes(f)
		for j := range ms {
			h := bytes.Replace(header, []byte("0"), []byte{'0' + byte(j)}, 1)
			vs := []replicate.Vector{replicate.VectorOf(h), replicate.VectorOf(b)}
			ms[j] = replicate.Message{To: address(j), Vectors: vs, Copies: 1}
		}
		p.Send(ms)
		s.Put(f)
		for s.Stats().Free < 8 {
			runtime.Gosched()
		}
	}
	close(done)
	wg.Wait()
	got := p.Stats()
	if uint64(seen[0]+seen[1]) != got.Delivered || got.Delivered+got.Full != uint64(n*consumers) || got.Delivered == 0 {
		t.Errorf("seen %v of %d: %+v", seen, n, got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// drain receives until done, and returns how many datagrams there were.
func drain(t *testing.T, box *replicate.Mailbox, i int, done chan struct{}) (seen int) {
	prefix := fmt.Sprintf("to %d:packet ", i)
	last := ""
	for stop := false; ; runtime.Gosched() {
		got := receive(t, box)
		for _, d := range got {
			if !strings.HasPrefix(d, prefix) || d <= last {
				t.Errorf("%q after %q", d, last)
			}
			last = d
		}
		seen += len(got)
		if stop && len(got) == 0 {
			return seen
		}
		select {
		case <-done:
			stop = true
		default:
		}
	}
}
