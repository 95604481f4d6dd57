package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"i3bench/cluster"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
)

// A Daemon is a node under way. Its methods may be called from any goroutine.
type Daemon struct {
	cfg   Config
	log   *slog.Logger
	world *cluster.World
	end   *cluster.Endpoint

	member  *chord.Member // this and the next two inside end.Do alone
	node    *node.Node
	lookups lookups
	places  chan struct{} // one for each lookup that may be under way

	leaving  atomic.Bool
	beat     atomic.Int64 // Unix nanoseconds when the loop answered last
	server   *http.Server // nil for none
	listener net.Listener
	web      net.Addr
	quit     chan struct{}
	all      sync.WaitGroup
}

// Start starts a daemon, for which it finds the names of those to join: that is what the context is for. It returns
// before the node is on its ring.
func Start(ctx context.Context, cfg Config, log *slog.Logger) (*Daemon, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	d := &Daemon{
		cfg: cfg, log: log, quit: make(chan struct{}), places: make(chan struct{}, maxLookups),
		lookups: lookups{waiting: make(map[uint32]chan chord.Finding)},
	}
	d.world = cluster.New(cluster.Config{SocketBuffer: cfg.Limits.SocketBuffer})
	addr, err := cfg.listenAddr()
	if err != nil {
		return nil, err
	}
	if d.end, err = d.world.OpenAt(addr); err != nil {
		return nil, fmt.Errorf("daemon: %w", err)
	}
	if err = d.makeNode(ctx); err == nil {
		err = d.listen()
	}
	if err != nil {
		return nil, errors.Join(err, d.end.Close())
	}
	d.beat.Store(time.Now().UnixNano())
	d.end.Start(d.node)
	d.all.Go(d.watch)
	d.serve()
	self := d.member.Self()
	log.Info("node is up", "listen", self.Addr, "position", FormatPrefix(self.Prefix), "join", cfg.Join, "http", d.HTTP())
	return d, nil
}

// makeNode makes the machine.
func (d *Daemon) makeNode(ctx context.Context) error {
	self := d.end.Addr()
	s, err := loadSecret(d.cfg.SecretFile, self)
	if err != nil {
		return err
	}
	join, err := d.cfg.members(ctx, self, net.DefaultResolver.LookupNetIP)
	if err != nil {
		return err
	}
	ring := chord.Config{Self: d.cfg.place(self), Join: join, Seed: rand.Uint64(), Found: d.found}
	s.key("ring", ring.Secret[:])
	if d.member, err = chord.NewMember(ring, d.world.Now()); err != nil {
		return err
	}
	cfg := node.Config{
		Self: self, Member: d.member, Epoch: rand.Uint32(), MaxTriggers: d.cfg.Limits.Triggers,
		Mirrors: !d.cfg.NoMirrors, MaxMirrors: d.cfg.Limits.Mirrors,
		MaxPerID: d.cfg.Limits.PerIdentifier, Lifetime: machine.Duration(d.cfg.Limits.Lifetime),
		Limits: d.cfg.Limits.ofSources(), Pushback: true,
	}
	s.key("node", cfg.Secret[:])
	d.node, err = node.New(cfg)
	return err
}

// Addr returns the node's address.
func (d *Daemon) Addr() netip.AddrPort { return d.end.Addr() }

// HTTP returns the address for operators, "" for none.
func (d *Daemon) HTTP() string {
	if d.web == nil {
		return ""
	}
	return d.web.String()
}

// Stop takes the node off its ring, which gets what it has, and ends the daemon: after Config.Drain at the latest, or
// when the context ends.
func (d *Daemon) Stop(ctx context.Context) error {
	if d.leaving.Swap(true) {
		return errors.New("daemon: stopped twice")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.cfg.Drain))
	defer cancel()
	began := time.Now()
	d.leave(ctx)
	s := d.snapshot()
	d.log.Info("node is down", "took", time.Since(began).Round(time.Millisecond), "handed_over", s.node.HandedOver,
		"triggers", s.triggers)
	return d.close()
}

// close ends everything at once.
func (d *Daemon) close() error {
	close(d.quit)
	var err error
	if d.server != nil {
		err = d.server.Close()
	}
	err = errors.Join(err, d.end.Close())
	d.all.Wait()
	return err
}

// Run runs a daemon until the context ends, and then stops it.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	d, err := Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return d.Stop(context.WithoutCancel(ctx))
}

// A snapshot is what is known of the node at some time.
type snapshot struct {
	node        node.Counters
	ring        chord.Counters
	sockets     cluster.Counters
	triggers    int
	mirrors     int // of others' triggers
	self        chord.Place
	joined      bool // it owns something
	taken       bool
	owned       chord.Range
	predecessor chord.Place
	successors  []chord.Place
}

// snapshot looks at the node, which waits as long as it takes.
func (d *Daemon) snapshot() (s snapshot) {
	s.sockets = d.world.Counters()
	d.end.Do(func(machine.Time, *machine.Outbox) {
		s.node, s.ring, s.triggers = d.node.Counters(), d.member.Counters(), d.node.Triggers()
		s.mirrors = d.node.Mirrors()
		s.self, s.taken = d.member.Self(), d.member.Taken()
		s.predecessor, s.successors = d.member.Predecessor(), d.member.Successors()
		s.owned, s.joined = d.member.Range()
	})
	return s
}

// How often the node is looked at, and how long it may not have answered before it is said to be ill.
const (
	watchEvery = 500 * time.Millisecond
	illAfter   = 5 * time.Second
)

// watch writes what happens to the log, and notices whether the loop answers.
func (d *Daemon) watch() {
	var last snapshot
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		s := d.snapshot()
		d.beat.Store(time.Now().UnixNano())
		d.tell(&last, &s)
		last = s
		select {
		case <-d.quit:
			return
		case <-t.C:
		}
	}
}

// tell logs what has changed.
func (d *Daemon) tell(last, s *snapshot) {
	switch {
	case s.joined && !last.joined:
		d.log.Info("node is on the ring", "owns_from", FormatPrefix(s.owned.Lo), "owns_to", FormatPrefix(s.owned.Hi),
			"successors", len(s.successors))
	case last.joined && !s.joined && !d.leaving.Load():
		d.log.Warn("node is off the ring")
	case s.joined && s.owned != last.owned:
		d.log.Info("node owns another range", "owns_from", FormatPrefix(s.owned.Lo), "predecessor", s.predecessor.Addr)
	}
	if s.taken && !last.taken {
		d.log.Error("another node has this position", "position", FormatPrefix(s.self.Prefix))
	}
	if n := s.node.NoRoom - last.node.NoRoom; n > 0 {
		d.log.Warn("triggers were refused: the table is full", "refused", n, "triggers", s.triggers)
	}
}

// A lookups is those under way. It is guarded by the endpoint.
type lookups struct {
	waiting map[uint32]chan chord.Finding
	last    chord.Finding
}

// maxLookups bounds the lookups under way; the member itself has places for more.
const maxLookups = 16

// Errors of a lookup.
var (
	ErrNotReady = errors.New("daemon: lookup: the node is not on a ring yet")
	ErrBusy     = errors.New("daemon: lookup: too many are under way")
	ErrNoAnswer = errors.New("daemon: lookup: nobody who knows has answered")
)

// Lookup asks the ring who owns a prefix.
func (d *Daemon) Lookup(ctx context.Context, prefix uint64) (chord.Finding, error) {
	select {
	case d.places <- struct{}{}:
		defer func() { <-d.places }()
	default:
		return chord.Finding{}, ErrBusy
	}
	result := make(chan chord.Finding, 1)
	ticket, err := d.find(prefix, result)
	if err != nil {
		return chord.Finding{}, err
	}
	select {
	case f := <-result:
		if !f.OK {
			return f, ErrNoAnswer
		}
		return f, nil
	case <-ctx.Done():
		d.end.Do(func(machine.Time, *machine.Outbox) { delete(d.lookups.waiting, ticket) })
		return chord.Finding{}, ctx.Err()
	}
}

// find begins a lookup, whose result may be there at once.
func (d *Daemon) find(prefix uint64, result chan chord.Finding) (ticket uint32, err error) {
	err = ErrNotReady // of an endpoint that is closed, too
	d.end.Do(func(now machine.Time, out *machine.Outbox) {
		if !d.member.Joined() {
			return
		}
		d.lookups.last = chord.Finding{}
		var ok bool
		if ticket, ok = d.member.Find(now, prefix, out); !ok {
			err = ErrBusy
			return
		}
		err = nil
		if f := d.lookups.last; f.Ticket == ticket {
			result <- f
			return
		}
		d.lookups.waiting[ticket] = result
	})
	return ticket, err
}

// found is told results by the member.
func (d *Daemon) found(_ machine.Time, f chord.Finding, _ *machine.Outbox) {
	d.lookups.last = f
	if c, ok := d.lookups.waiting[f.Ticket]; ok {
		delete(d.lookups.waiting, f.Ticket)
		c <- f
	}
}
