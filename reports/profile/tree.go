package profile

import (
	"slices"
	"strings"
)

// MaxDepth is the most calls of a stack that a tree shows; what is deeper counts for the last of them.
const MaxDepth = 64

// A Node is a function as it was called by a chain of others, or, at the root, everything.
type Node struct {
	Name string
	Cost Cost
	Base Cost // of the profile that it is compared with
	// Stage is that which has nine tenths of the cost or more, if Mixed is false.
	Stage Stage
	Mixed bool

	Children []*Node // by name

	byName map[int]*Node // while it grows; places in the names of both profiles
	stages [NumStages]int64
}

// Tree returns all stacks of a profile, with those of another, which may be nil, beside them.
func Tree(p, base *Profile) *Node {
	root := &Node{Name: "all"}
	places := make(map[string]int)
	root.grow(p, places, func(n *Node, s *stack) {
		n.Cost.add(s.cost)
		n.stages[s.stage] += s.cost.CPU
	})
	if base != nil {
		root.grow(base, places, func(n *Node, s *stack) {
			n.Base.add(s.cost)
			if n.Cost.CPU == 0 { // it is gone: its colour is what it was
				n.stages[s.stage] += s.cost.CPU
			}
		})
	}
	root.settle()
	return root
}

// grow adds the stacks of a profile.
func (n *Node) grow(p *Profile, places map[string]int, add func(*Node, *stack)) {
	place := make([]int, len(p.names)) // of each of its names in those of both
	for i, name := range p.names {
		k, ok := places[name]
		if !ok {
			k = len(places)
			places[name] = k
		}
		place[i] = k
	}
	for i := range p.stacks {
		s := &p.stacks[i]
		at := n
		add(at, s)
		for _, f := range s.frames[:min(len(s.frames), MaxDepth)] {
			at = at.child(place[f], p.names[f])
			add(at, s)
		}
	}
}

// child returns the node of a function that this one calls.
func (n *Node) child(place int, name string) *Node {
	c := n.byName[place]
	if c == nil {
		c = &Node{Name: name}
		if n.byName == nil {
			n.byName = make(map[int]*Node)
		}
		n.byName[place] = c
		n.Children = append(n.Children, c)
	}
	return c
}

// settle sorts what has grown, and finds the stages.
func (n *Node) settle() {
	n.byName = nil
	slices.SortFunc(n.Children, func(a, b *Node) int { return strings.Compare(a.Name, b.Name) })
	var sum int64
	for s, cpu := range n.stages {
		sum += cpu
		if cpu > n.stages[n.Stage] {
			n.Stage = Stage(s)
		}
	}
	n.Mixed = float64(n.stages[n.Stage]) < 0.9*float64(sum)
	for _, c := range n.Children {
		c.settle()
	}
}
