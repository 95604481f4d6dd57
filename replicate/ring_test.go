package replicate_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/replicate"
)

// ring is what the rings to one consumer have in common.
type ring[T any] interface {
	Cap() int
	Len() int
	Put(T) bool
	PutBatch([]T) int
	Get() (T, bool)
	GetBatch([]T) int
}

// ringKinds makes the rings that share a test body.
var ringKinds = []struct {
	name string
	make func(size int) ring[uint32]
}{
	{"spsc", func(n int) ring[uint32] { return replicate.NewSPSC[uint32](n) }},
	{"mpsc", func(n int) ring[uint32] { return replicate.NewMPSC[uint32](n) }},
}

func eachRing(t *testing.T, f func(t *testing.T, make func(int) ring[uint32])) {
	for _, kind := range ringKinds {
		t.Run("kind="+kind.name, func(t *testing.T) { f(t, kind.make) })
	}
}

func TestRingSizes(t *testing.T) {
	eachRing(t, func(t *testing.T, make func(int) ring[uint32]) {
		for _, c := range []struct{ asked, got int }{{-1, 2}, {0, 2}, {1, 2}, {2, 2}, {3, 4}, {4, 4}, {1000, 1024}} {
			r := make(c.asked)
			if r.Cap() != c.got {
				t.Errorf("ring of %d has %d places, want %d", c.asked, r.Cap(), c.got)
			}
			for i := range uint32(c.got) {
				if !r.Put(i) {
					t.Errorf("ring of %d: no room for element %d", c.got, i)
				}
			}
			if r.Put(9) || r.PutBatch([]uint32{9, 9}) != 0 || r.Len() != c.got {
				t.Errorf("full ring of %d took one more", c.got)
			}
		}
	})
}

// TestZeroRings: a ring that nobody made has no room, and nothing in it.
func TestZeroRings(t *testing.T) {
	for name, r := range map[string]ring[uint32]{"spsc": &replicate.SPSC[uint32]{}, "mpsc": &replicate.MPSC[uint32]{}} {
		_, ok := r.Get()
		if r.Put(1) || ok || r.PutBatch([]uint32{1, 2}) != 0 || r.GetBatch(make([]uint32, 2)) != 0 || r.Len() != 0 {
			t.Errorf("%s: the zero value holds something", name)
		}
	}
}

// TestRingsAreQueues holds the rings against a slice.
func TestRingsAreQueues(t *testing.T) {
	eachRing(t, func(t *testing.T, make func(int) ring[uint32]) {
		rapid.Check(t, func(t *rapid.T) { ringIsQueue(t, make(rapid.IntRange(1, 20).Draw(t, "size"))) })
	})
}

func ringIsQueue(t *rapid.T, r ring[uint32]) {
	var model []uint32
	var next uint32
	lengths := rapid.IntRange(0, 2*r.Cap())
	check := func(what string, got, want []uint32) {
		if !slices.Equal(got, want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"": func(t *rapid.T) {
			if r.Len() != len(model) {
				t.Fatalf("%d elements, want %d", r.Len(), len(model))
			}
		},
		"put": func(t *rapid.T) {
			if ok := r.Put(next); ok != (len(model) < r.Cap()) {
				t.Fatalf("put into %d of %d: %v", len(model), r.Cap(), ok)
			} else if ok {
				model = append(model, next)
			}
			next++
		},
		"put batch": func(t *rapid.T) {
			vs := make([]uint32, lengths.Draw(t, "elements"))
			for i := range vs {
				vs[i] = next
				next++
			}
			want := min(len(vs), r.Cap()-len(model))
			if n := r.PutBatch(vs); n != want {
				t.Fatalf("put %d of %d, want %d", n, len(vs), want)
			}
			model = append(model, vs[:want]...)
		},
		"get": func(t *rapid.T) {
			n := min(1, len(model))
			v, ok := r.Get()
			if ok != (n == 1) {
				t.Fatalf("got %d, %v of %v", v, ok, model)
			}
			check("get", []uint32{v}[:n], model[:n])
			model = model[n:]
		},
		"get batch": func(t *rapid.T) {
			dst := make([]uint32, lengths.Draw(t, "room"))
			n := r.GetBatch(dst)
			check("get batch", dst[:n], model[:min(len(dst), len(model))])
			model = model[n:]
		},
	})
}

// TestRoom: the producer knows how much fits, though it looks at the consumer's index only when it must.
func TestRoom(t *testing.T) {
	r := replicate.NewSPSC[int](8)
	steps := []struct{ put, get, room int }{{0, 0, 8}, {5, 0, 3}, {0, 2, 5}, {5, 0, 0}, {0, 8, 8}, {8, 8, 8}, {1, 0, 7}}
	for i, s := range steps {
		put, got := r.PutBatch(make([]int, s.put)), r.GetBatch(make([]int, s.get))
		if put != s.put || got != s.get || r.Room() != s.room {
			t.Errorf("step %d: put %d, got %d, room for %d, want %+v", i, put, got, r.Room(), s)
		}
	}
}
