package verify_test

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"i3bench/verify"
)

// A receiver joins after packet 2 of 5, gets packet 4 twice, and never gets packet 5.
func ExampleDelivery() {
	var d verify.Delivery
	d.Joined(2)
	for _, seq := range []uint64{2, 3, 4, 4} {
		d.Delivered(seq, verify.AppendPayload(nil, seq, 64))
	}
	v := d.Judge(5)
	fmt.Printf("owed %d, once %d, twice %d, missing %d\n", v.Owed, v.Once, v.Twice, v.Missing)
	fmt.Println("all is well:", v.OK())
	// Output:
	// owed 3, once 1, twice 1, missing 1
	// all is well: false
}

// Every payload of any size is recognised as what belongs to its packet.
func ExampleAppendPayload() {
	p := verify.AppendPayload(nil, 7, 100)
	fmt.Println(len(p), verify.CheckPayload(7, p), verify.CheckPayload(8, p))
	// Output: 100 true false
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name      string
		joined    bool
		after     uint64
		delivered []uint64
		lost      []uint64
		last      uint64
		want      verify.Verdict
		ok        bool
	}{
		{name: "never joined", delivered: []uint64{1, 2}, last: 2, ok: true},
		{name: "nothing sent", joined: true, ok: true},
		{name: "joined after the last", joined: true, after: 9, last: 9, ok: true},
		{name: "joined long after the last", joined: true, after: 20, last: 9, ok: true},
		{name: "all", joined: true, delivered: []uint64{1, 2, 3}, last: 3,
			want: verify.Verdict{Owed: 3, Once: 3}, ok: true},
		{name: "any order", joined: true, delivered: []uint64{3, 1, 2}, last: 3,
			want: verify.Verdict{Owed: 3, Once: 3}, ok: true},
		{name: "what is not owed does not count", joined: true, after: 2, delivered: []uint64{1, 2, 2, 3}, last: 3,
			want: verify.Verdict{Owed: 1, Once: 1}, ok: true},
		{name: "the first is missing", joined: true, delivered: []uint64{2}, last: 2,
			want: verify.Verdict{Owed: 2, Once: 1, Missing: 1}},
		{name: "the last is missing", joined: true, delivered: []uint64{1}, last: 2,
			want: verify.Verdict{Owed: 2, Once: 1, Missing: 1}},
		{name: "all are missing", joined: true, last: 1000, want: verify.Verdict{Owed: 1000, Missing: 1000}},
		{name: "twice", joined: true, delivered: []uint64{1, 1, 2}, last: 2,
			want: verify.Verdict{Owed: 2, Once: 1, Twice: 1}},
		{name: "given up", joined: true, delivered: []uint64{1}, lost: []uint64{2}, last: 2,
			want: verify.Verdict{Owed: 2, Once: 1, Missing: 1, Lost: 1}},
		{name: "beyond the last", joined: true, delivered: []uint64{1, 2, 3}, last: 2,
			want: verify.Verdict{Owed: 2, Once: 2}, ok: true},
	} {
		var d verify.Delivery
		if c.joined {
			d.Joined(c.after)
		}
		for _, seq := range c.delivered {
			d.Delivered(seq, verify.AppendPayload(nil, seq, 20))
		}
		for _, seq := range c.lost {
			d.Lost(seq)
		}
		if got := d.Judge(c.last); got != c.want || got.OK() != c.ok {
			t.Errorf("%s: %+v, OK %v, expected %+v, %v", c.name, got, got.OK(), c.want, c.ok)
		}
	}
}

// A packet delivered very often is delivered twice, not once and not never.
func TestVeryOften(t *testing.T) {
	for _, times := range []int{2, 255, 256, 257, 512} {
		var d verify.Delivery
		d.Joined(0)
		for range times {
			d.Delivered(1, verify.AppendPayload(nil, 1, 8))
		}
		if v := d.Judge(1); v.Twice != 1 || v.OK() {
			t.Errorf("delivered %d times: %+v", times, v)
		}
	}
}

// A receiver that joins anew is owed what comes from then on, and what was before is forgotten.
func TestJoinedAgain(t *testing.T) {
	var d verify.Delivery
	d.Joined(0)
	d.Delivered(1, []byte("altered"))
	d.Lost(2)
	d.Joined(10)
	d.Delivered(11, verify.AppendPayload(nil, 11, 30))
	if v := d.Judge(11); v != (verify.Verdict{Owed: 1, Once: 1}) || !v.OK() {
		t.Errorf("%+v", v)
	}
}

// An altered payload makes a verdict bad even if every packet came once.
func TestAlteredPayload(t *testing.T) {
	var d verify.Delivery
	d.Joined(0)
	d.Delivered(1, verify.AppendPayload(nil, 2, 30))
	if v := d.Judge(1); v.OK() || v.Altered != 1 || v.Once != 1 {
		t.Errorf("%+v, OK %v, expected one altered", v, v.OK())
	}
}

// TestDeliveryAgainstModel compares the judge with a count of every delivery.
func TestDeliveryAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d verify.Delivery
		start := rapid.Uint64Range(0, 20).Draw(t, "joined after")
		last := rapid.Uint64Range(0, 40).Draw(t, "last")
		d.Joined(start)
		times, altered, lost := make(map[uint64]int), 0, 0
		for range rapid.IntRange(0, 80).Draw(t, "deliveries") {
			seq := rapid.Uint64Range(1, 45).Draw(t, "seq")
			payload := verify.AppendPayload(nil, seq, rapid.IntRange(8, 40).Draw(t, "size"))
			bad := rapid.IntRange(0, 9).Draw(t, "bad") == 0
			if bad {
				payload[rapid.IntRange(0, len(payload)-1).Draw(t, "byte")] ^= 0x10
			}
			if rapid.IntRange(0, 9).Draw(t, "lost") == 0 {
				d.Lost(seq)
				lost++
			}
			d.Delivered(seq, payload)
			times[seq]++
			if bad && seq > start {
				altered++
			}
		}
		want := verify.Verdict{Altered: altered, Lost: lost}
		for seq := start + 1; seq <= last; seq++ {
			want.Owed++
			switch times[seq] {
			case 0:
				want.Missing++
			case 1:
				want.Once++
			default:
				want.Twice++
			}
		}
		got := d.Judge(last)
		if got != want {
			t.Fatalf("%+v, expected %+v", got, want)
		}
		if ok := want.Missing+want.Twice+want.Altered == 0; got.OK() != ok {
			t.Fatalf("%+v: OK %v", got, got.OK())
		}
	})
}

// TestPayloads: a payload is accepted for its own sequence number, and not if a byte of it is another, if bytes are
// missing or were added, or for another number.
func TestPayloads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seq := rapid.Uint64Range(0, 1<<40).Draw(t, "seq")
		size := rapid.IntRange(8, 1300).Draw(t, "size")
		before := []byte("before")
		p := verify.AppendPayload(before, seq, size)[len(before):]
		if len(p) != size || !verify.CheckPayload(seq, p) {
			t.Fatalf("%d bytes for %d, accepted: %v", len(p), seq, verify.CheckPayload(seq, p))
		}
		other := bytes.Clone(p)
		other[rapid.IntRange(0, size-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if verify.CheckPayload(seq, other) {
			t.Fatalf("an altered payload of %d was accepted", seq)
		}
		if cut := rapid.IntRange(0, size-1).Draw(t, "cut"); verify.CheckPayload(seq, p[:cut]) {
			t.Fatalf("%d of %d bytes were accepted", cut, size)
		}
		if verify.CheckPayload(seq, append(bytes.Clone(p), verify.AppendPayload(nil, seq, 8)...)) {
			t.Fatal("a payload that is too long was accepted")
		}
		if verify.CheckPayload(seq+1, p) || verify.CheckPayload(seq, nil) {
			t.Fatal("a payload was accepted for another packet, or none at all")
		}
	})
}

// The judge of every packet of every receiver allocates only as the stream grows.
func TestDeliveredDoesNotAllocate(t *testing.T) {
	var d verify.Delivery
	d.Joined(0)
	buf := verify.AppendPayload(nil, 5, 256)
	d.Delivered(5, buf)
	if n := testing.AllocsPerRun(100, func() {
		buf = verify.AppendPayload(buf[:0], 5, 256)
		d.Delivered(5, buf)
	}); n > 0 {
		t.Errorf("allocates %v times", n)
	}
}
