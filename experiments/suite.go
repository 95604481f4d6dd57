package experiments

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"i3bench/reports"
)

// A Job is one run of a suite.
type Job struct {
	Stage string // of its samples
	Key   string // names it among all jobs, whatever else is run
	Seed  uint64
	// Weight is about how much work it is, in the unit of its steps: receivers.
	Weight int
	// Run runs it and returns the hash of its trace, if it has one.
	Run func(ctx context.Context, sink Sink, step func(done int)) (trace string, err error)
}

// A Suite runs jobs beside each other.
type Suite struct {
	Jobs []Job
	// Done are the keys of jobs that an earlier run has finished.
	Done map[string]bool
	// Beside is how many run at a time.
	Beside int
}

// Run runs the jobs that are not done yet. The samples of a job reach the sink
// when it has finished, all at once, and the last of them says so: a run that is
// cut off leaves whole jobs. Jobs that fail do not stop the others.
func (s Suite) Run(ctx context.Context, sink Sink, progress Progress) error {
	p := suiteProgress{report: progress}
	var todo []Job
	for _, j := range s.Jobs {
		if !s.Done[j.Key] {
			todo = append(todo, j)
			p.total += j.Weight
		}
	}
	var mu sync.Mutex
	var failed []error
	var next atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(s.Beside, len(todo))) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(todo)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				samples, err := todo[i].collect(ctx, &p)
				mu.Lock()
				if err != nil {
					failed = append(failed, fmt.Errorf("%s: %w", todo[i].Key, err))
				}
				for _, one := range samples {
					sink.Sample(one)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// collect runs a job and returns its samples, none if it failed.
func (j Job) collect(ctx context.Context, p *suiteProgress) ([]reports.Sample, error) {
	began := time.Now()
	var b buffer
	last := 0
	trace, err := j.Run(ctx, &b, func(done int) {
		done = min(done, j.Weight)
		p.add(done-last, j.Key)
		last = done
	})
	p.add(j.Weight-last, j.Key)
	if err != nil {
		return nil, err
	}
	if len(trace) >= 16 {
		b.Sample(reports.Sample{
			Stage: j.Stage, Kind: reports.KindTrace, Seed: j.Seed, Group: j.Key, Status: trace[:16],
		})
	}
	b.Sample(reports.Sample{
		Stage: j.Stage, Kind: reports.KindRun, Seed: j.Seed, Group: j.Key, Value: time.Since(began).Seconds(),
	})
	return b.samples, nil
}

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

// A suiteProgress adds up what jobs have done.
type suiteProgress struct {
	mu     sync.Mutex
	done   int
	total  int
	report Progress
}

func (p *suiteProgress) add(n int, what string) {
	p.mu.Lock()
	p.done += n
	done := p.done
	p.mu.Unlock()
	if n > 0 {
		p.report(done, p.total, what)
	}
}
