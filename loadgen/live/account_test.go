package live

import (
	"maps"
	"testing"
)

// What receivers, nodes and sockets count becomes sums by level, rates, and drops by cause.
func TestAccount(t *testing.T) {
	var s shelf
	m := NewMeter(Config{Show: s.show})
	first := at(0, 0)
	first.Lifetime = 30 * second
	first.Receivers = []Receiver{{Key: "a", Level: 1, Queries: 100}, {Key: "b", Level: 2}, {Key: "c"}}
	first.Nodes = []Node{{Key: 0, Packets: 1000, Drops: map[string]uint64{"no match": 5}}, {Key: 1}}
	first.Sockets = &Sockets{In: 50, Out: 60}
	m.Begin(first)
	m.Started("join", 0)
	m.Started("join", 0)
	m.Ended("join", true, 1)
	m.Ended("join", true, 1)

	next := at(2*second, 2)
	next.Lifetime = first.Lifetime
	next.Receivers = []Receiver{
		{Key: "a", Level: 1, Queries: 108, Requests: 2, Acks: 6}, // 8 queries more
		{Key: "b", Level: 0, Queries: 4, Repairs: 1, Sent: 3},    // has left: counts for level 2
		{Key: "c", Level: 0, Queries: 1},                         // never had a place
	}
	next.Nodes = []Node{
		{Key: 0, Triggers: 10, Packets: 1030, Copies: 60, Refreshed: 4, Drops: map[string]uint64{"no match": 8}},
		{Key: 1, Triggers: 5, Packets: 10, Refreshed: 2},
	}
	next.Sockets = &Sockets{In: 150, Out: 180, Drops: map[string]uint64{"truncated": 1}}
	m.See(next)
	l := s.last(t).Load
	want := []Level{
		{Level: 0, Receivers: 2, Queries: 1, PerJoin: 0.5, Rate: 0.5},
		{Level: 1, Receivers: 1, Queries: 8, Requests: 2, PerJoin: 4, Rate: 5},
		{Level: 2, Receivers: 0, Queries: 4, Repairs: 1, PerJoin: 2, Rate: 2.5},
	}
	if len(l.Levels) != len(want) {
		t.Fatalf("%+v", l.Levels)
	}
	for i, v := range l.Levels {
		if v != want[i] {
			t.Errorf("level %+v, want %+v", v, want[i])
		}
	}
	// 15 triggers for 2 s are one for 30 s, which is T.
	if r := l.Refresh; r.PerTrigger != 3 || r.AtNodes != 6 || r.Acks != 1 || r.Lifetime != 30 {
		t.Errorf("%+v", r)
	}
	n := l.Nodes
	if n.Nodes != 2 || n.Triggers != 15 || n.Packets != 20 || n.Copies != 30 || n.Hottest != 0 || n.HottestOver != 1.5 ||
		*n.In != 50 || *n.Out != 60 || n.DropRate != 2 ||
		!maps.Equal(n.Drops, map[string]uint64{"no match": 3, "truncated": 1}) {
		t.Errorf("%+v, in %v, out %v", n, *n.In, *n.Out)
	}
}

// A node or receiver that begins anew counts from zero, and what it had counted stays in the sums; in the end rates are
// over all of the load. Where there are no sockets, nothing is said of them.
func TestAccountOfNewcomers(t *testing.T) {
	var s shelf
	m := NewMeter(Config{Show: s.show})
	state := at(0, 0)
	state.Receivers, state.Nodes = []Receiver{{Key: "a", Level: 1}}, []Node{{Key: "old"}}
	m.Begin(state)
	state.At = second
	state.Receivers, state.Nodes = []Receiver{{Key: "a", Level: 1, Queries: 10}}, []Node{{Key: "old", Packets: 100}}
	m.See(state)
	state.At = 4 * second
	state.Receivers, state.Nodes = []Receiver{{Key: "b", Level: 1, Queries: 2}}, []Node{{Key: "new", Packets: 20}}
	state.Over = true
	m.See(state)
	l := s.last(t).Load
	if v := l.Levels[1]; v.Queries != 12 || v.Rate != 3 || v.Receivers != 1 {
		t.Errorf("%+v", v)
	}
	if n := l.Nodes; n.Packets != 30 || n.In != nil || n.Out != nil || n.HottestOver != 1 || n.Drops != nil {
		t.Errorf("%+v", n)
	}
}

// However deep a receiver says that it is, levels are bounded.
func TestDeepestLevel(t *testing.T) {
	var s shelf
	m := NewMeter(Config{Show: s.show})
	m.Begin(at(0, 0))
	state := at(second, 0)
	state.Receivers = []Receiver{{Key: 1, Level: 1 << 20, Queries: 7}, {Key: 2, Level: maxLevel, Queries: 1}}
	m.See(state)
	if l := s.last(t).Load.Levels; len(l) != maxLevel+1 || l[maxLevel].Queries != 8 || l[maxLevel].Receivers != 2 {
		t.Errorf("%d levels, the last %+v", len(l), l[len(l)-1])
	}
}
