package find

import (
	"math"
	"testing"
)

// A line that rises is growth of its slope; one that is level, falls, or is too short is none.
func TestGrowthOfLines(t *testing.T) {
	line := func(n int, slope float64) (list []float64) {
		for i := range n {
			list = append(list, 50+slope*float64(i))
		}
		return list
	}
	for _, c := range []struct {
		lengths []float64
		want    float64
	}{
		{line(100, 0), 0}, {line(100, -1), 0}, {line(100, 2), 20}, {line(8, 2), 0}, {nil, 0},
	} {
		if got := Growth(c.lengths, 0.1); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d lengths: %v, want %v", len(c.lengths), got, c.want)
		}
	}
}

// A queue that is offered more than it can serve is told from one that is offered less, although a trial is so
// short that its p99 is fine in both.
func TestGrowthTellsOverload(t *testing.T) {
	const mu, seconds, limit, trials = 4000, 2, 0.25, 40
	for _, c := range []struct {
		load        float64
		least, most int // trials that find growth of more than 1 % of the rate
	}{
		{0.8, 0, 0}, {0.95, 0, 2}, {1.05, 34, 40}, {1.2, 40, 40},
	} {
		grew := 0
		for seed := range uint64(trials) {
			m := newQueue(mu, true, seed).trial(c.load*mu, seconds)
			if c.load < 1.1 && m.p99 > limit {
				t.Errorf("load %v, seed %d: p99 %v s, want it below %v", c.load, seed, m.p99, limit)
			}
			if m.growth > 0.01 {
				grew++
			}
		}
		if grew < c.least || grew > c.most {
			t.Errorf("load %v: growth in %d of %d trials, want %d to %d", c.load, grew, trials, c.least, c.most)
		}
	}
}

// Of a queue that does not grow, growth is found seldom, however little is asked for.
func TestGrowthIsSeldomFalse(t *testing.T) {
	const mu, trials = 4000, 200
	grew := 0
	for seed := range uint64(trials) {
		if newQueue(mu, true, seed).trial(0.7*mu, 1).growth > 0 {
			grew++
		}
	}
	if grew > trials/10 {
		t.Errorf("growth in %d of %d trials, want about 5 %%", grew, trials)
	}
}

// A search with an objective for the backlog finds the capacity, where that for the p99 in short trials finds more.
func TestBacklogObjective(t *testing.T) {
	const mu = 4000
	q := newQueue(mu, true, 3)
	r := search(t, Config{
		Objectives: []Objective{{"p99", 0.5}, {"backlog", 0.01}}, Min: 200, Max: 20000, Long: 8, Checks: []float64{},
	}, func(p Plan) Outcome {
		m := q.trial(p.Rate, p.Seconds)
		return Outcome{Values: []float64{m.p99, m.growth}}
	})
	p99, backlog := r.Answers[0], r.Answers[1]
	t.Logf("p99 %.0f to %.0f, backlog %.0f to %.0f, %d trials", p99.Lower, p99.Upper, backlog.Lower, backlog.Upper,
		len(r.Trials))
	if p99.Lower < 1.03*mu ||
		backlog.Upper > 1.1*mu || backlog.Upper < mu || backlog.Lower < 0.9*mu || r.All.Upper > 1.1*mu {
		t.Errorf("p99 %v %v to %v, backlog %v %v to %v", p99.State, p99.Lower, p99.Upper, backlog.State, backlog.Lower,
			backlog.Upper)
	}
}
