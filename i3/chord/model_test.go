package chord

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"i3bench/internal/prng"
)

// A model explores what some participants can do to each other.
type model struct {
	rules
	limit  int               // of successors
	base   bool              // one ring at any time: there are more members from the beginning than successors
	from   map[string]string // the state before each, and the event that led from it
	states int
}

// explore visits every state that can be reached, at most so many, and returns the first from which no ring comes, with
// the way there.
func (m *model) explore(start world, most int) error {
	m.from = map[string]string{start.key(): ""}
	for queue := []world{start}; len(queue) > 0; queue = queue[1:] {
		w := queue[0]
		m.states++
		if err := w.settle(); err != nil {
			return fmt.Errorf("after%s: %v, %w", m.way(w.key()), &w, err)
		}
		for _, e := range w.events() {
			next := w.clone()
			e.do(&next)
			key := next.key()
			if _, ok := m.from[key]; ok || len(m.from) >= most {
				continue
			}
			m.from[key] = w.key() + "\x00\x00" + e.name
			queue = append(queue, next)
		}
	}
	return nil
}

// walk takes so many random ways of so many steps, and returns the first from whose end no ring comes.
func (m *model) walk(start world, ways, steps int, seed uint64) error {
	rng := prng.New(seed, 0)
	for range ways {
		w := start.clone()
		var way strings.Builder
		for range steps {
			all := w.events()
			if len(all) == 0 {
				break
			}
			e := all[rng.IntN(len(all))]
			e.do(&w)
			way.WriteString("; " + e.name)
			m.states++
		}
		if err := w.settle(); err != nil {
			return fmt.Errorf("after%s: %v, %w", way.String(), &w, err)
		}
	}
	return nil
}

// follow does what a way says.
func (w *world) follow(t *testing.T, way string) {
	for name := range strings.SplitSeq(way, "; ") {
		all := w.events()
		i := slices.IndexFunc(all, func(e event) bool { return strings.HasPrefix(e.name, name) })
		if i < 0 {
			t.Fatalf("it cannot happen that %s: %v", name, w)
		}
		if name != "" {
			all[i].do(w)
		}
	}
}

// way tells the events that lead to a state.
func (m *model) way(key string) (s string) {
	for m.from[key] != "" {
		from := m.from[key]
		cut := strings.LastIndex(from, "\x00\x00")
		s, key = "; "+from[cut+2:]+s, from[:cut]
	}
	return s
}

// modelStates and modelWays are how much of a model is looked at: I3BENCH_MODEL=1, which make model sets, takes
// minutes.
func modelStates() (states, ways int) {
	if os.Getenv("I3BENCH_MODEL") != "" {
		return 1_000_000, 100_000
	}
	return Share(6000), Share(600)
}

// TestModel visits what three to six participants can do, in every order, with those that join and those that fail;
// where that is too much, the states nearest to the beginning, and random ways. From everywhere a ring comes. If
// there are at least as many members in the beginning as Zave asks for, there is one at any time.
func TestModel(t *testing.T) {
	states, ways := modelStates()
	for _, c := range []struct{ members, others, failing int }{
		{1, 1, 0}, {1, 2, 0}, {2, 1, 1}, {3, 0, 2}, {3, 1, 0}, {3, 1, 1}, {3, 2, 1}, {4, 1, 2}, {3, 3, 3},
	} {
		t.Run(fmt.Sprintf("members=%d/others=%d/failing=%d", c.members, c.others, c.failing), func(t *testing.T) {
			m := &model{rules: correct, limit: 2, base: c.members > 2}
			if err := m.explore(newWorld(m, c.members, c.others, c.failing), states); err != nil {
				t.Error(err)
			}
			all := len(m.from) < states
			t.Logf("%d states, all: %v", m.states, all)
			if all {
				return
			}
			if err := m.walk(newWorld(m, c.members, c.others, c.failing), ways, 80, 1); err != nil {
				t.Error(err)
			}
			t.Logf("%d states on %d random ways", m.states-states, ways)
		})
	}
}

// TestModelFindsMistakes: the mistakes of the ring as it was first published (Stoica et al., SIGCOMM 2001) lead to
// states with no ring, or from which none comes.
func TestModelFindsMistakes(t *testing.T) {
	mistakes := map[string]func(r *rules){
		"believes in the predecessor of its successor": func(r *rules) {
			r.answered = func(p *pointers, pred Place, succ []Place) todo {
				if p.step == askSuccessor && pred.known() && between(p.self.Prefix, pred.Prefix, p.asked.Prefix) {
					p.adopt(pred, append([]Place{p.asked}, succ...))
					p.step = idle
					return p.tell()
				}
				return p.answered(pred, succ)
			}
		},
		"never asks whether its predecessor lives": func(r *rules) {
			r.told = func(p *pointers, by Place, _ bool) todo {
				if between(p.pred.Prefix, by.Prefix, p.self.Prefix) {
					p.pred = by
				}
				return todo{}
			}
		},
		"believes who says that its successor has left": func(r *rules) {
			r.leaves = func(p *pointers, who Place) todo {
				if p.step == idle && who == p.succ[0] && len(p.succ) > 1 {
					p.succ = p.succ[1:]
				}
				return todo{}
			}
		},
		"joins with one successor": func(r *rules) {
			r.join = func(p *pointers, pred Place, succ []Place) bool { return p.join(pred, succ[:1]) }
		},
		"changes its successor and not the list": func(r *rules) {
			r.answered = func(p *pointers, pred Place, succ []Place) todo {
				list := p.succ
				t := p.answered(pred, succ)
				p.adopt(p.succ[0], list[1:])
				return t
			}
		},
	}
	for name, mistake := range mistakes {
		t.Run(name, func(t *testing.T) {
			for _, way := range []string{"", "3 asks 2; 2 answers 3; 3 hears from 2; 3 stabilizes; 0 answers 3; " +
				"3 hears from 0; 3 tells 0; 3 answers 0; 0 hears from 3"} {
				m := &model{rules: correct, limit: 2, base: true}
				mistake(&m.rules)
				w := newWorld(m, 3, 1, 2)
				w.follow(t, way)
				if err := m.explore(w, 5000); err != nil {
					t.Logf("found after %d states: %s%v", m.states, way, err)
					return
				}
			}
			t.Error("not found")
		})
	}
}
