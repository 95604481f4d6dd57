package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"i3bench/reports"
)

// A Job is one run of a suite.
type Job struct {
	Stage string // of its samples
	Key   string // names it among all jobs, whatever else is run
	Seed  uint64
	// Weight is about how much work it is. The unit is a receiver's joining: the
	// steps of all jobs are in it, so that what is left of a suite can be estimated
	// from what is done.
	Weight int
	// Run runs it and returns the hash of its trace, if it has one.
	Run func(ctx context.Context, sink Sink, step func(done int)) (trace string, err error)
}

// A Suite runs jobs beside each other.
type Suite struct {
	Jobs []Job
	// Done are the keys of jobs that an earlier run has finished.
	Done map[string]bool
	// Beside is how many run at a time. Default 1.
	Beside int
}

// Left returns the jobs that are not done yet.
func (s Suite) Left() (left []Job) {
	for _, j := range s.Jobs {
		if !s.Done[j.Key] {
			left = append(left, j)
		}
	}
	return left
}

// Run runs the jobs that are left. The samples of a job reach the sink when it has
// finished, all at once, and the last of them says so: a run that is cut off
// leaves whole jobs. Jobs that fail do not stop the others, and leave no samples;
// a context that is cancelled stops all.
func (s Suite) Run(ctx context.Context, sink Sink, progress Progress) error {
	if err := s.check(); err != nil {
		return err
	}
	r := suiteRun{sink: sink, report: progress, left: s.Left()}
	for _, j := range r.left {
		r.total += j.Weight
	}
	var wg sync.WaitGroup
	for range min(max(s.Beside, 1), len(r.left)) {
		wg.Go(func() {
			for j, ok := r.take(); ok && ctx.Err() == nil; j, ok = r.take() {
				r.finish(j.run(ctx, &r))
			}
		})
	}
	wg.Wait()
	return errors.Join(r.failures(), ctx.Err())
}

// check makes sure that no two jobs have the same key: a resumed run could not
// tell them apart.
func (s Suite) check() error {
	seen := make(map[string]bool, len(s.Jobs))
	for _, j := range s.Jobs {
		if seen[j.Key] {
			return fmt.Errorf("experiments: suite: two jobs %.80q, want a key for each", j.Key)
		}
		seen[j.Key] = true
	}
	return nil
}

// A suiteRun is a run of a suite under way.
type suiteRun struct {
	sink   Sink
	report Progress
	total  int

	mu     sync.Mutex
	left   []Job
	done   int
	failed []error
}

// take returns the next job.
func (r *suiteRun) take() (j Job, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.left) == 0 {
		return j, false
	}
	j, r.left = r.left[0], r.left[1:]
	return j, true
}

// finish hands the samples of a job to the sink, or keeps its error.
func (r *suiteRun) finish(samples []reports.Sample, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failed = append(r.failed, err)
		return
	}
	for _, s := range samples {
		r.sink.Sample(s)
	}
}

// add counts work that a job has done. Reports come one after the other, so that
// none is of less than the one before.
func (r *suiteRun) add(n int, what string) {
	if n <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += n
	r.report(r.done, r.total, what)
}

// maxFailures is how many jobs that failed an error names.
const maxFailures = 5

// failures returns what failed, but for jobs that were only stopped.
func (r *suiteRun) failures() error {
	all := slices.DeleteFunc(r.failed, func(err error) bool { return errors.Is(err, context.Canceled) })
	if more := len(all) - maxFailures; more > 0 {
		all = append(all[:maxFailures:maxFailures], fmt.Errorf("and %d more jobs", more))
	}
	return errors.Join(all...)
}

// run runs a job and returns its samples. One that was stopped has none, whatever
// it says itself.
func (j Job) run(ctx context.Context, r *suiteRun) ([]reports.Sample, error) {
	began := time.Now()
	var b buffer
	last := 0
	trace, err := j.Run(ctx, &b, func(done int) {
		done = min(done, j.Weight)
		r.add(done-last, j.Key)
		last = max(last, done)
	})
	if ctx.Err() != nil {
		err = ctx.Err()
	} else {
		r.add(j.Weight-last, j.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", j.Key, err)
	}
	if len(trace) >= traceDigits {
		b.Sample(reports.Sample{
			Stage: j.Stage, Kind: reports.KindTrace, Seed: j.Seed, Group: j.Key, Status: trace[:traceDigits],
		})
	}
	b.Sample(reports.Sample{
		Stage: j.Stage, Kind: reports.KindRun, Seed: j.Seed, Group: j.Key, Value: time.Since(began).Seconds(),
	})
	return b.samples, nil
}

// traceDigits is how much of the hash of a trace is kept.
const traceDigits = 16

// A buffer keeps samples until their job is done.
type buffer struct {
	mu      sync.Mutex
	samples []reports.Sample
}

// Sample keeps a sample.
func (b *buffer) Sample(s reports.Sample) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.samples = append(b.samples, s)
}
