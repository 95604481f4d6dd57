package chord

import "slices"

// Pointers are what a member of the ring knows of the ring itself, and the operations by which members keep it one
// (P. Zave, "Reasoning about Identifier Spaces: How to Make Chord Correct", IEEE TSE 43(12), 2017). Each operation
// asks one member at a time, and what it says is taken over at once and whole: nobody becomes a successor before it has
// been heard from, or is in the list of one that has.
//
// One rule of hers is left out: that a member does not answer while it waits itself. Answers are late here anyway, and
// the model (TestModel) finds nothing that can happen for want of it.
//
// Pointers send nothing. What is to be sent they return as a todo; what comes of it they are told.
type pointers struct {
	self  Place
	limit int     // how many successors are kept
	pred  Place   // the zero Place if none is known
	succ  []Place // at least one; it ends with self if it goes all the way round
	step  step
	asked Place // whom it waits for
	news  Place // who says that it is there and has not been asked yet, or the zero Place
	gone  bool  // the predecessor does not answer
}

// A step is what a member waits for.
type step uint8

const (
	idle           step = iota
	askSuccessor        // does it live, and who comes after it?
	askBetween          // the predecessor of the successor, which comes before that: does it live, and who comes after it?
	askPredecessor      // does it live, now that somebody else says that it comes before self?
	askNews             // who says that it comes before self: is it there?
	askFollower         // who has joined, and says that it comes after self: is it there, and who comes after it?
)

// A todo is whom to ask for its state, and whom to tell that self is there; the zero Place is nobody.
type todo struct{ ask, tell Place }

// newPointers returns the pointers of a ring of one.
func newPointers(self Place, limit int) pointers {
	return pointers{self: self, limit: limit, pred: self, succ: []Place{self}}
}

// known reports whether p is a place and not the zero Place.
func (p Place) known() bool { return p.Addr.IsValid() }

// between reports whether x lies on the way round from a to b, both excluded; from a to a is all the way round.
func between(a, x, b uint64) bool {
	return x != a && x != b && Range{a, b}.Contains(x)
}

// join makes self a member, behind pred, whose successors are given. It reports false, and changes nothing, if the
// place of self is not between pred and the first of them.
func (p *pointers) join(pred Place, succ []Place) bool {
	if len(succ) == 0 || !between(pred.Prefix, p.self.Prefix, succ[0].Prefix) {
		return false
	}
	p.pred = pred
	p.adopt(succ[0], succ[1:])
	return true
}

// adopt makes first the successor, and rest what follows, until it has come round.
func (p *pointers) adopt(first Place, rest []Place) {
	next := make([]Place, 1, p.limit)
	next[0] = first
	for _, s := range rest {
		if len(next) == p.limit || next[len(next)-1] == p.self || slices.Contains(next, s) {
			break
		}
		next = append(next, s)
	}
	p.succ = next
}

// free reports whether it may stabilize: news wait, so that nobody keeps it from that by false ones.
func (p *pointers) free() bool { return p.step == idle || p.unproven() }

// unproven reports whether it waits for somebody from whom it has nothing but a message that anybody may have sent.
func (p *pointers) unproven() bool { return p.step == askNews || p.step == askFollower }

// stabilize begins to look after the successors. It must be free.
func (p *pointers) stabilize() todo { return p.ask(askSuccessor, p.succ[0]) }

// ask waits for the state of somebody, which for self is known.
func (p *pointers) ask(s step, whom Place) todo {
	p.step, p.asked = s, whom
	if whom == p.self {
		return p.answered(p.pred, p.succ)
	}
	return todo{ask: whom}
}

// answered goes on with the state of the member that was asked.
func (p *pointers) answered(pred Place, succ []Place) todo {
	s, asked := p.step, p.asked
	p.step = idle
	switch s {
	case askSuccessor:
		p.adopt(asked, succ)
		if pred.known() && p.precedes(pred) {
			return p.ask(askBetween, pred)
		}
		return p.tell()
	case askBetween, askFollower:
		p.adopt(asked, succ)
		return p.tell()
	case askNews:
		if p.gone || p.follows(asked) {
			p.pred, p.gone = asked, false
		}
		p.forget(asked)
	case askPredecessor: // it lives, and so comes after who says that it is there
		p.gone, p.news = false, Place{}
	}
	return p.rest(todo{})
}

// silent goes on if who was asked does not answer, and so is taken for dead.
func (p *pointers) silent() todo {
	s, asked := p.step, p.asked
	p.step = idle
	switch s {
	case askSuccessor:
		if p.succ = p.succ[1:]; len(p.succ) == 0 {
			p.succ = []Place{p.self}
		}
		return p.tell()
	case askBetween:
		return p.tell()
	case askPredecessor:
		p.gone = true
	case askNews:
		p.forget(asked)
	}
	return p.rest(todo{})
}

// forget drops the news of somebody.
func (p *pointers) forget(whose Place) {
	if p.news == whose {
		p.news = Place{}
	}
}

// tell says to the successor that self is there.
func (p *pointers) tell() todo {
	if p.succ[0] == p.self {
		return p.told(p.self, false)
	}
	return p.rest(todo{tell: p.succ[0]})
}

// told hears that somebody comes before self ("rectify"). Nobody is believed before it has answered itself: whoever may
// write as sender what it likes could have pointers set as it likes.
//
// If somebody has said so before and waits for being asked, the new one may take the place.
func (p *pointers) told(by Place, instead bool) todo {
	if !p.news.known() || instead {
		p.news = by
	}
	return p.rest(todo{})
}

// followed hears that somebody has joined behind self. It is asked like one whom the successor has named. Otherwise
// nobody here would know of it before the next look, or ever, if the successor of both fails first.
func (p *pointers) followed(by Place) todo {
	if p.step == idle && p.precedes(by) {
		return p.ask(askFollower, by)
	}
	return todo{}
}

// leaves hears that somebody next to self is no member any more. It is asked, as it would be anyway some time: whoever
// says so may be anybody, and at any time.
func (p *pointers) leaves(who Place) todo {
	switch {
	case !p.free():
	case who == p.succ[0]:
		return p.stabilize()
	case who == p.pred && !p.gone:
		return p.ask(askPredecessor, who)
	}
	return todo{}
}

// rest adds to a todo what is to be done about the news, if it is idle.
func (p *pointers) rest(t todo) todo {
	by := p.news
	if p.step != idle || !by.known() {
		return t
	}
	switch {
	case p.follows(by) || p.gone && by != p.pred:
		u := p.ask(askNews, by)
		return todo{ask: u.ask, tell: t.tell}
	case by != p.pred && p.pred != p.self:
		u := p.ask(askPredecessor, p.pred) // and then, if it is gone, there is still the news
		return todo{ask: u.ask, tell: t.tell}
	}
	p.news = Place{}
	return t
}

// precedes reports whether somebody comes before the successor.
func (p *pointers) precedes(by Place) bool {
	return between(p.self.Prefix, by.Prefix, p.succ[0].Prefix)
}

// follows reports whether somebody comes after the predecessor.
func (p *pointers) follows(by Place) bool {
	return !p.pred.known() || between(p.pred.Prefix, by.Prefix, p.self.Prefix)
}
