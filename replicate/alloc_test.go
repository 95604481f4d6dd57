package replicate_test

import (
	"testing"

	"i3bench/replicate"
)

func TestRingsAndSlabDoNotAllocate(t *testing.T) {
	s := newSlab(t, 64, 0)
	fs := make([]replicate.Frame, 8)
	words, got := make([]replicate.Words, 8), make([]replicate.Words, 8)
	spsc, mpsc := replicate.NewSPSC[replicate.Frame](16), replicate.NewMPSC[replicate.Frame](16)
	cast := replicate.NewBroadcast(16)
	reader := cast.NewReader()
	p, ms, ps := inprocFan(t, s, 2)
	for name, f := range map[string]func() bool{
		"slab": func() bool {
			f, ok := s.Take()
			_, bytes := s.Bytes(f)
			return ok && bytes && s.Put(f)
		},
		"slab, shared": func() bool {
			for i := range fs {
				fs[i], _ = s.Take()
				s.Retain(fs[i], 1)
				s.Put(fs[i])
			}
			_, ok := s.View(fs[7])
			return ok && s.Release(fs) == 0
		},
		"spsc": func() bool {
			return spsc.Put(fs[0]) && spsc.PutBatch(fs) == 8 && spsc.GetBatch(fs) == 8 && one(spsc.Get())
		},
		"mpsc": func() bool {
			return mpsc.Put(fs[0]) && mpsc.PutBatch(fs) == 8 && mpsc.GetBatch(fs) == 8 && one(mpsc.Get())
		},
		"broadcast": func() bool {
			cast.Put(words[0])
			cast.PutBatch(words)
			return reader.GetBatch(got) == 8 && one(reader.Get())
		},
		"inproc": func() bool {
			p.port.Send(ms)
			return p.drain(ps) == 2*len(ms)
		},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if !f() {
				t.Errorf("%s: something is full or empty", name)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func one[T any](_ T, ok bool) bool { return ok }

// A fan is a port with mailboxes that somebody empties.
type fan struct {
	port  *replicate.Inproc
	boxes []*replicate.Mailbox
}

// inprocFan returns a port to n receivers, a message to each with a header that is not in the slab and a payload
// that is, and room to receive into.
func inprocFan(t testing.TB, s *replicate.Slab, n int) (*fan, []replicate.Message, []replicate.Piece) {
	f := &fan{port: replicate.NewInproc(s)}
	b, _ := s.Bytes(take(t, s, "payload"))
	v := replicate.VectorOf(b[:7])
	header := replicate.VectorOf([]byte("header"))
	var ms []replicate.Message
	for i := range n {
		box, err := f.port.Open(address(i), 64)
		if err != nil {
			t.Fatal(err)
		}
		f.boxes = append(f.boxes, box)
		ms = append(ms, replicate.Message{To: address(i), Vectors: []replicate.Vector{header, v}, Size: 13, Copies: 1})
	}
	return f, ms, make([]replicate.Piece, 64)
}

// drain empties the mailboxes and returns how many pieces were in them.
func (f *fan) drain(ps []replicate.Piece) (pieces int) {
	for _, box := range f.boxes {
		n := box.GetBatch(ps)
		box.Release(ps[:n])
		pieces += n
	}
	return pieces
}
