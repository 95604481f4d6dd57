package coord

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"i3bench/internal/hist"
)

// A clerk is a worker that counts: one operation every 10 ms until it is done or told to stop.
type clerk struct {
	fail   error // of Prepare
	broken error // of Run, after a while
	lasts  time.Duration
	size   int // of the results

	part  Assignment
	begun time.Time
	ops   atomic.Int64
	shut  atomic.Bool

	mu   sync.Mutex
	live hist.Histogram
}

func (c *clerk) Prepare(_ context.Context, a Assignment) error {
	c.part = a
	return c.fail
}

func (c *clerk) Run(ctx context.Context, begin time.Time) error {
	time.Sleep(time.Until(begin))
	c.begun = time.Now()
	for end := begin.Add(c.lasts); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.ops.Add(1)
		c.mu.Lock()
		c.live.Record(int64(c.part.Part + 1))
		c.mu.Unlock()
	}
	return c.broken
}

func (c *clerk) Live() map[string]*hist.Histogram {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.live
	c.live = hist.Histogram{}
	return map[string]*hist.Histogram{"op": &h}
}

func (c *clerk) ReadAt(p []byte, off int64) (int, error) {
	return strings.NewReader(strings.Repeat(fmt.Sprint(c.part.Part), c.size)).ReadAt(p, off)
}

func (c *clerk) Close() error {
	c.shut.Store(true)
	return nil
}

// A line is a bus that can be cut, as if its process had been killed.
type line struct {
	Bus
	cut atomic.Bool
}

var errCut = errors.New("cut")

func (l *line) Publish(subject string, data []byte) error {
	if l.cut.Load() {
		return errCut
	}
	return l.Bus.Publish(subject, data)
}

func (l *line) Subscribe(subject string, handle func(Message)) (func(), error) {
	return l.Bus.Subscribe(subject, func(m Message) {
		if !l.cut.Load() {
			handle(m)
		}
	})
}

func (l *line) Request(ctx context.Context, subject string, data []byte) ([]byte, error) {
	if l.cut.Load() {
		return nil, errCut
	}
	return l.Bus.Request(ctx, subject, data)
}

// A crew is agents on a bus of their own.
type crew struct {
	bus    *Memory
	clerks []*clerk
	lines  []*line
	errs   []error
	done   sync.WaitGroup
}

// hire starts agents. change may change a worker before it begins.
func hire(n int, change func(i int, c *clerk)) *crew {
	w := &crew{bus: NewMemory(), errs: make([]error, n)}
	for i := range n {
		c, l := &clerk{lasts: 3 * time.Second, size: 3}, &line{Bus: w.bus}
		if change != nil {
			change(i, c)
		}
		w.clerks, w.lines = append(w.clerks, c), append(w.lines, l)
		wrong := time.Duration(i-1) * time.Minute // each clock is
		cfg := AgentConfig{Version: "v", now: func() time.Time { return time.Now().Add(wrong) }}
		w.done.Go(func() { w.errs[i] = RunAgent(context.Background(), l, cfg, c) })
	}
	return w
}

// of returns the clerk with a part.
func (w *crew) of(part int) int {
	return slices.IndexFunc(w.clerks, func(c *clerk) bool { return c.part.Parts > 0 && c.part.Part == part })
}

// lead carries a run out up to its results, which it returns by agent.
func lead(bus Bus, n int, begun func(*Coordinator)) (results map[int]string, live int64, err error) {
	c, err := NewCoordinator(bus, Config{Version: "v", Agents: n, Wait: time.Minute})
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	ctx := context.Background()
	if _, err := c.Gather(ctx); err != nil {
		return nil, 0, err
	}
	if err := c.Prepare(ctx, []byte("work")); err != nil {
		return nil, 0, err
	}
	err = c.Run(ctx, func(time.Time) { begun(c) })
	results = make(map[int]string)
	readErr := c.Results(ctx, func(i int, _ Member, r io.Reader) error {
		b, err := io.ReadAll(r)
		results[i] = string(b)
		return err
	})
	if h := c.Live()["op"]; h != nil {
		live = int64(h.Count())
	}
	return results, live, errors.Join(err, readErr)
}

func nothing(*Coordinator) {}

// Agents begin together, however wrong their clocks are, each with its own part; what they measure is merged,
// and their results are read whole.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 7
		w := hire(n, func(i int, c *clerk) { c.size = i * chunk / 2 })
		results, live, err := lead(w.bus, n, nothing)
		w.done.Wait()
		if err != nil || errors.Join(w.errs...) != nil {
			t.Fatal(err, w.errs)
		}
		ops := int64(0)
		for part := range n {
			i := w.of(part)
			c := w.clerks[i]
			if c.part.Parts != n || string(c.part.Work) != "work" || !c.shut.Load() || c.begun != w.clerks[0].begun {
				t.Errorf("agent %d: %+v, begun %v, closed %v", i, c.part, c.begun, c.shut.Load())
			}
			if results[part] != strings.Repeat(fmt.Sprint(part), c.size) {
				t.Errorf("part %d: %d bytes, expected %d", part, len(results[part]), c.size)
			}
			ops += c.ops.Load()
		}
		if live != ops || ops == 0 {
			t.Errorf("%d operations were seen live, of %d", live, ops)
		}
	})
}

// Who is silent on the way is lost within a second or so. The others stop, and have results.
func TestLostAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := hire(3, func(_ int, c *clerk) { c.lasts = time.Hour })
		var cut time.Time
		results, _, err := lead(w.bus, 3, func(*Coordinator) {
			time.Sleep(Lead + time.Second)
			w.lines[1].cut.Store(true)
			cut = time.Now()
		})
		took := time.Since(cut)
		gone := fmt.Sprintf("agent %d ", w.clerks[1].part.Part)
		if !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), gone) || took > DefaultSilence+3*BeatPeriod {
			t.Errorf("after %v: %v", took, err)
		}
		if _, ok := results[w.clerks[1].part.Part]; ok || len(results) != 2 {
			t.Errorf("results of %d agents", len(results))
		}
		w.done.Wait()
		if w.errs[0] != nil || w.errs[2] != nil || !errors.Is(w.errs[1], ErrAbandoned) {
			t.Errorf("agents ended with %v", w.errs)
		}
		if after := time.Since(cut); after > deadMan*DefaultSilence+2*BeatPeriod {
			t.Errorf("the agent that was cut off went on for %v", after)
		}
		for i, c := range w.clerks {
			if !c.shut.Load() {
				t.Errorf("agent %d was not closed", i)
			}
		}
	})
}

// Without their coordinator agents end by themselves.
func TestLostCoordinator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := hire(2, func(_ int, c *clerk) { c.lasts = time.Hour })
		l := &line{Bus: w.bus}
		go lead(l, 2, func(*Coordinator) {
			time.Sleep(Lead + time.Second)
			l.cut.Store(true)
		})
		w.done.Wait()
		for i, err := range w.errs {
			if !errors.Is(err, ErrAbandoned) || !w.clerks[i].shut.Load() {
				t.Errorf("agent %d: %v, closed %v", i, err, w.clerks[i].shut.Load())
			}
			if ops := w.clerks[i].ops.Load(); ops < 300 || ops > 450 { // 1 s, and 3 without it
				t.Errorf("agent %d offered %d operations", i, ops)
			}
		}
	})
}

// An agent that cannot do its part ends the run: before it began that is no result, afterwards an INVALID one.
func TestFailedAgent(t *testing.T) {
	for name, c := range map[string]struct {
		change func(i int, c *clerk)
		lost   bool
	}{
		"prepare": {func(i int, c *clerk) {
			if i == 1 {
				c.fail = errors.New("no room")
			}
		}, false},
		"run": {func(i int, c *clerk) {
			if i == 1 {
				c.broken = errors.New("no room")
			} else {
				c.lasts = time.Hour
			}
		}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := hire(2, c.change)
			_, _, err := lead(w.bus, 2, nothing)
			w.done.Wait()
			if !errors.Is(err, ErrFailed) || errors.Is(err, ErrLost) != c.lost || !strings.Contains(err.Error(), "no room") {
				t.Errorf("%s: %v", name, err)
			}
			if w.errs[0] != nil || w.errs[1] == nil || !strings.Contains(w.errs[1].Error(), "no room") {
				t.Errorf("%s: agents ended with %v", name, w.errs)
			}
		})
	}
}

// Agents that are not needed go when the run is over, those for another run stay, and those of another
// version take no part, which is said.
func TestWhoTakesPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := hire(3, nil)
		other := &clerk{}
		var otherErr error
		w.done.Go(func() {
			cfg := AgentConfig{Version: "v", Run: "another", Wait: 30 * time.Second}
			otherErr = RunAgent(t.Context(), w.bus, cfg, other)
		})
		results, _, err := lead(w.bus, 2, nothing)
		w.done.Wait()
		if err != nil || len(results) != 2 || errors.Join(w.errs...) != nil {
			t.Errorf("%d results, %v, agents %v", len(results), err, w.errs)
		}
		if !errors.Is(otherErr, ErrNoWork) || other.part.Parts != 0 {
			t.Errorf("the agent of another run: %v", otherErr)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		bus := NewMemory()
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { RunAgent(ctx, bus, AgentConfig{Version: "w"}, &clerk{}) })
		_, _, err := lead(bus, 1, nothing)
		if err == nil || !strings.Contains(err.Error(), `version "w", want "v"`) {
			t.Errorf("%v", err)
		}
		cancel()
		done.Wait()
	})
}

// Of two coordinators that want the same agents one gets them.
func TestTwoCoordinators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := hire(2, nil)
		var done sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			done.Go(func() { _, _, errs[i] = lead(w.bus, 2, nothing) })
		}
		done.Wait()
		w.done.Wait()
		if errs[0] == nil && errs[1] == nil {
			t.Error("both say that they have had a run")
		}
	})
}

// What makes no sense is refused and said.
func TestRefusals(t *testing.T) {
	for name, cfg := range map[string]Config{
		"0 agents":          {},
		"4097 agents":       {Agents: maxAgents + 1},
		`run "no name"`:     {Agents: 1, Run: "no name"},
		"silence of 1ms":    {Agents: 1, Silence: time.Millisecond},
		"letters, digits":   {Agents: 1, Run: strings.Repeat("x", 65)},
		"want at least 400": {Agents: 1, Silence: 399 * time.Millisecond},
	} {
		if _, err := NewCoordinator(NewMemory(), cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := &agent{state: Idle, worker: &clerk{}, cfg: AgentConfig{now: time.Now}}
	for want, o := range map[string]order{
		"agent is idle":       {Do: doStart},
		"part 2 of 2":         {Do: doPrepare, From: "x", Part: 2, Parts: 2, Limit: 1},
		`order "dance"`:       {Do: "dance"},
		"idle: want finished": {Do: doRead},
	} {
		if _, err := a.obey(o, answer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	a.state = Ready
	if _, err := a.obey(order{Do: doStart, At: 5}, answer{}); err == nil || !strings.Contains(err.Error(), "to come") {
		t.Errorf("a start in the past: %v", err)
	}
	a.from = "one"
	if _, err := a.obey(order{Do: doEnd, From: "two"}, answer{}); err == nil {
		t.Error("an order of another coordinator was obeyed")
	}
	synctest.Test(t, func(t *testing.T) {
		w := hire(1, nil)
		c, err := NewCoordinator(w.bus, Config{Agents: 1, Version: "v"})
		if err != nil {
			t.Fatal(err)
		}
		c.Gather(t.Context())
		if err := c.Prepare(t.Context(), make([]byte, MaxWork+1)); err == nil {
			t.Error("work that is too long was taken")
		}
		c.Close()
		w.done.Wait()
	})
}
