package hist

import (
	"testing"

	"pgregory.net/rapid"
)

// What was written comes back, and merging what came back is merging what was written.
func TestEncodingRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h, twice Histogram
		for _, v := range values(t, "values") {
			h.Record(v)
		}
		back, err := Parse(h.AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		if *back != h {
			t.Fatalf("%d values from %d to %d came back as %d from %d to %d", h.n, h.min, h.max, back.n, back.min, back.max)
		}
		twice.Merge(&h)
		twice.Merge(back)
		if twice.Count() != 2*h.Count() || twice.Max() != h.Max() {
			t.Fatalf("merged: %d values up to %d", twice.Count(), twice.Max())
		}
	})
}

// What cannot have been written is refused.
func TestEncodingRefuses(t *testing.T) {
	var h Histogram
	h.Record(5)
	h.Record(1 << 40)
	good := h.AppendTo(nil)
	for n := 1; n < len(good); n++ {
		if _, err := Parse(good[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were taken", n, len(good))
		}
	}
	for name, b := range map[string][]byte{
		"longer":       append(good[:len(good):len(good)], 1),
		"no such":      append(good[:len(good):len(good)], 0xff, 0xff, 0x7f, 1),
		"out of order": append([]byte{9, 5}, good[7:]...),
		"very long":    make([]byte, maxEncoded+1),
	} {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

// FuzzParse: nothing makes it panic, and what it takes is written as it was understood.
func FuzzParse(f *testing.F) {
	var h Histogram
	f.Add([]byte{})
	f.Add(h.AppendTo(nil))
	h.Record(0)
	h.Record(1 << 62)
	f.Add(h.AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(h.AppendTo(nil))
		if err != nil || *again != *h {
			t.Fatalf("%d values became %v, %v", h.n, again, err)
		}
	})
}
