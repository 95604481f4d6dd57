package chord

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A rules is what a model's members do; tests put the mistakes of older protocols in their place.
type rules struct {
	join     func(p *pointers, pred Place, succ []Place) bool
	answered func(p *pointers, pred Place, succ []Place) todo
	told     func(p *pointers, by Place, instead bool) todo
	leaves   func(p *pointers, who Place) todo
}

// correct are the rules of this package.
var correct = rules{
	join:     (*pointers).join,
	answered: (*pointers).answered,
	told:     (*pointers).told,
	leaves:   (*pointers).leaves,
}

// A phase is how far a participant of a model is.
type phase uint8

const (
	outside phase = iota
	joining
	member
	dead
)

// A question is what is under way to the one who was asked, or back.
type question uint8

const (
	none question = iota
	asked
	answered // with pred and succ
)

// A participant of a model. Slices in it are never written to, so that a copy is a copy.
type participant struct {
	pointers
	phase    phase
	question question
	saidPred Place
	saidSucc []Place
}

// Words are what one has told another and that other has not heard yet.
type words uint8

const (
	before words = 1 << iota // that it comes before
	behind                   // that it has joined behind
)

// A world is a state of a model: the participants, and who has told whom what.
type world struct {
	who     []participant
	told    []words // told[from*len(who)+to]
	failing int     // how many may still fail
	*model
}

// place returns the place of a participant.
func place(i int) Place {
	return Place{uint64(i+1) << 60, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 1)}
}

func index(p Place) int { return int(p.Prefix>>60) - 1 } // -1 for none

// newWorld returns a stable ring of the first so many, and others that may join.
func newWorld(m *model, members, others, failing int) world {
	w := world{failing: failing, model: m, told: make([]words, (members+others)*(members+others))}
	for i := range members + others {
		w.who = append(w.who, participant{pointers: newPointers(place(i), m.limit)})
		if i < members {
			w.who[i].phase = member
		}
	}
	for i := range members {
		var succ []Place
		for k := 1; k <= members; k++ {
			succ = append(succ, place((i+k)%members))
		}
		w.who[i].adopt(succ[0], succ[1:])
		w.who[i].pred = place((i + members - 1) % members)
	}
	return w
}

func (w world) clone() world {
	w.who, w.told = slices.Clone(w.who), slices.Clone(w.told)
	return w
}

// key tells states apart.
func (w *world) key() string {
	var b []byte
	list := func(places []Place) {
		for _, p := range places {
			b = append(b, byte(index(p)+1))
		}
		b = append(b, 0xff)
	}
	for i := range w.who {
		n := &w.who[i]
		gone := byte(0)
		if n.gone {
			gone = 1
		}
		b = append(b, byte(n.phase), byte(n.question), byte(n.step), gone)
		list([]Place{n.pred, n.asked, n.news, n.saidPred})
		list(n.succ)
		list(n.saidSucc)
	}
	for _, t := range w.told {
		b = append(b, byte(t))
	}
	return string(append(b, byte(w.failing)))
}

func (w *world) String() string {
	var b strings.Builder
	for i := range w.who {
		n := &w.who[i]
		fmt.Fprintf(&b, "[%d %s pred %d succ", i, [...]string{"outside", "joining", "member", "dead"}[n.phase], index(n.pred))
		for _, s := range n.succ {
			fmt.Fprintf(&b, " %d", index(s))
		}
		fmt.Fprintf(&b, " step %d asked %d question %d] ", n.step, index(n.asked), n.question)
	}
	return b.String()
}

// do carries out what a participant wants to do next.
func (w *world) do(i int, t todo) {
	n := &w.who[i]
	n.question, n.saidPred, n.saidSucc = none, Place{}, nil
	if t.ask.known() {
		n.question = asked
	} else {
		n.asked = Place{} // means nothing now: fewer states
	}
	if t.tell.known() {
		w.told[i*len(w.who)+index(t.tell)] |= before
	}
}

// An event is something that can happen in a state.
type event struct {
	name string
	do   func(w *world)
}

// events returns all that can happen.
func (w *world) events() (all []event) {
	for i := range w.who {
		n := &w.who[i]
		switch {
		case n.phase == outside:
			for m := range w.who {
				if w.who[m].phase == member {
					all = append(all, event{fmt.Sprint(i, " asks ", m, " to join"), func(w *world) {
						w.who[i].phase, w.who[i].asked, w.who[i].question = joining, place(m), asked
					}})
				}
			}
		case n.question != none:
			all = append(all, w.progress(i))
		}
		if n.phase == member && n.free() {
			all = append(all, event{fmt.Sprint(i, " stabilizes"), func(w *world) { w.do(i, w.who[i].stabilize()) }})
			all = append(all, w.notices(i)...)
		}
		if n.phase == member && w.failing > 0 && w.mayFail(i) {
			all = append(all, event{fmt.Sprint(i, " fails"), func(w *world) { w.fail(i) }})
		}
	}
	for k, t := range w.told {
		from, to := k/len(w.who), k%len(w.who)
		if t&before != 0 {
			all = append(all, event{fmt.Sprint(from, " tells ", to), func(w *world) { w.hear(from, to, before) }})
			if w.who[to].news.known() { // others have said so before, and one of them keeps its place
				all = append(all, event{fmt.Sprint(from, " tells in vain ", to), func(w *world) {
					w.told[k] &^= before
				}})
			}
		}
		if t&behind != 0 {
			all = append(all, event{fmt.Sprint(from, " follows ", to), func(w *world) { w.hear(from, to, behind) }})
		}
	}
	return all
}

// notices are what somebody may be told at any time, for anybody may say so: that those next to it have left. Who has
// left is silent as one that has failed, and is not found out sooner than that may be.
func (w *world) notices(i int) (all []event) {
	for _, who := range []Place{w.who[i].pred, w.who[i].succ[0]} {
		if !who.known() || who == w.who[i].self {
			continue
		}
		all = append(all, event{fmt.Sprint(i, " hears that ", index(who), " has left"), func(w *world) {
			if t := w.leaves(&w.who[i].pointers, who); t != (todo{}) {
				w.do(i, t)
			}
		}})
	}
	return all
}

// progress is the next thing that happens to a participant's question.
func (w *world) progress(i int) event {
	n := &w.who[i]
	to := index(n.asked)
	switch {
	case n.question == asked && w.who[to].phase != member:
		return event{fmt.Sprint(i, " gives ", to, " up"), func(w *world) { w.silence(i) }}
	case n.question == asked:
		return event{fmt.Sprint(to, " answers ", i), func(w *world) {
			n, of := &w.who[i], &w.who[to]
			n.question, n.saidPred, n.saidSucc = answered, of.pred, of.succ
		}}
	}
	return event{fmt.Sprint(i, " hears from ", to), func(w *world) { w.answer(i) }}
}

// answer hands a participant the answer to its question.
func (w *world) answer(i int) {
	n := &w.who[i]
	if n.phase != joining {
		w.do(i, w.answered(&n.pointers, n.saidPred, n.saidSucc))
		return
	}
	if n.phase = outside; w.join(&n.pointers, n.asked, n.saidSucc) {
		n.phase = member
		w.told[i*len(w.who)+index(n.pred)] |= behind
	}
	w.do(i, todo{})
}

// silence tells a participant that nobody answers.
func (w *world) silence(i int) {
	n := &w.who[i]
	if n.phase == joining {
		n.phase = outside
		w.do(i, todo{})
		return
	}
	w.do(i, n.silent())
}

// hear delivers what one has told another.
func (w *world) hear(from, to int, said words) {
	k := from*len(w.who) + to
	n := &w.who[to]
	if w.told[k]&said == 0 || n.phase != member {
		w.told[k] &^= said
		return
	}
	w.told[k] &^= said
	var t todo
	if said == before {
		t = w.rules.told(&n.pointers, place(from), true)
	} else {
		t = n.followed(place(from))
	}
	if t != (todo{}) {
		w.do(to, t)
	}
}

func (w *world) fail(i int) {
	n := &w.who[i]
	*n = participant{pointers: newPointers(n.self, w.limit), phase: dead}
	for to := range w.who {
		w.told[i*len(w.who)+to], w.told[to*len(w.who)+i] = 0, 0
	}
	w.failing--
}

// mayFail reports whether a failure leaves every member with a successor that lives, in its list and in what it is
// about to take over: this much the protocol assumes.
func (w *world) mayFail(i int) bool {
	lives := func(list []Place) bool {
		return slices.ContainsFunc(list, func(s Place) bool { return index(s) != i && w.who[index(s)].phase == member })
	}
	for k := range w.who {
		n := &w.who[k]
		if k == i || n.phase == dead || n.phase == outside {
			continue
		}
		soon := n.succ
		switch {
		case n.question == answered && n.phase == joining:
			soon = n.saidSucc
		case n.question == answered && n.step != askPredecessor:
			after := n.pointers
			after.adopt(n.asked, n.saidSucc)
			soon = after.succ
		}
		if n.phase == member && !lives(n.succ) || !lives(soon) {
			return false
		}
	}
	return true
}

// ring returns what is wrong with the ring as it is: that there is not one, or that it is out of order. It goes from
// members to the first of their successors that lives; members that have just joined lead to it.
func (w *world) ring() error {
	next := func(i int) int {
		for _, s := range w.who[i].succ {
			if w.who[index(s)].phase == member {
				return index(s)
			}
		}
		return -1
	}
	on := -1 // somebody on the ring
	for i := range w.who {
		if w.who[i].phase != member {
			continue
		}
		at := i
		for range w.who {
			if at = next(at); at < 0 {
				return fmt.Errorf("%d has no successor that lives", i)
			}
		}
		if on < 0 {
			on = at
		}
		turns, met := 0, false
		for k := at; ; {
			met = met || k == on
			to := next(k)
			if to <= k {
				turns++
			}
			if k = to; k == at {
				break
			}
		}
		if !met || turns != 1 {
			return fmt.Errorf("from %d: on the ring of %d: %v, %d times round", i, on, met, turns)
		}
	}
	return nil
}

// settle lets everything go its way, with nobody failing or joining any more, and returns what is wrong in the end.
func (w world) settle() error {
	if w.base {
		if err := w.ring(); err != nil {
			return err
		}
	}
	w = w.clone()
	w.failing = 0
	for range 6 * len(w.who) {
		for i := range w.who {
			for w.who[i].question != none {
				w.progress(i).do(&w)
			}
			if w.who[i].phase == member && w.who[i].step == idle {
				w.do(i, w.who[i].stabilize())
			}
			for w.who[i].question != none {
				w.progress(i).do(&w)
			}
			for k := range w.told {
				w.hear(k/len(w.who), k%len(w.who), behind)
				w.hear(k/len(w.who), k%len(w.who), before)
			}
		}
	}
	return w.ideal()
}

// ideal returns how the ring differs from what it should be.
func (w *world) ideal() error {
	var live []Place
	for i := range w.who {
		if w.who[i].phase == member {
			live = append(live, place(i))
		}
	}
	for k, p := range live {
		want := newPointers(p, w.limit)
		want.pred = live[(k+len(live)-1)%len(live)]
		want.adopt(live[(k+1)%len(live)], append(slices.Clone(live[(k+1)%len(live)+1:]), live...))
		n := &w.who[index(p)]
		if n.pred != want.pred || !slices.Equal(n.succ, want.succ) {
			return fmt.Errorf("not a ring: %v", w)
		}
	}
	return nil
}
