package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"i3bench/experiments"
	"i3bench/reports"
)

// selfFlags are those of what this machine bears.
type selfFlags struct {
	Self   bool          `help:"Predict the largest rate of joins and repairs that this machine bears."`
	Check  string        `placeholder:"DIR" help:"With --self: compare with the result directory of a bench find."`
	Find   time.Duration `placeholder:"TIME" help:"With --self: run bench find, too, for so long, and show both."`
	Rounds int           `default:"3" help:"With --self: times that each cost is measured."`
	Time   time.Duration `default:"1s" help:"With --self: how long a cost is measured in each round."`
}

// selfLimit is the objective of a join that find has if nobody says otherwise.
const selfLimit = 250 * time.Millisecond

// run predicts what this machine bears, and measures it if that is asked for.
func (c *selfFlags) run(s *session) error {
	st, err := c.stage(s.cli)
	if err != nil {
		return err
	}
	if c.Find == 0 || st.run == nil {
		return s.run(st)
	}
	if c.Find < 0 || c.Check != "" {
		return &usageError{errors.New("--find: want a time, and no --check with it")}
	}
	find, more, err := defaultFind(s.cli, c.Find)
	if err != nil {
		return err
	}
	s.more, s.persist = more, true // a search without an answer is still to be compared with
	again, err := c.again(s.cli, st)
	if err != nil {
		return err
	}
	return s.run(st, find, again)
}

// again is the stage that measures the costs a second time, after the search: what else the machine has to do changes.
func (c *selfFlags) again(all *cli, before stage) (stage, error) {
	e, err := c.experiment(all.Seed)
	e.Before = e.Rounds
	before.run, before.what = e.Run, "costs once more"
	return before, err
}

// stage is the stage that counts and measures what the prediction is made of, which is recorded as skipped where it
// cannot.
func (c *selfFlags) stage(all *cli) (stage, error) {
	e, err := c.experiment(all.Seed)
	st := stage{
		name: reports.StageCapacity, run: e.Run, what: "counts in virtual time, and costs",
		note: fmt.Sprintf("%d nodes, D = %d, %d standing receivers, %d that join, %v packets/s of %d bytes; %d rounds of %v",
			e.Load.Nodes, e.Load.Degree, e.Load.Standing, e.Load.Pool, e.Load.PerSecond, e.Load.Size, e.Rounds, e.For),
	}
	if runtime.GOOS != "linux" {
		st.run, st.status, st.note = nil, reports.Skipped, "the processor time of a program is read on Linux only"
	}
	return st, err
}

// defaultFind is the stage of bench find without flags, but for its time, and the parameters of its search.
func defaultFind(all *cli, budget time.Duration) (st stage, more map[string]string, err error) {
	var f findCmd
	if err := withDefaults(&f); err != nil {
		return st, nil, err
	}
	f.Budget = budget
	e, err := f.experiment(all)
	if err != nil {
		return st, nil, err
	}
	return stage{
		name: reports.StageFind, run: e.Run, what: fmt.Sprintf("%s, within %v", strings.Join(f.Objective, " "), budget),
		note: "as bench find without flags, within " + budget.String(),
	}, f.parameters(e), nil
}

// experiment checks the flags and returns what they ask for.
func (c *selfFlags) experiment(seed uint64) (e experiments.Capacity, err error) {
	if err := positive(map[string]float64{"rounds": float64(c.Rounds), "time": c.Time.Seconds()}); err != nil {
		return e, err
	}
	if err := errors.Join(atMost("--rounds", c.Rounds, 100), atMost("--time", c.Time, mostTime)); err != nil {
		return e, &usageError{err}
	}
	var f findCmd // whose group it is, without any flags
	if err := withDefaults(&f); err != nil {
		return e, err
	}
	find, err := f.experiment(&cli{Seed: seed})
	if err != nil {
		return e, err
	}
	find.Load.Timeout = 0 // which is about trials
	e = experiments.Capacity{
		Load:   find.Load,
		Delays: []time.Duration{time.Millisecond / 5, time.Millisecond, 4 * time.Millisecond},
		Rounds: c.Rounds, For: c.Time, Limit: selfLimit,
	}
	for _, perCore := range []float64{500, 1000, 2000, 4000} {
		e.Rates = append(e.Rates, perCore*float64(runtime.NumCPU()))
	}
	if c.Check != "" {
		e.Found, err = readFound(c.Check)
	}
	return e, err
}

// readFound reads what a search has found.
func readFound(dir string) (list []reports.Sample, err error) {
	r, err := reports.Open(dir)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--check: %w", err)}
	}
	lower, upper, confirmed := r.Found()
	if lower == 0 {
		return nil, &usageError{fmt.Errorf("--check %s: want the result of a bench find that has met a rate", dir)}
	}
	return reports.FoundSamples(lower, upper, confirmed), nil
}
