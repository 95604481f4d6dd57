package replicate_test

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"i3bench/replicate"
)

// fataler is a test, of any kind.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// A life is what a model knows of a frame that a slab once handed out.
type life struct {
	frame  replicate.Frame
	owner  bool // whether the owner holds it
	others int  // holds of others
	mark   uint64
}

func (l *life) free() bool { return !l.owner && l.others == 0 }

// slabModel runs operations on a slab and on a list of lives, and fails the test when they differ.
type slabModel struct {
	t     fataler
	slab  *replicate.Slab
	lives []*life // all there ever were
	want  replicate.SlabStats
}

func newSlabModel(t fataler, slots, size int) *slabModel {
	s, err := replicate.NewSlab(replicate.SlabConfig{Slots: slots, Size: size})
	if err != nil {
		t.Fatalf("%v", err)
	}
	st := s.Stats()
	return &slabModel{t: t, slab: s, want: replicate.SlabStats{
		Slots: slots, Size: size, Free: slots, Low: slots, OffHeap: st.OffHeap,
	}}
}

func (m *slabModel) ok(what string, got, want bool) {
	m.t.Helper()
	if got != want {
		m.t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// stale counts what the slab has to count as stale, and returns ok.
func (m *slabModel) stale(ok bool) bool {
	if !ok {
		m.want.Stale++
	}
	return ok
}

// take takes a slot and writes a mark into it that no other has.
func (m *slabModel) take() {
	f, ok := m.slab.Take()
	m.ok("take", ok, m.want.Free > 0)
	if !ok {
		m.want.Refused++
		return
	}
	m.want.Free--
	m.want.Low = min(m.want.Low, m.want.Free)
	for _, l := range m.lives {
		if l.frame.Slot == f.Slot && (!l.free() || l.frame.Gen == f.Gen) {
			m.t.Fatalf("took %+v, which %+v still is", f, *l)
		}
	}
	l := &life{frame: f, owner: true, mark: uint64(len(m.lives)) + 1}
	m.lives = append(m.lives, l)
	b, _ := m.slab.Bytes(f)
	if len(b) != min(m.want.Size, 65535) || cap(b) != len(b) {
		m.t.Fatalf("took %d bytes of %d, want %d", len(b), cap(b), m.want.Size)
	}
	binary.LittleEndian.PutUint64(b, l.mark)
}

func (m *slabModel) put(l *life) {
	m.ok("put", m.slab.Put(l.frame), m.stale(l.owner))
	m.end(l, func() { l.owner = false })
}

// end ends a hold of l, if it has one, and notes whether it is free by that.
func (m *slabModel) end(l *life, f func()) {
	was := l.free()
	if f(); !was && l.free() {
		m.want.Free++
	}
}

func (m *slabModel) retain(l *life, n int) {
	m.ok("retain", m.slab.Retain(l.frame, n), m.stale(l.owner))
	if l.owner {
		l.others += n
	}
}

// release releases the lives, which may be the same more than once.
func (m *slabModel) release(ls []*life) {
	var fs []replicate.Frame
	stale := 0
	for _, l := range ls {
		fs = append(fs, l.frame)
		m.end(l, func() {
			if !m.stale(l.others > 0) {
				stale++
			} else {
				l.others--
			}
		})
	}
	if got := m.slab.Release(fs); got != stale {
		m.t.Fatalf("released %v: %d stale, want %d", fs, got, stale)
	}
}

// look reads the frame as the owner and as others do, and at a part of it.
func (m *slabModel) look(l *life, off, n uint16) {
	b, ok := m.slab.Bytes(l.frame)
	m.ok("bytes", ok, m.stale(l.owner))
	v, viewed := m.slab.View(l.frame)
	m.ok("view", viewed, m.stale(l.others > 0))
	for _, b := range [][]byte{b, v} {
		if b != nil && binary.LittleEndian.Uint64(b) != l.mark {
			m.t.Fatalf("%+v has the bytes of %d", *l, binary.LittleEndian.Uint64(b))
		}
	}
	f := l.frame
	f.Off, f.Len = off, n
	part, ok := m.slab.Bytes(f)
	m.ok("bytes of a part", ok, m.stale(l.owner && int(off)+int(n) <= m.want.Size))
	if len(part) > 0 {
		back, ok := m.slab.FrameOf(replicate.VectorOf(part))
		m.ok("frame of bytes", ok && back == f, true)
	}
}

func (m *slabModel) check() {
	if got := m.slab.Stats(); got != m.want {
		m.t.Fatalf("%+v, want %+v", got, m.want)
	}
}

// finish gives everything back and closes the slab.
func (m *slabModel) finish() {
	m.check()
	err := m.slab.Close()
	m.ok("close of a slab in use", err != nil, m.want.Free < m.want.Slots)
	for _, l := range m.lives {
		if l.owner && err != nil {
			m.put(l)
		}
		for l.others > 0 {
			m.release([]*life{l})
		}
	}
	if err := m.slab.Close(); err != nil {
		m.t.Fatalf("%v", err)
	}
	if _, ok := m.slab.Take(); ok {
		m.t.Fatalf("took a slot of a closed slab")
	}
}

// run reads operations from bytes: one says which, others which life and how much.
func (m *slabModel) run(data []byte) {
	next := func() byte {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	pick := func() *life { // counted from the last one, so that the living are met often
		if len(m.lives) == 0 {
			return &life{frame: replicate.Frame{Slot: uint32(next()), Gen: 7}}
		}
		return m.lives[len(m.lives)-1-int(next())%len(m.lives)]
	}
	for len(data) > 0 {
		switch next() % 8 {
		case 0, 1:
			m.take()
		case 2:
			m.put(pick())
		case 3:
			m.retain(pick(), int(next()%4))
		case 4, 5:
			ls := make([]*life, next()%8)
			for i := range ls {
				ls[i] = pick()
			}
			m.release(ls)
		case 6:
			m.look(pick(), uint16(next())<<3, uint16(next())<<8)
		case 7:
			low := m.slab.MarkLow()
			m.ok("low", low == m.want.Low, true)
			m.want.Low = m.want.Free
			m.check()
		}
	}
	m.finish()
}

// FuzzSlab runs arbitrary operations on a slab and on a model.
func FuzzSlab(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 7})                // more than there are
	f.Add([]byte{0, 3, 0, 2, 2, 0, 4, 2, 0, 0, 0, 0, 7}) // shared, put back, released
	f.Add([]byte{0, 3, 0, 1, 4, 3, 0, 0, 0, 2, 0})       // released too often
	f.Add([]byte{0, 2, 0, 2, 0, 0, 6, 1, 255, 255})      // put back twice, and looked at when stale
	f.Fuzz(func(t *testing.T, data []byte) {
		newSlabModel(t, 1+len(data)%5, 64<<(len(data)%11)).run(data[:min(len(data), 2048)])
	})
}

// TestSlabIsAModel is the fuzzer's job with random bytes.
func TestSlabIsAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "operations")
		newSlabModel(t, rapid.IntRange(1, 6).Draw(t, "slots"), replicate.SlotSize).run(data)
	})
}
