package replicate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func addr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(i >> 8), byte(i)}), 4000)
}

// packet returns head and body of a packet of so many bytes, at least 8, that tells its length and number.
func packet(size, number int) (head, body []byte) {
	b := make([]byte, size)
	binary.BigEndian.PutUint16(b, uint16(size)|1<<15)
	binary.BigEndian.PutUint32(b[2:], uint32(number))
	for i := 6; i < size; i++ {
		b[i] = byte(number + i)
	}
	return b[:6:6], b[6:]
}

// readPackets returns the numbers of the packets in a datagram, and how many zeros follow.
func readPackets(b []byte) (numbers []int, zeroed int, err error) {
	for len(b) > 0 && b[0] != 0 {
		size, number := int(binary.BigEndian.Uint16(b)&^(1<<15)), int(binary.BigEndian.Uint32(b[2:]))
		if size < 6 || size > len(b) {
			return nil, 0, fmt.Errorf("packet of %d bytes in %d", size, len(b))
		}
		for i := 6; i < size; i++ {
			if b[i] != byte(number+i) {
				return nil, 0, fmt.Errorf("packet %d: byte %d is %d", number, i, b[i])
			}
		}
		numbers, b = append(numbers, number), b[size:]
	}
	for _, c := range b {
		if c != 0 {
			return nil, 0, errors.New("something after zeros")
		}
	}
	return numbers, len(b), nil
}

// A recorder is a port that keeps what it is handed, datagram by datagram, and refuses what fail says.
type recorder struct {
	caps Caps
	got  map[netip.AddrPort][][]byte
	sent []Message // without vectors
	fail func(m *Message) error
}

func newRecorder() *recorder {
	return &recorder{caps: Caps{64, 1024, 64, 65507}, got: map[netip.AddrPort][][]byte{}}
}

func (r *recorder) Caps() Caps { return r.caps }

func (r *recorder) Send(ms []Message) (int, error) {
	if len(ms) > r.caps.MaxMessages {
		panic("too many messages")
	}
	for i := range ms {
		m := &ms[i]
		if m.Segment > 0 && r.caps.MaxSegments == 0 {
			return i, ErrNoTrains
		}
		if r.fail != nil {
			if err := r.fail(m); err != nil {
				return i, err
			}
		}
		var b []byte
		for _, v := range m.Vectors {
			b = append(b, v.Bytes()...)
		}
		if len(b) != m.Size || len(b) > r.caps.MaxBytes || len(m.Vectors) > r.caps.MaxVectors {
			panic(fmt.Sprintf("%d bytes in %d vectors, said to be %d", len(b), len(m.Vectors), m.Size))
		}
		if n := m.Datagrams(); n > 1 && n > r.caps.MaxSegments {
			panic(fmt.Sprintf("train of %d", n))
		}
		segment := m.Segment
		if segment == 0 {
			segment = len(b)
		}
		for d := range slices.Chunk(b, segment) {
			r.got[m.To] = append(r.got[m.To], d)
		}
		record := *m
		record.Vectors = nil
		r.sent = append(r.sent, record)
	}
	return len(ms), nil
}

// numbers returns those of the packets that an address was sent, in order.
func (r *recorder) numbers(t rapid.TB, to netip.AddrPort) (numbers []int) {
	for _, d := range r.got[to] {
		n, _, err := readPackets(d)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n...)
	}
	return numbers
}

func mustPlan(t rapid.TB, cfg Config) *Planner {
	p, err := NewPlanner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Which form the copies for one address get.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		name     string
		cfg      Config
		caps     Caps
		sizes    []int
		segments []int // of each message, 0 for no train
		lengths  []int // of each datagram
	}{
		{"one", Config{}, Caps{}, []int{500}, []int{0}, []int{500}},
		{"two share a datagram", Config{}, Caps{}, []int{500, 700}, []int{0}, []int{1200}},
		{"a train", Config{Single: true}, Caps{}, []int{500, 500, 500}, []int{500}, []int{500, 500, 500}},
		{"with a short tail", Config{Single: true, Exact: true}, Caps{}, []int{500, 500, 90},
			[]int{500}, []int{500, 500, 90}},
		{"a longer one begins another", Config{Single: true, Exact: true}, Caps{}, []int{500, 500, 501},
			[]int{500, 0}, []int{500, 500, 501}},
		{"filled up", Config{Single: true}, Caps{}, []int{490, 500, 480}, []int{500}, []int{500, 500, 480}},
		{"too much to fill up", Config{Single: true}, Caps{}, []int{100, 1000, 1000},
			[]int{0, 1000}, []int{100, 1000, 1000}},
		{"trains of shared datagrams", Config{}, Caps{}, []int{700, 700, 690, 690},
			[]int{1400}, []int{1400, 1380}},
		{"no trains", Config{Single: true}, Caps{64, 1024, 0, 65507}, []int{500, 500}, []int{0, 0}, []int{500, 500}},
		{"trains of two", Config{Single: true}, Caps{64, 1024, 2, 65507}, []int{500, 500, 500},
			[]int{500, 0}, []int{500, 500, 500}},
		{"so many bytes", Config{Single: true}, Caps{64, 1024, 64, 1100}, []int{500, 500, 500},
			[]int{500, 0}, []int{500, 500, 500}},
		{"so many vectors", Config{}, Caps{64, 5, 64, 65507}, []int{20, 20, 20, 20, 20},
			[]int{0, 0, 0}, []int{40, 40, 20}},
		{"longer than a datagram", Config{}, Caps{}, []int{1500, 1500, 30}, []int{0, 0, 0}, []int{1500, 1500, 30}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, r := mustPlan(t, c.cfg), newRecorder()
			if c.caps != (Caps{}) {
				r.caps = c.caps
			}
			for i, size := range c.sizes {
				head, body := packet(size, i)
				p.Add(addr(1), head, body)
			}
			p.Flush(r)
			var segments, lengths []int
			for _, m := range r.sent {
				segments = append(segments, m.Segment)
			}
			for _, d := range r.got[addr(1)] {
				lengths = append(lengths, len(d))
			}
			if !slices.Equal(segments, c.segments) || !slices.Equal(lengths, c.lengths) {
				t.Errorf("trains of %v, datagrams of %v bytes; want %v and %v", segments, lengths, c.segments, c.lengths)
			}
			if n := r.numbers(t, addr(1)); len(n) != len(c.sizes) || !slices.IsSorted(n) {
				t.Errorf("packets %v", n)
			}
			if got := p.Counters(); got.Sent != uint64(len(c.sizes)) || got.Datagrams != uint64(len(c.lengths)) ||
				got.Messages != uint64(len(c.segments)) {
				t.Errorf("counters %+v", got)
			}
		})
	}
}

// Packets that lie side by side are one vector.
func TestSideBySideIsOneVector(t *testing.T) {
	if raceEnabled {
		t.Skip("vectors are not joined in a race build")
	}
	p, r := mustPlan(t, Config{Single: true}), newRecorder()
	b := make([]byte, 1000)
	for i := range 10 {
		b[100*i] = 1
		p.Add(addr(1), nil, b[100*i:][:100])
	}
	vectors := 0
	r.fail = func(m *Message) error { vectors = len(m.Vectors); return errors.New("enough") }
	p.Flush(r)
	if vectors != 1 {
		t.Errorf("%d vectors for a train that lies in one piece", vectors)
	}
}

// A port's refusals cost only whom they are about.
func TestRefusals(t *testing.T) {
	p, r := mustPlan(t, Config{Single: true}), newRecorder()
	add := func(n int) {
		for i := range n {
			for k := range 3 {
				head, body := packet(100, i)
				p.Add(addr(k), head, body)
			}
		}
	}
	r.fail = func(m *Message) error {
		if m.To == addr(1) {
			return ErrFull
		}
		return nil
	}
	add(5)
	p.Flush(r)
	if a, b := p.Tally(addr(0)), p.Tally(addr(1)); a != (Tally{5, 0}) || b != (Tally{0, 5}) {
		t.Errorf("tallies %v and %v of one that is full", a, b)
	}
	if c := p.Counters(); c.DropFull != 5 || c.Planned != c.Sent+c.Dropped() {
		t.Errorf("counters %+v", c)
	}

	r.fail = func(m *Message) error { // only trains
		if m.To == addr(1) && m.Segment > 0 {
			return ErrTooLong
		}
		return nil
	}
	add(5)
	p.Flush(r)
	add(5)
	p.Flush(r)
	if c := p.Counters(); c.Cut != 1 || p.Tally(addr(1)).Sent != 10 {
		t.Errorf("%d cut, %v: want one train cut, then none built", c.Cut, p.Tally(addr(1)))
	}

	r.fail = func(m *Message) error {
		if m.Segment > 0 {
			r.caps.MaxSegments = 0
			return ErrNoTrains
		}
		return nil
	}
	add(5)
	p.Flush(r)
	if c := p.Counters(); c.Planned != c.Sent+c.Dropped() || p.Tally(addr(2)).Sent != 20 {
		t.Errorf("%+v, %v: want all sent without trains", c, p.Tally(addr(2)))
	}
}

// An address that is refused again and again is left alone for longer and longer, and tried again.
func TestMuting(t *testing.T) {
	p, r := mustPlan(t, Config{}), newRecorder()
	tries, dead := 0, true
	r.fail = func(m *Message) error {
		if tries++; dead {
			return errors.New("unreachable")
		}
		return nil
	}
	round := func() {
		head, body := packet(50, 1)
		p.Add(addr(1), head, body)
		p.Flush(r)
	}
	for range 10_000 {
		round()
	}
	if tries < mutedAfter || tries > 30 {
		t.Errorf("%d calls for an address that is dead for 10,000 rounds", tries)
	}
	dead = false
	for range 1<<mutedAtMost + 2 {
		round()
	}
	c := p.Counters()
	if c.Sent == 0 || c.Planned != c.Sent+c.Dropped() || c.DropMuted == 0 {
		t.Errorf("%+v: want it tried again", c)
	}
	if p.ways[p.index[addr(1)]].refused != 0 {
		t.Error("refusals are not forgotten")
	}
}

// What is in the way is dropped: the newest of a round that is full, the oldest of an address that has too many.
func TestBounds(t *testing.T) {
	p, r := mustPlan(t, Config{Copies: 20, Pending: 4, Addresses: 3}), newRecorder()
	for i := range 25 {
		head, body := packet(60, i)
		if ok := p.Add(addr(i%2), head, body); ok != (i < 20) {
			t.Errorf("copy %d planned: %v", i, ok)
		}
	}
	p.Flush(r)
	if n := r.numbers(t, addr(0)); !slices.Equal(n, []int{12, 14, 16, 18}) {
		t.Errorf("packets %v", n)
	}
	want := Counters{Planned: 25, Sent: 8, DropBudget: 5, DropOldest: 12, Datagrams: 2, Messages: 2, Calls: 1}
	if c := p.Counters(); c != want {
		t.Errorf("counters %+v, want %+v", c, want)
	}
	for i := range 10 {
		head, body := packet(60, 100+i)
		p.Add(addr(10+i), head, body)
		if i%3 == 0 {
			p.Flush(r)
		}
	}
	p.Flush(r)
	if c := p.Counters(); c.Forgotten == 0 || len(p.ways) > 8 || c.Planned != c.Sent+c.Dropped() {
		t.Errorf("%+v with %d ways", c, len(p.ways))
	}
	for i := range 10 {
		if n := r.numbers(t, addr(10+i)); !slices.Equal(n, []int{100 + i}) {
			t.Errorf("address %d got %v", i, n)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []Config{{Copies: -1}, {Pending: 1 << 30}, {Addresses: -5}, {Datagram: 9001}} {
		if _, err := NewPlanner(c); err == nil {
			t.Errorf("%+v is accepted", c)
		} else {
			t.Log(err)
		}
	}
}

// Whatever is added, and whatever a port refuses: nothing is invented, doubled, changed or overtaken, and everything is
// counted, on the address it was for.
func TestNothingIsLostUncounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Copies: rapid.IntRange(1, 200).Draw(t, "copies"), Pending: rapid.IntRange(1, 40).Draw(t, "pending"),
			Addresses: rapid.IntRange(1, 8).Draw(t, "addresses"), Datagram: rapid.IntRange(50, 1400).Draw(t, "datagram"),
			Single: rapid.Bool().Draw(t, "single"), Exact: rapid.Bool().Draw(t, "exact"),
		}
		p, r := mustPlan(t, cfg), newRecorder()
		r.caps = Caps{
			MaxMessages: rapid.IntRange(1, 64).Draw(t, "messages"), MaxVectors: rapid.IntRange(3, 300).Draw(t, "vectors"),
			MaxSegments: rapid.IntRange(0, 64).Draw(t, "segments"), MaxBytes: rapid.IntRange(1500, 65507).Draw(t, "bytes"),
		}
		refuse := rapid.IntRange(0, 3).Draw(t, "refuse")
		r.fail = func(m *Message) error {
			if refuse == 0 || rapid.IntRange(0, 4).Draw(t, "fails") > 0 {
				return nil
			}
			err := []error{ErrFull, errors.New("other"), ErrTooLong, ErrNoTrains}[rapid.IntRange(0, refuse).Draw(t, "how")]
			if err == ErrNoTrains {
				r.caps.MaxSegments = 0
			}
			return err
		}
		added := map[netip.AddrPort][]int{}
		number := 0
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			for range rapid.IntRange(0, 60).Draw(t, "adds") {
				to := addr(rapid.IntRange(0, 9).Draw(t, "to"))
				head, body := packet(rapid.IntRange(8, 1500).Draw(t, "size"), number)
				p.Add(to, head, body)
				added[to] = append(added[to], number)
				number++
			}
			if refuse == 0 && rapid.Bool().Draw(t, "pending") && p.Pending() > p.cfg.Copies {
				t.Fatalf("%d copies pending", p.Pending())
			}
			p.Flush(r)
		}
		checkDelivered(t, p, r, added)
		if c := p.Counters(); refuse == 0 && c.Dropped() != c.DropBudget+c.DropOldest {
			t.Fatalf("dropped without a reason: %+v", c)
		}
	})
}

func checkDelivered(t *rapid.T, p *Planner, r *recorder, added map[netip.AddrPort][]int) {
	delivered := 0
	for to, datagrams := range r.got {
		numbers := r.numbers(t, to)
		delivered += len(numbers)
		for i, n := range numbers {
			if !slices.Contains(added[to], n) || i > 0 && numbers[i-1] >= n {
				t.Fatalf("%v got %v, was to get %v", to, numbers, added[to])
			}
		}
		for _, d := range datagrams {
			ns, zeroed, _ := readPackets(d)
			if len(ns) == 0 || len(ns) > 1 && (p.cfg.Single || len(d) > p.cfg.Datagram) || zeroed > 0 && p.cfg.Exact {
				t.Fatalf("datagram of %d bytes with %d packets and %d zeros: %+v", len(d), len(ns), zeroed, p.cfg)
			}
		}
	}
	c := p.Counters()
	if c.Sent != uint64(delivered) || c.Planned != c.Sent+c.Dropped() || p.Pending() != 0 {
		t.Fatalf("%d delivered, %d pending: %+v", delivered, p.Pending(), c)
	}
}

// What the port is handed are the very bytes that were added: heads, bodies and zeros, each where it lies.
func TestPlannerCopiesNothing(t *testing.T) {
	p, r := mustPlan(t, Config{Single: true}), newRecorder()
	var want []*byte
	for i := range 5 {
		head, body := packet(500-10*(i%2), i)
		body = append(make([]byte, 1), body...)[1:] // not beside the head
		p.Add(addr(1), head, body)
		want = append(want, &head[0], &body[0])
		if i%2 == 1 {
			want = append(want, &zeros[0]) // fills up to the longest
		}
	}
	var got []*byte
	r.fail = func(m *Message) error {
		for _, v := range m.Vectors {
			got = append(got, v.Base)
		}
		return nil
	}
	p.Flush(r)
	if !slices.Equal(got, want) {
		t.Errorf("%d vectors point to other bytes than the %d pieces", len(got), len(want))
	}
}

// A port that gives up trains in a round is offered none in the rest of it.
func TestNoTrainsInTheRestOfTheRound(t *testing.T) {
	p, r := mustPlan(t, Config{Single: true}), newRecorder()
	r.caps.MaxMessages = 1
	r.fail = func(m *Message) error {
		if m.Segment > 0 {
			r.caps.MaxSegments = 0
			return ErrNoTrains
		}
		return nil
	}
	for k := range 5 {
		for i := range 3 {
			head, body := packet(100, i)
			p.Add(addr(k), head, body)
		}
	}
	p.Flush(r)
	if c := p.Counters(); c.Cut > 2 || c.Sent != 15 { // the second was made before the first was sent
		t.Errorf("%d trains cut, %d copies sent, want 1 or 2 and 15", c.Cut, c.Sent)
	}
}

// A port that takes nothing and does not say why is full, not asked for ever.
func TestPortThatTakesNothing(t *testing.T) {
	p := mustPlan(t, Config{})
	for k := range 3 {
		head, body := packet(100, k)
		p.Add(addr(k), head, body)
	}
	p.Flush(nothing{})
	if c := p.Counters(); c.DropFull != 3 || c.Calls != 3 {
		t.Errorf("%+v: want 3 copies dropped for want of room", c)
	}
}

type nothing struct{}

func (nothing) Caps() Caps                  { return Caps{64, 1024, 64, 65507} }
func (nothing) Send([]Message) (int, error) { return 0, nil }

// After a round the planner refers to nothing of it, so that buffers may be used again, or freed.
func TestFlushForgets(t *testing.T) {
	p, r := mustPlan(t, Config{}), newRecorder()
	for i := range 300 {
		head, body := packet(600, i)
		p.Add(addr(i%7), head, body)
	}
	p.Flush(r)
	for i, c := range p.copies[:cap(p.copies)] {
		if c.head.Base != nil || c.body.Base != nil {
			t.Fatalf("copy %d is still there", i)
		}
	}
	for i, v := range p.vectors[:cap(p.vectors)] {
		if v.Base != nil {
			t.Fatalf("vector %d is still there", i)
		}
	}
	for i, m := range p.messages[:cap(p.messages)] {
		if m.Vectors != nil {
			t.Fatalf("message %d is still there", i)
		}
	}
}
