package multicast

import "slices"

// windowSize is the number of distances whose smallest counts.
const windowSize = 16

// A window is the smallest of the last distances: it keeps of them only those
// that no later one undercuts, ascending, which are few: one where nothing
// jitters, three or four of sixteen where everything does.
type window struct {
	kept []sample
	next uint32 // number of the next sample
}

// A sample is a distance and when it came.
type sample struct {
	distance int64
	number   uint32
}

// add adds a distance and returns the smallest of the last ones.
func (w *window) add(distance int64) int64 {
	if len(w.kept) > 0 && w.next-w.kept[0].number >= windowSize {
		w.kept = slices.Delete(w.kept, 0, 1)
	}
	n := len(w.kept)
	for n > 0 && w.kept[n-1].distance >= distance {
		n--
	}
	w.kept = append(w.kept[:n], sample{distance, w.next})
	w.next++
	return w.kept[0].distance
}

// reset forgets all distances.
func (w *window) reset() { w.kept, w.next = w.kept[:0], 0 }
