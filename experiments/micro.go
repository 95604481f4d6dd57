package experiments

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"i3bench/asm"
	"i3bench/internal/tablebench"
	"i3bench/internal/tablelines"
	"i3bench/matcher/lookups"
	"i3bench/reports"
)

// Micro measures what a look-up costs in tables of several sizes: in the matcher's with each variant of the kernels
// that this machine has, in the least that such a table can do, and in the map of Go.
type Micro struct {
	Sizes  []int // identifiers of the tables
	Hits   []int // percent of look-ups that find something, each 100 or 50
	Rounds int
	For    time.Duration // how long a row is measured in a round
	// Others are results of another run, which are kept beside ours. See [ReadOthers].
	Others []reports.Sample
}

// Rows returns how many rows are measured in each round.
func (e Micro) Rows() int { return len(e.Sizes) * len(e.Hits) * (len(asm.Variants()) + 2) }

// Run measures all rows in each round, one after the other: what else the machine has to do for a while then strikes
// one round of many rows, and not all rounds of a few.
func (e Micro) Run(ctx context.Context, sink Sink, progress Progress) (err error) {
	defer asm.Use(asm.Kernel())
	for _, s := range e.Others {
		sink.Sample(s)
	}
	m := microRun{Micro: e, progress: progress, total: e.Rounds * e.Rows() * e.rowWork()}
	for _, n := range e.Sizes {
		m.total += buildWork(n)
	}
	defer func() { err = errors.Join(err, m.close()) }()
	for _, n := range e.Sizes {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := m.build(n); err != nil {
			return err
		}
	}
	tablebench.Settle()
	return m.rounds(ctx, sink)
}

// rowWork and buildWork are about how many milliseconds a row and the building of all tables of a size take.
func (e Micro) rowWork() int { return int(e.For.Milliseconds()) + 2 }
func buildWork(n int) int    { return 1 + n/1000 }

// A microRun is a run of Micro under way.
type microRun struct {
	Micro
	progress    Progress
	done, total int
	rows        []microRow
	opened      []func() error // give the tables' memory back
}

// A microRow is one who is measured on one job.
type microRow struct {
	who    string // group of its samples
	kernel string
	job    tablebench.Job
	warm   func() error // does the first look-ups, and finds out whether they are right
	next   func()       // looks the next batch up
}

func (r microRow) String() string {
	return fmt.Sprintf("%s, %d identifiers, %d %% hits", r.who, r.job.N, r.job.Hit)
}

// build adds the rows of tables of one size.
func (m *microRun) build(n int) error {
	m.step(0, fmt.Sprintf("building tables of %d", n))
	debug.FreeOSMemory() // what filled the tables before is garbage now
	table, done, err := lookups.Table(n)
	if err != nil {
		return err
	}
	m.opened = append(m.opened, done)
	limit, done, err := lookups.Limit(n)
	if err != nil {
		return err
	}
	m.opened = append(m.opened, done)
	gomap := lookups.Map(n)
	for _, hit := range m.Hits {
		job := tablebench.Job{N: n, Hit: hit}
		queries := tablebench.Draw(job, lookups.ID)
		for _, k := range asm.Variants() {
			m.rows = append(m.rows, newMicroRow(reports.GroupKernel+k, k, job, queries, table))
		}
		row := newMicroRow(reports.GroupLimit, asm.Variants()[0], job, queries, limit)
		row.warm = func() error { queries.Check(limit); return nil } // what it finds means nothing
		m.rows = append(m.rows, row, newMicroRow(reports.GroupMap, asm.Variants()[0], job,
			tablebench.Draw(job, tablebench.Same), gomap))
	}
	m.step(buildWork(n), fmt.Sprintf("built tables of %d", n))
	return nil
}

func newMicroRow[T any](
	who, kernel string, job tablebench.Job, queries tablebench.Queries[T], lookup tablebench.Lookup[T],
) microRow {
	warm := func() error { return queries.Check(lookup) }
	return microRow{who, kernel, job, warm, queries.Walk(lookup)}
}

func (m *microRun) rounds(ctx context.Context, sink Sink) error {
	stop := func() bool { return ctx.Err() != nil }
	for round := range m.Rounds {
		for _, row := range m.rows {
			t, err := row.measure(m.For, stop)
			if err != nil {
				return err
			}
			if stop() {
				return ctx.Err() // the row was not measured for as long as it should be
			}
			sink.Sample(row.sample(round+1, t))
			m.step(m.rowWork(), row.String())
		}
	}
	return nil
}

func (r microRow) measure(d time.Duration, stop func() bool) (t tablebench.Timing, err error) {
	if err := asm.Use(r.kernel); err != nil {
		return t, fmt.Errorf("micro: %v: %w", r, err)
	}
	if err := r.warm(); err != nil {
		return t, fmt.Errorf("micro: %v: %w", r, err)
	}
	return tablebench.For(d, tablebench.Batch, stop, r.next), nil
}

func (r microRow) sample(round int, t tablebench.Timing) reports.Sample {
	s := reports.Sample{
		Stage: reports.StageMicro, Kind: reports.KindLookup, Group: r.who, Seed: uint64(round), N: int64(r.job.N),
		Level: r.job.Hit, Value: t.NS(), StartNS: t.Wall.Nanoseconds(), ServiceNS: t.Processor.Nanoseconds(),
		Status: reports.StatusOK,
	}
	if tablelines.Busy(t.Share()) {
		s.Status = reports.StatusBusy
	}
	return s
}

func (m *microRun) step(work int, what string) {
	m.done += work
	m.progress(m.done, m.total, what)
}

// close gives the memory of all tables back.
func (m *microRun) close() (err error) {
	for _, done := range slices.Backward(m.opened) {
		err = errors.Join(err, done())
	}
	return err
}
