package coord_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"i3bench/internal/hist"
	"i3bench/loadgen/coord"
)

// A speaker's work is to say which part it has.
type speaker struct{ said string }

func (s *speaker) Prepare(_ context.Context, a coord.Assignment) error {
	s.said = fmt.Sprintf("part %d of %d of %s", a.Part+1, a.Parts, a.Work)
	return nil
}
func (s *speaker) Run(context.Context, time.Time) error { return nil }
func (s *speaker) Live() map[string]*hist.Histogram     { return nil }
func (s *speaker) ReadAt(p []byte, off int64) (n int, err error) {
	return strings.NewReader(s.said).ReadAt(p, off)
}
func (s *speaker) Close() error { return nil }

// Two agents, which could be processes on other machines, carry out a piece of work.
func Example() {
	bus, ctx := coord.NewMemory(), context.Background()
	var agents sync.WaitGroup
	for range 2 {
		agents.Go(func() { coord.RunAgent(ctx, bus, coord.AgentConfig{}, new(speaker)) })
	}
	c, err := coord.NewCoordinator(bus, coord.Config{Agents: 2})
	if err != nil {
		panic(err)
	}
	c.Gather(ctx)
	c.Prepare(ctx, []byte("the load"))
	c.Run(ctx, func(time.Time) {})
	c.Results(ctx, func(_ int, _ coord.Member, r io.Reader) error {
		said, err := io.ReadAll(r)
		fmt.Println(string(said))
		return err
	})
	c.Close()
	agents.Wait()
	// Output:
	// part 1 of 2 of the load
	// part 2 of 2 of the load
}
