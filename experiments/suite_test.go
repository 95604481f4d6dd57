package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"i3bench/reports"
)

// A fakeJob has two samples and as many steps as it weighs.
func fakeJob(key string, weight int) Job {
	return Job{
		Stage: reports.StageTree, Key: key, Seed: 3, Weight: weight,
		Run: func(_ context.Context, sink Sink, step func(int)) (string, error) {
			for i := range weight {
				step(i + 1)
			}
			for range 2 {
				sink.Sample(reports.Sample{Stage: reports.StageTree, Kind: reports.KindRAD, Group: key, N: 1, Value: 1})
			}
			return strings.Repeat("0123456789abcdef", 4), nil
		},
	}
}

// failing is a job that ends with an error after it has made samples.
func failing(key string, err error) Job {
	j := fakeJob(key, 5)
	whole := j.Run
	j.Run = func(ctx context.Context, sink Sink, step func(int)) (string, error) {
		trace, _ := whole(ctx, sink, step)
		return trace, err
	}
	return j
}

// keys returns the groups of samples, each time that it changes: with whole jobs
// each is there once.
func (r *recorder) keys() (keys []string) {
	for _, s := range r.samples {
		if len(keys) == 0 || keys[len(keys)-1] != s.Group {
			keys = append(keys, s.Group)
		}
	}
	return keys
}

// All jobs are run that are not done, the samples of each together, its trace and
// the note that it is finished at their end.
func TestSuiteRuns(t *testing.T) {
	s := Suite{Beside: 3, Done: map[string]bool{"job 4": true, "job 7": true, "another": true}}
	for i := range 20 {
		s.Jobs = append(s.Jobs, fakeJob(fmt.Sprint("job ", i), 1+i%4))
	}
	var r recorder
	m := meter{t: t}
	last := 0
	err := s.Run(t.Context(), &r, func(done, total int, what string) {
		m.step(done, total, what)
		if done <= last {
			t.Errorf("progress went from %d to %d", last, done)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	m.finished()
	r.known(t)
	r.expectCounts(t, map[string]int{reports.KindRAD: 36, reports.KindTrace: 18, reports.KindRun: 18})
	keys := r.keys()
	slices.Sort(keys)
	if len(keys) != 18 || len(slices.Compact(keys)) != 18 || slices.Contains(keys, "job 4") {
		t.Errorf("samples of %v", keys)
	}
	for i, s := range r.samples {
		if kind := []string{reports.KindRAD, reports.KindRAD, reports.KindTrace, reports.KindRun}[i%4]; s.Kind != kind {
			t.Fatalf("sample %d: %+v, expected %s", i, s, kind)
		}
		if s.Kind == reports.KindTrace && (s.Status != "0123456789abcdef" || s.Seed != 3) {
			t.Errorf("%+v", s)
		}
	}
	if left := s.Left(); len(left) != 18 || left[4].Key != "job 5" {
		t.Errorf("%d jobs left of 20 with two done", len(left))
	}
}

// So many run beside each other, and no more.
func TestSuiteBeside(t *testing.T) {
	for _, beside := range []int{0, 1, 3, 50} {
		expected := min(max(beside, 1), 9)
		var now, most atomic.Int64
		var together sync.WaitGroup // the first of them wait for each other
		together.Add(expected)
		s := Suite{Beside: beside}
		for i := range 9 {
			run := func(context.Context, Sink, func(int)) (string, error) {
				n := now.Add(1)
				defer now.Add(-1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				if i < expected {
					together.Done()
					together.Wait()
				}
				return "", nil
			}
			s.Jobs = append(s.Jobs, Job{Stage: reports.StageTree, Key: fmt.Sprint(i), Weight: 1, Run: run})
		}
		if err := s.Run(t.Context(), &recorder{}, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
		if got := int(most.Load()); got != expected {
			t.Errorf("beside %d: %d at a time", beside, got)
		}
	}
}

// A job that fails leaves no samples and does not stop the others; the error names
// the first few.
func TestSuiteFails(t *testing.T) {
	cause := errors.New("the cause")
	s := Suite{Jobs: []Job{failing("bad", cause), fakeJob("good", 5)}}
	var r recorder
	m := meter{t: t}
	err := s.Run(t.Context(), &r, m.step)
	if !errors.Is(err, cause) || err.Error() != "bad: the cause" {
		t.Errorf("%v", err)
	}
	m.finished()
	if keys := r.keys(); !slices.Equal(keys, []string{"good"}) {
		t.Errorf("samples of %v", keys)
	}
	for i := range 2 * maxFailures {
		s.Jobs = append(s.Jobs, failing(fmt.Sprint("worse ", i), cause))
	}
	err = s.Run(t.Context(), &r, m.step)
	if lines := strings.Split(fmt.Sprint(err), "\n"); len(lines) != maxFailures+1 ||
		lines[maxFailures] != "and 6 more jobs" {
		t.Errorf("%q", lines)
	}
}

// Jobs that are under way when the context is cancelled leave nothing, even if they
// say that all is well, and none is begun after it. What failed before is named.
func TestSuiteCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cause := errors.New("the cause")
	stop := fakeJob("stop", 5)
	whole := stop.Run
	stop.Run = func(ctx context.Context, sink Sink, step func(int)) (string, error) {
		cancel()
		return whole(ctx, sink, step)
	}
	after := fakeJob("after", 5)
	after.Run = func(context.Context, Sink, func(int)) (string, error) {
		t.Error("a job was begun after the context was cancelled")
		return "", nil
	}
	s := Suite{Jobs: []Job{fakeJob("before", 5), failing("bad", cause), stop, after}}
	var r recorder
	err := s.Run(ctx, &r, func(int, int, string) {})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || strings.Contains(err.Error(), "stop") {
		t.Errorf("%v, expected that it was cancelled and what failed before", err)
	}
	if keys := r.keys(); !slices.Equal(keys, []string{"before"}) {
		t.Errorf("samples of %v", keys)
	}
}

// Steps beyond a job's weight, or back, leave the progress sensible.
func TestSuiteSteps(t *testing.T) {
	j := fakeJob("j", 10)
	j.Run = func(_ context.Context, _ Sink, step func(int)) (string, error) {
		for _, n := range []int{3, 2, 0, 50, 7, 4} {
			step(n)
		}
		return "", nil
	}
	m := meter{t: t}
	if err := (Suite{Jobs: []Job{j, fakeJob("k", 4)}}).Run(t.Context(), &recorder{}, m.step); err != nil {
		t.Fatal(err)
	}
	m.finished()
	if m.steps != 6 {
		t.Errorf("%d reports, expected 3 and 10 of the first job and 4 of the second", m.steps)
	}
}

func TestSuiteKeys(t *testing.T) {
	s := Suite{Jobs: []Job{fakeJob("a", 1), fakeJob("b", 1), fakeJob("a", 2)}}
	var r recorder
	err := s.Run(t.Context(), &r, func(int, int, string) {})
	if err == nil || !strings.Contains(err.Error(), `two jobs "a"`) || len(r.samples) > 0 {
		t.Errorf("%v, %d samples", err, len(r.samples))
	}
	if err := (Suite{}).Run(t.Context(), &r, nil); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
}
