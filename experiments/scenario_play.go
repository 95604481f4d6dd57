package experiments

import (
	"context"
	"errors"
	"sync"
	"time"

	"i3bench/loadgen"
)

// work is what is to be done outside of the calls of machines, in order.
type work struct {
	mu    sync.Mutex
	tasks []func()
	ready chan struct{}
}

// later has a task done soon. Machines and pacers may call it.
func (w *work) later(task func()) {
	w.mu.Lock()
	w.tasks = append(w.tasks, task)
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default: // somebody will look anyhow
	}
}

// do does what is to be done, and what comes meanwhile.
func (w *work) do() {
	for {
		w.mu.Lock()
		tasks := w.tasks
		w.tasks = nil
		w.mu.Unlock()
		if len(tasks) == 0 {
			return
		}
		for _, task := range tasks {
			task()
		}
	}
}

// startHands starts, on sockets, what sends packets and does the work. In virtual time
// both are done by sleep.
func (r *scenarioRun) startHands() {
	if r.udp == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	var hands sync.WaitGroup
	if r.stream != nil {
		hands.Go(func() {
			for ctx.Err() == nil {
				r.stream.wait()
				r.emit()
			}
		})
	}
	hands.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.work.ready:
				r.work.do()
			}
		}
	})
	r.onClose(func() { cancel(); hands.Wait() })
}

// emit sends the source's next packet.
func (r *scenarioRun) emit() {
	r.sendMu.Lock()
	defer r.sendMu.Unlock()
	r.stream.emit()
}

// emitMarked sends a packet with a mark.
func (r *scenarioRun) emitMarked(k mark) {
	r.sendMu.Lock()
	defer r.sendMu.Unlock()
	r.stream.emitWith(func(payload []byte) { k.put(payload, r.Seed) })
}

// now returns the time of the world.
func (r *scenarioRun) now() time.Time {
	if r.udp != nil {
		return time.Now()
	}
	return r.zero.Add(time.Duration(r.world.Now()))
}

// tick is how far virtual time goes between two looks at what is to be done.
const tick = time.Millisecond

// sleep lets time pass.
func (r *scenarioRun) sleep(d time.Duration) {
	if r.udp != nil {
		time.Sleep(d)
		return
	}
	for r.work.do(); d > 0; d -= tick {
		r.world.Sleep(min(d, tick))
		for r.stream.next <= r.world.Now() {
			r.stream.wait()
			r.emit()
		}
		r.work.do()
	}
}

// play offers the streams of all phases at their times.
func (r *scenarioRun) play(ctx context.Context, progress Progress) error {
	if r.udp == nil {
		return r.playVirtual(ctx, progress)
	}
	var wg sync.WaitGroup
	errs, followed := make([]error, len(r.streams)), make([]error, len(r.streams))
	number := 0
	for _, span := range r.Spans {
		begin := r.tally.begin.Add(span.Begin)
		for _, p := range span.Streams {
			stream := number
			number++
			if r.share.offers(p) {
				wg.Go(func() { errs[stream] = r.pace(ctx, stream, begin) })
			}
			if r.follows != nil && aboutAll(p) {
				wg.Go(func() { followed[stream] = r.follow(ctx, stream, begin) })
			}
		}
	}
	paced := make(chan struct{})
	go func() { wg.Wait(); close(paced) }()
	r.watch(ctx, paced, progress)
	return errors.Join(append(errs, followed...)...)
}

// pace offers a stream in real time.
func (r *scenarioRun) pace(ctx context.Context, stream int, begin time.Time) error {
	plan, err := r.share.open(r.streams[stream])
	if err != nil {
		return err
	}
	cfg := loadgen.PacerConfig{CatchUp: r.CatchUp, Left: func(op loadgen.Op) {
		r.tally.left(plan.Action(op.Index).Kind, begin.Sub(r.tally.begin)+op.At)
	}}
	stats, err := paceFrom(ctx, cfg, begin, plan, func(op loadgen.Op, intended time.Time, done func()) {
		r.begin(stream, op, intended, plan.Action(op.Index), done)
	})
	if stats != nil {
		r.missed[stream] = stats.Missed + stats.Dropped
	}
	return err
}

// paceFrom begins the operations of a plan in real time; each is to say when it is done.
func paceFrom(ctx context.Context, cfg loadgen.PacerConfig, begin time.Time, plan loadgen.Plan,
	start func(op loadgen.Op, intended time.Time, done func()),
) (*loadgen.PacerStats, error) {
	cfg.Spin, cfg.Nap = loadgen.NoSpin, loadNap
	p, err := loadgen.NewPacer(cfg)
	if err != nil {
		return nil, err
	}
	select { // phases to come cost nothing until then
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Until(begin) - loadLead/2):
	}
	return p.Run(ctx, begin, plan, func(op loadgen.Op, intended time.Time) { start(op, intended, p.Done) })
}

// watch reports progress until the phases and streams are over.
func (r *scenarioRun) watch(ctx context.Context, paced <-chan struct{}, progress Progress) {
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for end := r.length(); ; {
		at := time.Since(r.tally.begin)
		if at >= end || ctx.Err() != nil {
			<-paced
			return
		}
		<-every.C
		r.expire()
		progress(int(max(0, min(at, end))/time.Millisecond), int(end/time.Millisecond)+1, r.status(at))
	}
}

// A pending is a stream and its next operation.
type pending struct {
	plan  loadgen.Plan
	begin time.Time
	n     uint64
	op    loadgen.Op
	more  bool
}

// next goes to the next operation.
func (p *pending) next() {
	p.op, p.more = p.plan.At(p.n)
	p.n++
}

// playVirtual offers all streams in virtual time.
func (r *scenarioRun) playVirtual(ctx context.Context, progress Progress) error {
	var streams []*pending
	for _, span := range r.Spans {
		for _, s := range span.Streams {
			plan, err := s.Open()
			if err != nil {
				return err
			}
			p := &pending{plan: plan, begin: r.tally.begin.Add(span.Begin)}
			p.next()
			streams = append(streams, p)
		}
	}
	end := r.tally.begin.Add(r.length())
	for swept := r.now(); ctx.Err() == nil; {
		next, stream := end, -1
		for i, p := range streams {
			if at := p.begin.Add(p.op.At); p.more && at.Before(next) {
				next, stream = at, i
			}
		}
		limit := swept.Add(100 * time.Millisecond)
		if limit.Before(next) {
			r.sleep(limit.Sub(r.now()))
			swept = limit
			r.tally.expire(false)
			at := r.now().Sub(r.tally.begin)
			progress(int(max(0, at)/time.Millisecond), int(r.length()/time.Millisecond)+1, r.status(at))
			r.look()
			continue
		}
		r.sleep(next.Sub(r.now()))
		if stream < 0 {
			return nil
		}
		p := streams[stream]
		r.begin(stream, p.op, next, p.plan.Action(p.op.Index), nil)
		p.next()
	}
	return nil
}
