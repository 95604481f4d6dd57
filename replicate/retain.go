package replicate

// This file is the part of a slab that goroutines beside its owner have to do with.

// Retain lets others hold the slot of f, n times: for each a frame of this slot and generation can be handed to
// another goroutine, and is to be released once. The owner still holds it too, until it puts it back; from now
// on nobody may write to its bytes. False means that f is stale, or that a slot had more than 2^30 holds; both
// are counted. Only the owner may call it.
func (s *Slab) Retain(f Frame, n int) bool {
	o := s.own(f)
	if o == nil {
		s.stale++
		return false
	}
	if n < 0 || n > maxHolds {
		s.refused++
		return false
	}
	w := &s.words[f.Slot]
	if o.state == isHeld { // nobody else can have a frame of this generation yet, so nothing is lost
		o.state = isShared
		w.Store(uint64(f.Gen)<<32 | ownerHold | uint64(n))
		return true
	}
	if int(w.Load()&otherHolds)+n > maxHolds { // others can only make it less meanwhile
		s.refused++
		return false
	}
	w.Add(uint64(n))
	return true
}

// View returns the bytes of a frame that was retained for the caller, to read until the caller releases it. False
// means that f is stale or reaches beyond its slot, and is counted. Anybody may call it.
func (s *Slab) View(f Frame) ([]byte, bool) {
	if uint64(f.Slot) < uint64(len(s.words)) && s.within(f) {
		w := s.words[f.Slot].Load()
		if uint32(w>>32) == f.Gen && w&otherHolds != 0 {
			return s.at(f), true
		}
	}
	s.elsewhere.Add(1)
	return nil, false
}

// Release gives back frames that were retained, a hold for each, and returns how many of them were not held by
// anybody but the owner: they are stale, left alone and counted. It costs an atomic operation a frame, and one
// more a call that frees slots: release many at once. Anybody may call it.
func (s *Slab) Release(fs []Frame) (stale int) {
	var c chain
	for _, f := range fs {
		if !s.release(f, &c) {
			stale++
		}
	}
	s.giveBack(&c, stale)
	return stale
}

// A chain is slots that became free, linked by the next of the slab; numbers plus one.
type chain struct{ first, last uint32 }

// release gives a hold back, adds the slot to c if it was the last, and reports whether there was one.
func (s *Slab) release(f Frame, c *chain) bool {
	if uint64(f.Slot) >= uint64(len(s.words)) {
		return false
	}
	last, ok := s.drop(f, 1, otherHolds)
	if last {
		s.next[f.Slot] = c.first
		c.first = f.Slot + 1
		if c.last == 0 {
			c.last = c.first
		}
	}
	return ok
}

// giveBack hands slots to the owner and counts stale frames.
func (s *Slab) giveBack(c *chain, stale int) {
	if stale > 0 {
		s.elsewhere.Add(uint64(stale))
	}
	for c.first != 0 {
		// The owner only ever takes all, so what top was read as is the top again if the swap succeeds, whatever was between.
		top := s.returned.Load()
		s.next[c.last-1] = top
		if s.returned.CompareAndSwap(top, c.first) {
			return
		}
	}
}

// drop takes a hold of those in mask from a slot. ok means that there was one, last that no hold of any kind is
// left.
func (s *Slab) drop(f Frame, hold, mask uint64) (last, ok bool) {
	w := &s.words[f.Slot]
	for {
		old := w.Load()
		if uint32(old>>32) != f.Gen || old&mask == 0 {
			return false, false
		}
		if w.CompareAndSwap(old, old-hold) {
			return uint32(old-hold) == 0, true
		}
	}
}

// reclaim makes free what others have given back.
func (s *Slab) reclaim() {
	if s.returned.Load() == 0 {
		return
	}
	for i := s.returned.Swap(0); i != 0; {
		n := s.next[i-1]
		s.recycle(i - 1)
		i = n
	}
}
