package topology

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A graph has the edges that attachment makes and no others: all among the first
// nodes, then so many from each node to different earlier ones.
func TestAttach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := rapid.IntRange(2, 80).Draw(t, "nodes")
		s, err := PowerLawShape{Nodes: nodes, Edges: rapid.IntRange(1, nodes-1).Draw(t, "edges")}.orDefault()
		if err != nil {
			t.Fatal(err)
		}
		g := s.attach(rapid.Uint64().Draw(t, "seed"))
		checkSimple(t, g)
		earlier := make([]int, nodes)
		for _, e := range g.edges {
			earlier[max(e.ends[0], e.ends[1])]++
			if l := time.Duration(e.latency); l < time.Millisecond || l > 50*time.Millisecond {
				t.Fatalf("latency %v, want 1 to 50 ms", l)
			}
		}
		for v, edges := range earlier {
			if edges != min(v, s.Edges) {
				t.Fatalf("node %d has %d edges to earlier nodes, want %d", v, edges, min(v, s.Edges))
			}
		}
	})
}

// Degrees follow the law: of preferential attachment with m edges, a share of
// m(m+1) / (k(k+1)) nodes is expected to have k neighbours or more (Bollobás et
// al., "The Degree Sequence of a Scale-Free Random Graph Process", 2001). Uniform
// attachment, the likely mistake, has next to none from k = 30 on.
func TestDegreesFollowPowerLaw(t *testing.T) {
	s, err := PowerLawShape{}.orDefault()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(5) {
		degree := make([]int, s.Nodes)
		for _, e := range s.attach(seed).edges {
			degree[e.ends[0]]++
			degree[e.ends[1]]++
		}
		for _, k := range []int{2, 3, 5, 10, 30} {
			atLeast := 0
			for _, d := range degree {
				atLeast += count(d >= k)
			}
			want := float64(s.Nodes*2*3) / float64(k*(k+1))
			if math.Abs(float64(atLeast)-want) > 5*math.Sqrt(want) {
				t.Errorf("seed %d: %d nodes have %d neighbours or more, want about %.0f", seed, atLeast, k, want)
			}
		}
	}
}

func TestPowerLawPinned(t *testing.T) {
	n, err := PowerLaw(1, PowerLawShape{Nodes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	const want = "bed2449a2b5e0dbb"
	if got := fingerprint(n); got != want {
		t.Errorf("PowerLaw(1, 1000 nodes) hashes to %s, want %s", got, want)
	}
	other, err := PowerLaw(2, PowerLawShape{Nodes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if fingerprint(other) == want {
		t.Error("seeds 1 and 2 give the same network")
	}
}

func TestPowerLawErrors(t *testing.T) {
	for want, shape := range map[string]PowerLawShape{
		"1 nodes: want 2 to 16384":                      {Nodes: 1},
		"16385 nodes: want 2 to 16384":                  {Nodes: MaxNodes + 1},
		"5 edges for each of 5 nodes: want 1 to 4":      {Nodes: 5, Edges: 5},
		"-1 edges for each of 10000 nodes: want 1 to 9": {Edges: -1},
		"latency of an edge: 0s to 1ms: want a range":   {Latency: Range{0, time.Millisecond}},
		"latency of an edge: 2ns to 1ns: want a range":  {Latency: Range{2, 1}},
		"latency of an edge: 1ns to 1m0s: want a range": {Latency: Range{1, time.Minute}},
	} {
		if _, err := PowerLaw(1, shape); err == nil || !strings.HasPrefix(err.Error(), "topology: power law: "+want) {
			t.Errorf("%+v: error %v, want %q", shape, err, want)
		}
	}
}
