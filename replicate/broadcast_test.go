package replicate_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/replicate"
)

// numbered returns the elements with these numbers.
func numbered(from, to uint64) []replicate.Words {
	var ws []replicate.Words
	for i := from; i < to; i++ {
		ws = append(ws, replicate.Words{i, ^i})
	}
	return ws
}

// A listener is a reader and what it must see: from where on, and how much it has lost.
type listener struct {
	*replicate.Reader
	pos, lost uint64
}

// want moves the listener on by up to n of the elements before tail, as a ring of size has to, and
// returns them.
func (l *listener) want(tail, size uint64, n int) []replicate.Words {
	if oldest := max(tail, size) - size; l.pos < oldest {
		l.lost += oldest - l.pos
		l.pos = oldest
	}
	from := l.pos
	l.pos = min(tail, from+uint64(n))
	return numbered(from, l.pos)
}

func (l *listener) check(t *rapid.T, got, want []replicate.Words) {
	if !slices.Equal(got, want) || l.Lost() != l.lost {
		t.Fatalf("read %v and lost %d, want %v and %d", got, l.Lost(), want, l.lost)
	}
}

// TestEachReaderReadsAll holds readers against the numbers of the elements: each sees them in order from where it
// began, but for those of which it learns that they are lost.
func TestEachReaderReadsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := replicate.NewBroadcast(rapid.IntRange(1, 20).Draw(t, "size"))
		size := uint64(b.Cap())
		var tail uint64
		listeners := []*listener{{Reader: b.NewReader()}}
		lengths := rapid.IntRange(0, 3*b.Cap())
		drawn := func(t *rapid.T) *listener { return rapid.SampledFrom(listeners).Draw(t, "listener") }
		t.Repeat(map[string]func(*rapid.T){
			"join": func(*rapid.T) { listeners = append(listeners, &listener{Reader: b.NewReader(), pos: tail}) },
			"put": func(*rapid.T) {
				b.Put(numbered(tail, tail+1)[0])
				tail++
			},
			"put batch": func(t *rapid.T) {
				n := uint64(lengths.Draw(t, "elements"))
				b.PutBatch(numbered(tail, tail+n))
				tail += n
			},
			"get": func(t *rapid.T) {
				l := drawn(t)
				var got []replicate.Words
				if w, ok := l.Get(); ok {
					got = append(got, w)
				}
				l.check(t, got, l.want(tail, size, 1))
			},
			"get batch": func(t *rapid.T) {
				l, dst := drawn(t), make([]replicate.Words, lengths.Draw(t, "room"))
				got := dst[:l.GetBatch(dst)]
				l.check(t, got, l.want(tail, size, len(dst)))
			},
		})
	})
}
