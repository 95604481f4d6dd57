package experiments

import (
	"context"
	"time"

	"i3bench/internal/cputime"
	"i3bench/reports"
)

// offer offers the load of a trial, and notes how many processors the program used meanwhile, where the system says it.
func (r *findRun) offer(ctx context.Context, c *collector, progress Progress) error {
	spent, begin := cputime.Now(), time.Now()
	err := r.group.offer(ctx, c, progress)
	if spent = cputime.Now() - spent; err == nil && spent > 0 {
		r.sink.Sample(reports.Sample{
			Stage: reports.StageFind, Kind: reports.KindProcessors, Level: c.trial,
			Value: spent.Seconds() / time.Since(begin).Seconds(),
		})
	}
	return err
}
