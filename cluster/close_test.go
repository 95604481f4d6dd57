package cluster_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"i3bench/cluster"
	"i3bench/i3/machine"
)

// A chatterer answers every datagram, and says something to everybody when it has heard nothing for a while.
type chatterer struct {
	others []netip.AddrPort
	at     machine.Time
	closed atomic.Bool // set when Close has returned
	late   atomic.Int64
	heard  atomic.Int64
}

func (c *chatterer) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	if c.closed.Load() {
		c.late.Add(1)
	}
	c.heard.Add(int64(len(batch)))
	for _, d := range batch {
		out.Forward(d.From, nil, d.Bytes)
	}
	c.at = now.Add(10 * machine.Millisecond)
}

func (c *chatterer) Deadline() machine.Time { return c.at }

func (c *chatterer) Expire(now machine.Time, out *machine.Outbox) {
	if c.closed.Load() {
		c.late.Add(1)
	}
	for _, to := range c.others {
		out.Send(to, []byte("hello"))
	}
	c.at = now.Add(machine.Millisecond)
}

// Endpoints may be closed by any goroutine, by several at once, while datagrams and timers keep all busy. When Close
// has returned to the first, its machine is not called any more. Nothing is left behind: see TestMain.
func TestCloseUnderTraffic(t *testing.T) {
	network := &uniform{delay: machine.Millisecond, loss: 0.1}
	for _, cfg := range []cluster.Config{{}, {Network: network}} {
		onUDP(t, cfg, func(t *testing.T, w *cluster.World) {
			const n = 8
			var eps []*cluster.Endpoint
			var ms []*chatterer
			var addrs []netip.AddrPort
			for range n {
				ep, err := w.Open()
				if err != nil {
					t.Fatal(err)
				}
				eps, addrs = append(eps, ep), append(addrs, ep.Addr())
			}
			for _, ep := range eps {
				m := &chatterer{others: addrs, at: w.Now()}
				ms = append(ms, m)
				ep.Start(m)
			}
			udpRig(w).until(func() bool { return ms[0].heard.Load() > 20 && ms[n-1].heard.Load() > 20 })
			var wg sync.WaitGroup
			for i, ep := range eps {
				wg.Go(func() { // uses it as long as it will
					for range 50 {
						ep.Do(func(_ machine.Time, out *machine.Outbox) { out.Send(addrs[0], []byte("x")) })
					}
				})
				wg.Go(func() {
					if err := ep.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
					ms[i].closed.Store(true)
				})
			}
			wg.Wait()
			for _, ep := range eps {
				if err := ep.Close(); err != nil {
					t.Errorf("second close: %v", err)
				}
				ep.Do(func(machine.Time, *machine.Outbox) { t.Error("Do called back after Close") })
			}
			time.Sleep(5 * time.Millisecond) // the timers of all would fire
			for i, m := range ms {
				if m.late.Load() > 0 {
					t.Errorf("machine %d was called %d times after Close", i, m.late.Load())
				}
			}
		})
	}
}

// An endpoint can be closed before it was started, and started after it was closed: neither does anything.
func TestCloseBeforeStart(t *testing.T) {
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		ep, err := w.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := ep.Close(); err != nil {
			t.Fatal(err)
		}
		m := &chatterer{at: w.Now()}
		m.closed.Store(true)
		ep.Start(m)
		time.Sleep(3 * time.Millisecond)
		if m.late.Load() > 0 {
			t.Errorf("the machine of a closed endpoint was called %d times", m.late.Load())
		}
	})
}

// A world can be used again when all its endpoints were closed, and endpoints can be opened while the last are being
// closed: each works.
func TestOpenWhileTheLastIsClosed(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 20
	}
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range rounds {
					if err := hearMyself(w); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// hearMyself opens an endpoint, sends it a datagram of its own, and closes it.
func hearMyself(w *cluster.World) error {
	ep, err := w.Open()
	if err != nil {
		return err
	}
	defer ep.Close()
	m := &chatterer{others: []netip.AddrPort{ep.Addr()}, at: w.Now()}
	ep.Start(m)
	for end := time.Now().Add(patience); m.heard.Load() == 0; runtime.Gosched() {
		if time.Now().After(end) {
			return fmt.Errorf("%v did not hear itself within %v", ep.Addr(), patience)
		}
	}
	return nil
}

// What a closed endpoint needed is given back, also while others of its shard live on.
func TestClosedEndpointsAreSmall(t *testing.T) {
	const count = 200
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		udpRig(w).start(t)
		udpRig(w).start(t)
		before := heap()
		for range count {
			ep, err := w.Open()
			if err != nil {
				t.Fatal(err)
			}
			ep.Start(&probe{at: machine.Never})
			ep.Close()
		}
		if grown := int64(heap()) - int64(before); grown > count*50_000 {
			t.Errorf("%d closed endpoints keep %d bytes", count, grown)
		}
		runtime.KeepAlive(w)
	})
}

func heap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
