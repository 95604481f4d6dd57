package experiments

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"i3bench/loadgen"
	"i3bench/loadgen/scenario"
	"i3bench/reports"
	"i3bench/verify"
)

// A mark in a payload is found again, and no payload without one has any.
func TestMark(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := mark{rapid.IntRange(0, 1<<16-1).Draw(t, "stream"), rapid.Uint64Max(1<<48-1).Draw(t, "index")}
		seed := rapid.Uint64().Draw(t, "seed")
		size := rapid.IntRange(24, 200).Draw(t, "size")
		b := verify.AppendPayload(nil, rapid.Uint64().Draw(t, "seq"), size)
		if k, ok := markIn(b, seed); ok {
			t.Fatalf("a payload without a mark has %v", k)
		}
		k.put(b, seed)
		if got, ok := markIn(b, seed); !ok || got != k {
			t.Fatalf("%v became %v, %v", k, got, ok)
		}
		if _, ok := markIn(b, seed+1); ok {
			t.Fatal("the mark of another seed was taken")
		}
		if _, ok := markIn(b[:23], seed); ok {
			t.Fatal("a mark was found in a payload that is too short")
		}
	})
}

// A scene is an agent with two standing receivers that follows a packet.
type scene struct {
	*testing.T
	sink  recorder
	run   *scenarioRun
	f     *follows
	a, b  *stayer
	k     mark
	begin time.Time
}

func newScene(t *testing.T) *scene {
	e := Scenario{World: UDP, Seed: 7, Cluster: scenario.Cluster{Timeout: time.Minute}}
	s := &scene{T: t, a: &stayer{}, b: &stayer{}, k: mark{2, 5}, begin: time.Now()}
	s.run = newScenarioRun(e, share{parts: 1}, &s.sink)
	if err := s.run.openWorld(netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	s.run.stays = []*stayer{s.a, s.b}
	s.f = newFollows(s.run)
	s.run.follows = s.f
	for _, r := range s.run.stays {
		r.run = s.run
		r.in.Store(true)
	}
	return s
}

func (s *scene) got(r *stayer, seq uint64) {
	b := verify.AppendPayload(nil, seq, 64)
	s.k.put(b, 7)
	r.delivered(seq, b)
}

func (s *scene) starts() { s.f.begin(s.k, reports.KindPacket, s.begin) }

// wants checks how the part has ended; "" if it has not.
func (s *scene) wants(status string) {
	s.Helper()
	got := ""
	for _, x := range s.sink.samples {
		if got != "" {
			s.Errorf("ended twice: %+v", s.sink.samples)
		}
		got = x.Status
		if x.Stage != stagePart || x.Kind != reports.KindPacket || x.Host != 2 || x.N != 5 || x.Value < 0 {
			s.Errorf("%+v", x)
		}
	}
	if open := s.f.underWay(); got != status || (status != "") != (open == 0) {
		s.Errorf("ended with %q, want %q; %d under way", got, status, open)
	}
}

// A part is over when all have the packet that are owed it, in whatever order things happen.
func TestFollow(t *testing.T) {
	for name, play := range map[string]func(*scene){
		"both get it": func(s *scene) {
			s.starts()
			s.got(s.a, 9)
			s.wants("")
			s.got(s.b, 9)
			s.wants(reports.StatusOK)
			s.got(s.b, 9) // says nothing new
		},
		"before its time": func(s *scene) {
			s.got(s.a, 9)
			s.got(s.b, 9)
			s.starts()
		},
		"one before, one after": func(s *scene) {
			s.got(s.a, 9)
			s.starts()
			s.wants("")
			s.got(s.b, 9)
		},
		"one leaves": func(s *scene) {
			s.starts()
			s.got(s.a, 9)
			s.wants("")
			s.run.gone(s.b)
		},
		"one came after it": func(s *scene) {
			s.b.joined(9)
			s.starts()
			s.wants("")
			s.got(s.a, 9)
		},
		"one is not there": func(s *scene) {
			s.b.in.Store(false)
			s.starts()
			s.got(s.a, 9)
		},
		"all leave": func(s *scene) {
			s.starts()
			s.run.gone(s.a)
			s.run.gone(s.b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.T = t
			play(s)
			s.wants(reports.StatusOK)
		})
	}
}

// A packet that does not come times out, and what is over is forgotten in the end.
func TestFollowEnds(t *testing.T) {
	s := newScene(t)
	s.starts()
	s.got(s.a, 9)
	s.f.expire(s.begin.Add(59 * time.Second))
	s.wants("")
	s.f.expire(s.begin.Add(61 * time.Second))
	s.wants(reports.StatusTimeout)
	s.got(s.b, 9)
	s.f.expire(s.begin.Add(3 * time.Minute))
	if len(s.f.all) != 0 {
		t.Errorf("%d packets are remembered", len(s.f.all))
	}

	nobody := newScene(t)
	nobody.run.gone(nobody.a)
	nobody.run.gone(nobody.b)
	nobody.starts()
	nobody.wants(statusNobody)

	full := newScene(t)
	for i := range maxFollows {
		full.f.all[mark{1, uint64(i)}] = &follow{}
	}
	full.got(full.a, 9)
	full.starts()
	full.wants(reports.StatusError)
	if len(full.f.all) != maxFollows {
		t.Errorf("%d packets are followed, at most %d", len(full.f.all), maxFollows)
	}
}

// What the agents say of their parts is one sample of each operation.
func TestCommonFinish(t *testing.T) {
	ok := reports.Sample{Status: reports.StatusOK, Value: 5e6}
	later := reports.Sample{Status: reports.StatusOK, Value: 1.2e9}
	nobody := reports.Sample{Status: statusNobody}
	late := reports.Sample{Status: reports.StatusTimeout, Value: 6e10}
	for name, c := range map[string]struct {
		parts  []reports.Sample
		failed bool
		want   string
		value  float64
	}{
		"all have it":      {[]reports.Sample{ok, later, ok}, false, reports.StatusOK, 1.2e9},
		"some have nobody": {[]reports.Sample{nobody, ok, nobody}, false, reports.StatusOK, 5e6},
		"nobody is there":  {[]reports.Sample{nobody, nobody, nobody}, false, reports.StatusError, 0},
		"one is late":      {[]reports.Sample{ok, late, ok}, false, reports.StatusTimeout, 6e10},
		"one was lost":     {[]reports.Sample{ok, ok}, false, reports.StatusTimeout, 5e6},
		"no node there":    {[]reports.Sample{ok, ok, ok}, true, reports.StatusError, 5e6},
	} {
		var r recorder
		c1 := &common{ops: map[mark]commonOp{
			{1, 2}: {kind: reports.KindPacket, intended: 2900 * time.Millisecond, late: time.Millisecond, failed: c.failed},
		}}
		m := newMerger(&r)
		c1.finish(map[mark][]reports.Sample{{1, 2}: c.parts}, 3, m)
		m.finish(1)
		r.known(t)
		got := r.of(reports.KindPacket)
		if len(got) != 1 || got[0].Status != c.want || got[0].Value != c.value || got[0].StartNS != 2.9e9 {
			t.Errorf("%s: %+v", name, got)
		}
		achieved := map[int64]float64{}
		for _, s := range r.of(reports.KindOffered) {
			achieved[s.StartNS/1e9] = s.Value
		}
		second := int64((2.9e9 + c.value) / 1e9)
		if (c.want == reports.StatusOK) != (achieved[second] == 1) {
			t.Errorf("%s: achieved by second %v", name, achieved)
		}
	}
}

// The shares of a scenario are all of it, each operation once.
func TestSharesAreAll(t *testing.T) {
	spans, err := parted(t).Resolve(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range spans[0].Streams {
		whole, err := whole.open(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 2, 5} {
			seen := map[uint64]int{}
			shares := []share{{ground: true}}
			for i := range n {
				shares = append(shares, share{part: i, parts: n})
			}
			for _, s := range shares {
				part, err := s.open(p)
				if err != nil {
					t.Fatal(err)
				}
				if part.Len() > 0 && !s.offers(p) {
					t.Errorf("%s: %+v says that it offers nothing", p.Title, s)
				}
				for i := uint64(0); ; i++ {
					op, ok := part.At(i)
					if !ok {
						break
					}
					seen[op.Index]++
					if a := part.Action(op.Index); isAboutAll(a.Kind) != s.ground || (loadgen.Action{}) == a {
						t.Errorf("%s: %+v has %+v", p.Title, s, a)
					}
				}
			}
			for i := range whole.Len() {
				if op, _ := whole.At(i); seen[op.Index] != 1 {
					t.Errorf("%s, %d agents: operation %d comes %d times", p.Title, n, op.Index, seen[op.Index])
				}
			}
		}
	}
}
