package replicate

import (
	"fmt"
	"testing"
)

// A sink is a port that takes everything.
type sink struct {
	caps Caps
	n    int
}

func (s *sink) Caps() Caps                     { return s.caps }
func (s *sink) Send(ms []Message) (int, error) { s.n += len(ms); return len(ms), nil }

// BenchmarkPlanner plans batches of packets for so many addresses each and hands them to a port that does nothing: what
// deciding about the form costs.
func BenchmarkPlanner(b *testing.B) {
	for _, fan := range []int{1, 8, 32, 1024} {
		for _, form := range []string{"shared", "train"} {
			for _, size := range []int{64, 512} {
				b.Run(fmt.Sprintf("form=%s/fan=%d/size=%d", form, fan, size), func(b *testing.B) {
					benchPlanner(b, Config{Single: form == "train", Exact: form == "train"}, fan, size)
				})
			}
		}
	}
}

func benchPlanner(b *testing.B, cfg Config, fan, size int) {
	const batch = 16
	cfg.Copies = batch * fan
	p := mustPlan(b, cfg)
	s := &sink{caps: Caps{64, 1024, 64, 65507}}
	head, body := packet(40+size, 1)
	for b.Loop() {
		for range batch {
			for k := range fan {
				p.Add(addr(k), head, body)
			}
		}
		p.Flush(s)
	}
	copies := float64(b.N * batch * fan)
	b.ReportMetric(copies/b.Elapsed().Seconds(), "copies/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/copies, "ns/copy")
}

func TestPlannerDoesNotAllocate(t *testing.T) {
	p := mustPlan(t, Config{})
	s := &sink{caps: Caps{64, 1024, 64, 65507}}
	head, body := packet(600, 1)
	round := func() {
		for i := range 300 {
			p.Add(addr(i%7), head, body)
		}
		p.Flush(s)
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}
