package hist

import (
	"encoding/binary"
	"fmt"
	"math"
)

// maxEncoded is the longest encoding: every bucket in use, each with a gap and a count.
const maxEncoded = buckets*(1+binary.MaxVarintLen64) + 8 + 2*binary.MaxVarintLen64

// AppendTo appends the histogram to b: smallest and largest value, sum, and for each bucket in use
// how many empty ones are before it and its count. An empty histogram adds nothing.
func (h *Histogram) AppendTo(b []byte) []byte {
	if h.n == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(h.min))
	b = binary.AppendUvarint(b, uint64(h.max))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(h.sum))
	gap := uint64(0)
	for _, c := range h.counts {
		if c == 0 {
			gap++
			continue
		}
		b = binary.AppendUvarint(b, gap)
		b = binary.AppendUvarint(b, c)
		gap = 0
	}
	return b
}

// Parse returns the histogram that [Histogram.AppendTo] wrote. It fails, naming the offset, on anything else.
func Parse(b []byte) (*Histogram, error) {
	h := new(Histogram)
	if len(b) == 0 {
		return h, nil
	}
	if len(b) > maxEncoded {
		return nil, fmt.Errorf("hist: %d bytes: want at most %d", len(b), maxEncoded)
	}
	r := reader{b: b}
	smallest, largest, sum := r.uvarint(), r.uvarint(), math.Float64frombits(r.word())
	if r.bad || smallest > largest || largest > math.MaxInt64 || !(sum >= 0) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("hist: values from %d to %d, sum %v, up to offset %d: want values in order", smallest,
			largest, sum, r.at)
	}
	h.min, h.max, h.sum = int64(smallest), int64(largest), sum
	for at := uint64(0); r.at < len(b); at++ {
		gap, count := r.uvarint(), r.uvarint()
		if r.bad || gap >= buckets || at+gap >= buckets || count == 0 || h.n+count < h.n {
			return nil, fmt.Errorf("hist: bucket at offset %d: want one of %d, with a count", r.at, buckets)
		}
		at += gap
		h.counts[at], h.n = count, h.n+count
	}
	if h.n == 0 || h.counts[bucket(h.min)] == 0 || h.counts[bucket(h.max)] == 0 {
		return nil, fmt.Errorf("hist: %d values from %d to %d: want one at each end", h.n, h.min, h.max)
	}
	return h, nil
}

// A reader takes numbers from bytes, and notes when there are none.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.bad, n = true, len(r.b)-r.at
	}
	r.at += n
	return v
}

func (r *reader) word() uint64 {
	if len(r.b)-r.at < 8 {
		r.bad, r.at = true, len(r.b)
		return 0
	}
	r.at += 8
	return binary.BigEndian.Uint64(r.b[r.at-8:])
}
