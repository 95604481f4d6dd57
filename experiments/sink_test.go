package experiments

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"i3bench/cluster/senders"
	"i3bench/internal/deliver"
	"i3bench/reports"
)

func TestMain(m *testing.M) {
	deliver.Main(senders.Roles())
	goleak.VerifyTestMain(m)
}

// A recorder is a sink that keeps every sample.
type recorder struct {
	mu      sync.Mutex
	samples []reports.Sample
}

func (r *recorder) Sample(s reports.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}

// of returns the samples of a kind.
func (r *recorder) of(kind string) (found []reports.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.samples {
		if s.Kind == kind {
			found = append(found, s)
		}
	}
	return found
}

// counts returns how many samples of each kind there are, counters left out.
func (r *recorder) counts() map[string]int {
	n := make(map[string]int)
	for _, s := range r.samples {
		if s.Kind != reports.KindCount {
			n[s.Kind]++
		}
	}
	return n
}

// sorted returns all samples as text, in an order that does not depend on how runs were interleaved.
func (r *recorder) sorted() string {
	lines := make([]string, len(r.samples))
	for i, s := range r.samples {
		lines[i] = fmt.Sprintf("%+v", s)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// expectCounts compares the number of samples of each kind with what is expected.
func (r *recorder) expectCounts(t *testing.T, want map[string]int) {
	t.Helper()
	if got := r.counts(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("samples %v, expected %v", got, want)
	}
}

// known checks that a result directory takes every sample.
func (r *recorder) known(t *testing.T) {
	t.Helper()
	run, err := reports.Create(t.TempDir(), reports.Manifest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.samples {
		run.Sample(s)
	}
	if err := run.Close(reports.Complete, nil); err != nil {
		t.Error(err)
	}
	result, err := reports.Open(run.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if result.Count != len(r.samples) || len(result.Warnings) > 0 {
		t.Errorf("%d of %d samples can be read again; %v", result.Count, len(r.samples), result.Warnings)
	}
}

// A meter checks what an experiment says of its progress.
type meter struct {
	mu    sync.Mutex
	t     *testing.T
	steps int
	most  int
	total int
}

func (m *meter) step(done, total int, what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps++
	m.most, m.total = max(m.most, done), total
	if done < 0 || done > total || what == "" {
		m.t.Errorf("progress %d of %d, %q", done, total, what)
	}
}

// finished checks that the progress came to its end.
func (m *meter) finished() {
	m.t.Helper()
	if m.most != m.total || m.steps == 0 {
		m.t.Errorf("progress ended at %d of %d after %d steps", m.most, m.total, m.steps)
	}
}

// An experiment is what all of them have.
type experiment interface {
	Run(context.Context, Sink, Progress) error
}

// sameTwice runs an experiment twice and with another seed, and compares the samples.
func sameTwice(t *testing.T, e, other experiment) {
	t.Helper()
	var one, two, three recorder
	for r, e := range map[*recorder]experiment{&one: e, &two: e, &three: other} {
		if err := e.Run(t.Context(), r, func(int, int, string) {}); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := one.sorted(), two.sorted(); a != b {
		t.Errorf("the same seed gave other samples: %s", firstDifference(a, b))
	}
	if one.sorted() == three.sorted() {
		t.Error("another seed gave the same samples")
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("\n%s\n%s", x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d", len(x), len(y))
}

// A countdown is a context that is cancelled when it has been asked so often.
type countdown struct {
	context.Context
	left atomic.Int64
}

// countingDown returns a context that says so often that it is not cancelled.
func countingDown(ctx context.Context, n int) *countdown {
	c := &countdown{Context: ctx}
	c.left.Store(int64(n))
	return c
}

func (c *countdown) Err() error {
	if c.left.Add(-1) >= 0 {
		return nil
	}
	return context.Canceled
}

// asked returns how often the context was asked since it was cancelled.
func (c *countdown) asked() int { return int(max(0, -c.left.Load())) }

// cancelEverywhere runs an experiment again and again, and cancels it a little later each time, until it comes to its
// end. A cancelled run says so, and takes no undelivered packet for a failure.
func cancelEverywhere(t *testing.T, e experiment) {
	t.Helper()
	total := countingDown(t.Context(), 1<<60)
	if err := e.Run(total, &recorder{}, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	questions := int(1<<60 - total.left.Load())
	cancelled, runs := 0, 40
	if testing.Short() {
		runs = 12
	}
	for n := 0; n < questions; n += max(1, questions/runs) {
		var r recorder
		ctx := countingDown(t.Context(), n)
		err := e.Run(ctx, &r, func(int, int, string) {})
		if err == nil || ctx.Err() == nil {
			continue // it was not asked any more
		}
		cancelled++
		if !isCancelled(err) {
			t.Errorf("cancelled at question %d of %d: %v", n, questions, err)
		}
		for _, s := range r.of(reports.KindDelivered) {
			if s.Status != reports.StatusOK {
				t.Errorf("cancelled at question %d of %d: %+v", n, questions, s)
			}
		}
		if ctx.asked() > 500 {
			t.Errorf("cancelled at question %d of %d: went on for %d", n, questions, ctx.asked())
		}
	}
	if cancelled < runs/2 {
		t.Errorf("only %d runs were cancelled of %d questions", cancelled, questions)
	}
}

// bySeed orders samples.
func bySeed(a, b reports.Sample) int {
	return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.N, b.N))
}
