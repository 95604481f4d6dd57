package experiments

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"i3bench/cluster"
	"i3bench/loadgen/find"
	"i3bench/reports"
)

// smallFind is a search that any machine can bear: everything is met.
func smallFind(t *testing.T, objectives ...string) Find {
	t.Helper()
	f := Find{
		Load:   smallLoad(),
		Config: find.Config{Min: 20, Max: 40, Long: 0.2, Short: 0.1, Confidence: 0.5},
		Ratio:  1, Budget: 20 * time.Second, Late: 10 * time.Second, Settle: 5 * time.Second,
	}
	f.Timeout = 10 * time.Second
	for _, text := range objectives {
		o, err := reports.ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		f.Objectives = append(f.Objectives, o)
	}
	return f
}

// Each trial has the operations of its schedule, and each of these ends once.
func TestFindAccountsForEverything(t *testing.T) {
	var r recorder
	m := meter{t: t}
	if err := smallFind(t, "join.p99<9s", "repair.p99<9s").Run(t.Context(), &r, m.step); err != nil {
		t.Fatal(err)
	}
	r.known(t)
	if n := len(r.of(reports.KindHealth)); n < 5 {
		t.Errorf("%d figures of the generator's health, want its hiccups, pauses and sockets", n)
	}
	trials := r.of(reports.KindTrial)
	if len(trials) < 5 || len(r.of(reports.KindObjective)) != 2 {
		t.Errorf("%d trials, %d objectives", len(trials), len(r.of(reports.KindObjective)))
	}
	for _, trial := range trials {
		for _, kind := range []string{reports.KindJoin, reports.KindRepair} {
			n := 0
			for _, s := range r.of(kind) {
				if s.Level == trial.Level {
					n++
				}
			}
			want := int(trial.Value*float64(trial.StartNS)/1e9 + 0.5)
			if n+int(trial.N) < want-1 || n > want+1 {
				t.Errorf("trial %d: %d %ss, %d not started, want %d together", trial.Level, n, kind, trial.N, want)
			}
		}
	}
}

// What a trial leaves undone does not come back in the next one: its joins are forgotten, its group is replaced where
// it failed or does not come to rest, and the operations of both are told apart.
func TestFindOverload(t *testing.T) {
	f := smallFind(t, "join.p99<20ms")
	f.Config.Min, f.Config.Max, f.Config.Trials, f.Pool = 2000, 2000, 3, 1 // one join at a time
	f.Timeout, f.Keep, f.Settle = 50*time.Millisecond, true, time.Nanosecond
	var r recorder
	err := f.Run(t.Context(), &r, func(int, int, string) {})
	if err == nil || !errors.Is(err, ErrNoRate) && !errors.Is(err, ErrInvalid) {
		t.Fatalf("one receiver cannot join 2,000 times a second: %v", err)
	}
	r.known(t)
	timeouts := make(map[int]int)
	for _, s := range r.of(reports.KindJoin) {
		if s.Status == reports.StatusTimeout {
			timeouts[s.Level]++
		}
	}
	for _, trial := range r.of(reports.KindTrial) {
		if timeouts[trial.Level] == 0 || trial.Status != reports.SystemNew {
			t.Errorf("trial %d: %d joins timed out, %s group, want some, and a new one", trial.Level, timeouts[trial.Level],
				trial.Status)
		}
	}
}

// A group comes to rest when all receivers have left, and forgets the joins that wait.
func TestSettle(t *testing.T) {
	r := &loadRun{
		world: cluster.New(cluster.Config{}), orders: make(chan *operation, 4), idle: make(chan *comer, 1),
	}
	r.orders <- &operation{}
	r.orders <- &operation{}
	if r.settle(t.Context(), time.Millisecond) || len(r.orders) != 0 {
		t.Errorf("a receiver has not left, and %d joins wait", len(r.orders))
	}
	r.idle <- &comer{}
	if !r.settle(t.Context(), time.Second) {
		t.Error("all have left")
	}
}

// A cancelled search ends.
func TestFindCancelled(t *testing.T) {
	for _, phase := range []string{"standing receivers", "trial 1 (ramp), 20 joins/s for 1h"} {
		ctx, cancel := context.WithCancel(t.Context())
		f := smallFind(t, "join.p99<9s")
		f.Config.Long, f.Config.Short, f.Budget = 3600, 3600, 2*time.Hour
		err := f.Run(ctx, &recorder{}, func(_, _ int, what string) {
			if strings.Contains(what, phase) {
				cancel()
			}
		})
		cancel()
		if !isCancelled(err) {
			t.Errorf("cancelled at %q: %v", phase, err)
		}
	}
}

// What a search has found decides how it ends.
func TestVerdictOfSearch(t *testing.T) {
	for state, want := range map[find.State]error{
		find.Found: nil, find.AtLeast: nil, find.None: ErrNoRate, find.Limited: ErrInvalid, find.Open: ErrNoRate,
		find.Contradicted: ErrNoRate,
	} {
		if err := verdict(find.Result{All: find.Answer{State: state}}); !errors.Is(err, want) {
			t.Errorf("%v: %v, want %v", state, err, want)
		}
	}
}
