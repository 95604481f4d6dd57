package experiments

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"i3bench/cluster/senders"
	"i3bench/internal/deliver"
	"i3bench/internal/deliverylines"
	"i3bench/reports"
)

// Copies measures how many copies a sender delivers to receivers on loopback for a second of its processor time: our
// node in its forms, and the loops that anybody could write. Each sender is a process of its own, started from this
// program, whose main must call [deliver.Main] with [senders.Roles]. It needs Linux.
type Copies struct {
	Fans     []int // receivers
	Payloads []int // bytes of a packet's payload
	Rounds   int
	For      time.Duration // how long a row is measured in a round
	// Others are results of another run, which are kept beside ours. See [ReadOtherCopies].
	Others []reports.Sample
}

// Rows returns how many rows are measured in each round.
func (e Copies) Rows() int { return len(e.Fans) * len(e.Payloads) * len(senders.All()) }

// warm is how long packets flow before a row is measured.
const warm = 50 * time.Millisecond

// Run measures all rows in each round, one after the other.
func (e Copies) Run(ctx context.Context, sink Sink, progress Progress) error {
	// Receivers poll; with more of them at work than cores they would keep the sender from its own.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU()))
	for _, s := range e.Others {
		sink.Sample(s)
	}
	done, total := 0, e.Rounds*e.Rows()
	for round := range e.Rounds {
		for _, payload := range e.Payloads {
			for _, fan := range e.Fans {
				for _, s := range senders.All() {
					progress(done, total, fmt.Sprintf("%s, %d receivers, %d bytes", s.Who(), fan, payload))
					r, err := e.measure(ctx, s.Setup(fan, payload))
					if err != nil {
						return err
					}
					sink.Sample(copiesSample(s.Who(), fan, payload, round+1, r))
					done++
				}
			}
		}
	}
	progress(done, total, "done")
	return nil
}

// measure runs a sender for a while. One that is interrupted has no result.
func (e Copies) measure(ctx context.Context, s deliver.Setup) (r deliver.Result, err error) {
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	s.Warm = warm
	run, err := deliver.Start(s)
	if err != nil {
		return r, err
	}
	for begun := time.Now(); time.Since(begun) < e.For && ctx.Err() == nil; {
		if run.Slice() != nil {
			break // Stop says the same
		}
	}
	if r, err = run.Stop(); err == nil {
		err = ctx.Err()
	}
	return r, err
}

func copiesSample(who string, fan, payload, round int, r deliver.Result) reports.Sample {
	return reports.Sample{
		Stage: reports.StageCopies, Kind: reports.KindCopies, Group: who, Seed: uint64(round), N: int64(fan), Level: payload,
		Value: r.PerProcessorSecond(), StartNS: r.Wall.Nanoseconds(), ServiceNS: r.Processor.Nanoseconds(),
	}
}

// ReadOtherCopies reads results of the data path in the format of Go benchmarks, from another run.
func ReadOtherCopies(from io.Reader) (kept []reports.Sample, err error) {
	lines, err := deliverylines.Read(from)
	if err != nil {
		return nil, err
	}
	kinds := map[deliverylines.Kind]string{
		deliverylines.Delivered: reports.KindCopiesElsewhere, deliverylines.Sent: reports.KindCopiesSent,
	}
	rounds := make(map[deliverylines.Row]uint64)
	for _, l := range lines {
		rounds[l.Row]++
		kept = append(kept, reports.Sample{
			Stage: reports.StageCopies, Kind: kinds[l.Kind], Group: l.Who, Seed: rounds[l.Row], N: int64(l.Fan),
			Level: l.Size, Value: l.Rate,
		})
	}
	return kept, nil
}
