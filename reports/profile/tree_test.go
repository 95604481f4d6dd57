package profile

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"pgregory.net/rapid"
)

// show writes a tree, a line for each node.
func show(n *Node, depth int) string {
	stage := n.Stage.String()
	if n.Mixed {
		stage = "mixed"
	}
	text := fmt.Sprintf("%s%s %d %d %s\n", strings.Repeat(" ", depth), n.Name, n.Cost.Samples, n.Base.Samples, stage)
	for _, c := range n.Children {
		text += show(c, depth+1)
	}
	return text
}

// A tree has each chain of calls once, by name, with both profiles' costs and the stage of what has one; what is gone
// keeps the stage that it had.
func TestTree(t *testing.T) {
	new := read(t, join(10), sendPath(30), call{[]string{"b", "a"}, "", 1})
	old := read(t, join(20), call{[]string{"b", "gone"}, "receive", 5})
	const want = `all 41 25 mixed
 b 1 5 other
  a 1 0 other
  gone 0 5 receive
 i3bench/cluster.(*shard).run 40 20 mixed
  i3bench/i3/multicast.(*Receiver).Join 10 20 join
  syscall.Syscall 30 0 send
`
	if got := show(Tree(new, old), 0); got != want {
		t.Errorf("the tree is\n%sexpected\n%s", got, want)
	}
}

// What is deeper than a tree shows counts for the last box that it shows.
func TestDeepTree(t *testing.T) {
	var frames []string
	for i := range MaxDepth + 5 {
		frames = append(frames, fmt.Sprint("f", i))
	}
	n := Tree(read(t, call{frames, "", 4}), nil)
	depth := 0
	for ; len(n.Children) == 1; n = n.Children[0] {
		depth++
	}
	if depth != MaxDepth || n.Cost.Samples != 4 || n.Name != fmt.Sprint("f", MaxDepth-1) {
		t.Errorf("%d deep, the last is %s with %v; expected %d, with all", depth, n.Name, n.Cost, MaxDepth)
	}
}

// Of any profile a node costs no less than what it calls, a function no more with what it calls than everything, and
// all functions by themselves as much as everything.
func TestSums(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c", "i3bench/sim.f", "i3bench/matcher.(*Table).Match", "runtime.mcall"})
		calls := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call {
			return call{
				rapid.SliceOfN(name, 1, 6).Draw(t, "frames"),
				rapid.SampledFrom([]string{"", "send", "machine"}).Draw(t, "label"), rapid.Int64Range(1, 1000).Draw(t, "samples"),
			}
		}), 1, 20).Draw(r, "calls")
		p := newProfile(decoded(r, calls))
		var check func(n *Node)
		check = func(n *Node) {
			var below Cost
			for _, c := range n.Children {
				below.add(c.Cost)
				check(c)
			}
			if below.Samples > n.Cost.Samples || below.CPU > n.Cost.CPU {
				r.Fatalf("%s has %v, what it calls %v", n.Name, n.Cost, below)
			}
		}
		check(Tree(p, nil))
		var flat, total Cost
		for _, f := range p.Functions() {
			flat.add(f.Flat)
			if f.Cum.Samples > p.Total.Samples || f.Cum.Samples < f.Flat.Samples {
				r.Fatalf("%+v of %v", f, p.Total)
			}
		}
		for _, c := range calls {
			total.add(Cost{c.samples, c.samples * tick})
		}
		if flat != total || p.Total != total {
			r.Fatalf("functions %v, profile %v, expected %v", flat, p.Total, total)
		}
	})
}

// decoded returns a profile as it is read.
func decoded(t *rapid.T, calls []call) *profile.Profile {
	var b bytes.Buffer
	err := made(calls...).Write(&b)
	p, err2 := decode(b.Bytes())
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return p
}

// Two profiles are each taken for a whole, and a difference is real only if chance could hardly have made it.
func TestChange(t *testing.T) {
	for _, c := range []struct {
		was, wasOf, is, isOf int64
		real                 bool
	}{
		{100, 1000, 200, 2000, false}, // the same share
		{100, 1000, 110, 1000, false},
		{100, 1000, 300, 1000, true},
		{300, 1000, 100, 1000, true},
		{1, 169, 0, 1173, false}, // a single sample says nothing
		{0, 1000, 2, 1000, false},
		{0, 1000, 40, 1000, true},
		{1000, 1000, 1000, 1000, false},
	} {
		old := read(t, call{[]string{"f"}, "", c.was}, call{[]string{"g"}, "", c.wasOf - c.was})
		new := read(t, call{[]string{"f"}, "", c.is}, call{[]string{"g"}, "", c.isOf - c.is})
		got := NewChange(old, new, Cost{c.was, c.was * tick}, Cost{c.is, c.is * tick})
		want := float64(c.is)/float64(c.isOf) - float64(c.was)/float64(c.wasOf)
		if got.Real() != c.real || math.Abs(got.Difference()-want) > 1e-12 {
			t.Errorf("%+v: %+v, real %v, expected a difference of %v", c, got, got.Real(), want)
		}
	}
	if c := NewChange(&Profile{}, &Profile{}, Cost{}, Cost{}); c != (Change{}) {
		t.Errorf("of nothing: %+v", c)
	}
}

// If nothing has changed, hardly any box is called different: the bound is not too narrow.
func TestChanceIsRarelyCalledReal(t *testing.T) {
	const trials, samples = 2000, 1000
	rng := rand.New(rand.NewPCG(7, 7))
	for _, share := range []float64{0.001, 0.01, 0.1, 0.5} {
		wrong := 0
		for range trials {
			draw := func() (n int64) {
				for range samples {
					if rng.Float64() < share {
						n++
					}
				}
				return n
			}
			was, is := draw(), draw()
			total := &Profile{Total: Cost{samples, samples * tick}}
			if NewChange(total, total, Cost{was, was * tick}, Cost{is, is * tick}).Real() {
				wrong++
			}
		}
		if wrong > trials/100 {
			t.Errorf("share %v: %d of %d pairs alike were called different, expected 1 %% at most", share, wrong, trials)
		}
	}
}
