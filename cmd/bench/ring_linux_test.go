package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"i3bench/cluster"
	"i3bench/daemon"
	"i3bench/internal/prng"
)

// A ringSize says how large the test is: daemons, and how many of them are killed, one a second.
type ringSize struct{ nodes, kills int }

// ringSizeOf is short, or what I3BENCH_RING wants (make ring).
func ringSizeOf(t *testing.T) ringSize {
	if n, err := strconv.Atoi(os.Getenv("I3BENCH_RING")); err == nil {
		return ringSize{n, 60}
	}
	if testing.Short() {
		t.Skip("-short: a ring of processes takes a while")
	}
	return ringSize{12, 4}
}

// A ringDaemon is one bench node, as a process.
type ringDaemon struct {
	host     string
	prefix   uint64
	cmd      *exec.Cmd
	log      *bytes.Buffer
	joined   time.Time // when it was seen on the ring
	killed   time.Time // or cut off
	lookups  *http.Client
	reported daemon.Ring
}

func (d *ringDaemon) addr() string { return d.host + ":7000" }

// ask asks a daemon over HTTP.
func (d *ringDaemon) ask(path string, v any) error {
	r, err := d.lookups.Get("http://" + d.host + ":9100" + path)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, b)
	}
	if err == nil && v != nil {
		err = json.Unmarshal(b, v)
	}
	return err
}

// A processRing is daemons that form a ring.
type processRing struct {
	*testing.T
	rng  prng.Source
	next int // number of the next daemon
	// within changes the command of a daemon before it starts; nil for none.
	within func(d *ringDaemon)

	mu  sync.Mutex
	all []*ringDaemon // those killed included
}

// living returns the daemons that were not killed.
func (r *processRing) living() []*ringDaemon {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.all), func(d *ringDaemon) bool { return !d.killed.IsZero() })
}

// start starts a daemon at an address of its own, which joins by the address of another.
func (r *processRing) start(by *ringDaemon) *ringDaemon {
	r.next++
	return r.startAt(fmt.Sprintf("127.77.%d.%d", r.next/250, 1+r.next%250), r.rng.Uint64(), by)
}

// startAt starts a daemon.
func (r *processRing) startAt(host string, prefix uint64, by *ringDaemon) *ringDaemon {
	d := &ringDaemon{host: host, prefix: prefix, log: &bytes.Buffer{}}
	d.lookups = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	args := fmt.Sprintf("node --listen %s --http %s:9100 --position %s", d.addr(), d.host, daemon.FormatPrefix(d.prefix))
	if by != nil {
		args += " --join " + by.addr()
	}
	d.cmd = program(r.T, args)
	d.cmd.Env = append(d.cmd.Env, "GOMAXPROCS=2") // as many loops as there are, whatever the machine
	d.cmd.Stderr = d.log
	if r.within != nil {
		r.within(d)
	}
	if err := d.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		d.cmd.Process.Kill()
		d.cmd.Wait()
		d.lookups.CloseIdleConnections()
		if r.Failed() {
			r.Logf("log of %s:\n%s", d.host, d.log.String())
		}
	})
	r.mu.Lock()
	r.all = append(r.all, d)
	r.mu.Unlock()
	return d
}

// kill kills a daemon.
func (r *processRing) kill(d *ringDaemon) {
	r.mu.Lock()
	d.killed = time.Now()
	r.mu.Unlock()
	d.cmd.Process.Kill()
	d.cmd.Wait()
}

// whole reports whether the living are one ring, and notes who is on it.
func (r *processRing) whole() bool {
	living := r.living()
	slices.SortFunc(living, func(a, b *ringDaemon) int { return cmp.Compare(a.prefix, b.prefix) })
	var missing atomic.Int32
	var wg sync.WaitGroup
	places := make(chan struct{}, 16)
	for i, d := range living {
		pred, next := living[(i+len(living)-1)%len(living)], living[(i+1)%len(living)]
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			var ring daemon.Ring
			if d.ask("/ring", &ring) != nil || !ring.Joined {
				missing.Add(1)
				return
			}
			r.mu.Lock()
			d.reported = ring
			if d.joined.IsZero() {
				d.joined = time.Now()
			}
			r.mu.Unlock()
			if ring.Predecessor == nil || ring.Predecessor.Addr.String() != pred.addr() ||
				len(ring.Successors) == 0 || ring.Successors[0].Addr.String() != next.addr() {
				missing.Add(1)
			}
		})
	}
	wg.Wait()
	return missing.Load() == 0
}

// await waits until the ring is whole, and returns how long that took since something began.
func (r *processRing) await(what string, began time.Time) time.Duration {
	r.Helper()
	for end := time.Now().Add(2 * patience); !r.whole(); {
		if time.Now().After(end) {
			r.Fatalf("%s: no ring within %v", what, 2*patience)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(began)
}

// joinGrace is how long the ring may take to make known who has joined: until then an answer that names who owned
// the prefix before is right, for that one passes packets on.
const joinGrace = 2 * time.Second

// right reports whether a node may be said to own a prefix, by an answer to a lookup that began and ended then: it
// must not have been dead before that, and nobody who is known to have been a member all that time is nearer.
func (r *processRing) right(prefix uint64, owner daemon.Place, began, ended time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	position, err := daemon.ParsePrefix(owner.Position)
	lived := func(d *ringDaemon) bool { return d.killed.IsZero() || d.killed.After(began) }
	if err != nil || !slices.ContainsFunc(r.all, func(d *ringDaemon) bool {
		return d.addr() == owner.Addr.String() && d.prefix == position && lived(d)
	}) {
		return false
	}
	for _, d := range r.all {
		member := !d.joined.IsZero() && d.joined.Add(joinGrace).Before(began) && (d.killed.IsZero() || d.killed.After(ended))
		if member && d.prefix-prefix < position-prefix {
			return false
		}
	}
	return true
}

// A tally counts lookups.
type tally struct{ right, wrong, refused atomic.Int64 }

// look makes one lookup, from a living daemon. One whose daemon is killed meanwhile counts for nothing; one that
// finds nobody counts as wrong.
func (r *processRing) look(d *ringDaemon, prefix uint64, count *tally) {
	var result daemon.LookupResult
	began := time.Now()
	err := d.ask("/lookup?prefix="+daemon.FormatPrefix(prefix), &result)
	ended := time.Now()
	r.mu.Lock()
	counts := d.killed.IsZero() && !d.joined.IsZero()
	r.mu.Unlock()
	switch {
	case !counts:
		count.refused.Add(1)
	case err == nil && r.right(prefix, result.Owner, began, ended):
		count.right.Add(1)
	default:
		count.wrong.Add(1)
		r.Logf("%s finds %+v for %016x after %v, %v", d.host, result.Owner, prefix, ended.Sub(began), err)
	}
}

// lookups makes lookups at a rate until it is stopped.
func (r *processRing) lookups(ctx context.Context, perSecond int, count *tally) {
	rng := rand.New(rand.NewPCG(1, uint64(perSecond)))
	var wg sync.WaitGroup
	defer wg.Wait()
	for t := time.NewTicker(time.Second / time.Duration(perSecond)); ; {
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
			living := r.living()
			d, prefix := living[rng.IntN(len(living))], rng.Uint64()
			wg.Go(func() { r.look(d, prefix, count) })
		}
	}
}

// TestRingOfProcesses is a ring of daemons that forms by one of them, loses a quarter at once, and then one a second,
// while others join. Lookups go on meanwhile; so does a group, whose receivers have hosts of their own.
func TestRingOfProcesses(t *testing.T) {
	size := ringSizeOf(t)
	r := &processRing{T: t, rng: prng.New(7, 7)}
	began := time.Now()
	first := r.start(nil)
	for range size.nodes - 1 {
		r.start(first)
	}
	t.Logf("%d daemons are a ring after %v", size.nodes, r.await("forming", began))
	g := r.startGroup(cluster.New(cluster.Config{}), size.nodes)

	var churn tally
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() { r.lookups(ctx, 40, &churn) })
	living := r.living()
	r.rng.Shuffle(len(living), func(i, j int) { living[i], living[j] = living[j], living[i] })
	g.mark()
	var wg sync.WaitGroup
	for _, d := range living[:size.nodes/4] {
		wg.Go(func() { r.kill(d) })
	}
	wg.Wait()
	t.Logf("%d are dead after %v", size.nodes/4, time.Since(g.marked))
	t.Logf("a ring again after %v", r.await("a quarter killed", g.marked))
	g.judgeOutage(20 * time.Second)

	for range size.kills {
		began = time.Now()
		living := r.living()
		d := living[r.rng.IntN(len(living))]
		r.kill(d)
		living = r.living()
		r.start(living[r.rng.IntN(len(living))])
		time.Sleep(time.Second)
		r.whole()
	}
	t.Logf("%d killed, one a second: a ring again %v after the last", size.kills, r.await("churn", began))
	stop()
	busy.Wait()
	right, wrong := churn.right.Load(), churn.wrong.Load()
	t.Logf("%d of %d lookups right during churn, %d asked of the dead", right, right+wrong, churn.refused.Load())
	if float64(wrong) > 0.001*float64(right+wrong) || right == 0 {
		t.Errorf("%d of %d lookups wrong during churn, want at most 0.1 %%", wrong, right+wrong)
	}
	r.judgeLookups(size.nodes - size.nodes/4)
	g.judgeDelivery()
	r.stopOne()
}

// judgeLookups makes some lookups from each of the living, so many, all of which must be right.
func (r *processRing) judgeLookups(living int) {
	r.Helper()
	const each = 10
	time.Sleep(joinGrace)
	r.whole() // notes who has joined
	time.Sleep(joinGrace)
	var after tally
	for _, d := range r.living() {
		for range each {
			r.look(d, r.rng.Uint64(), &after)
		}
	}
	if right, wrong := after.right.Load(), after.wrong.Load(); right != int64(each*living) || wrong > 0 {
		r.Errorf("%d lookups right in the end, %d wrong, want %d right", right, wrong, each*living)
	}
}

// stopOne stops a daemon as an operator does: it ends by itself, without an error.
func (r *processRing) stopOne() {
	d := r.living()[0]
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		r.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { d.cmd.Process.Kill() })
	defer late.Stop()
	err := d.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) || !strings.Contains(d.log.String(), "node is down") {
		r.Errorf("%v, and the log:\n%s", err, d.log.String())
	}
}
