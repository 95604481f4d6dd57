package tablebench

import "fmt"

// Batch is how many identifiers a table is asked for at once.
const Batch = 256

// checked is how many look-ups are compared with what they must find before they are timed, all if there are fewer.
const checked = 1 << 16

// A Lookup looks a batch of identifiers up and returns the sum of the values of those found.
type Lookup[T any] func(ids []T) uint64

// Same is for tables that take an [ID] as it is.
func Same(id ID) ID { return id }

// Queries are the look-ups of a job, in a table's type.
type Queries[T any] struct {
	ids []T
	sum uint64 // of the values that the first of them find
}

// Draw returns the look-ups of a job. The function of translates an identifier to the table's type.
func Draw[T any](j Job, of func(ID) T) Queries[T] {
	q := Queries[T]{ids: make([]T, 0, j.Queries())}
	j.All(func(number int, present bool, id ID) {
		if present && len(q.ids) < checked {
			q.sum += uint64(number)
		}
		q.ids = append(q.ids, of(id))
	})
	return q
}

// Check does the first look-ups, and returns an error if a table finds other values than it must.
func (q Queries[T]) Check(lookup Lookup[T]) error {
	sum := uint64(0)
	for i := 0; i < checked; i += Batch {
		sum += lookup(q.ids[i : i+Batch])
	}
	if sum != q.sum {
		return fmt.Errorf("tablebench: the values found add up to %d, want %d", sum, q.sum)
	}
	return nil
}

// Walk returns a function that looks the next batch up, and after the last one the first again.
func (q Queries[T]) Walk(lookup Lookup[T]) func() {
	i := 0
	return func() {
		lookup(q.ids[i : i+Batch])
		i = (i + Batch) & (len(q.ids) - 1)
	}
}
