package experiments

import (
	"context"
	"fmt"
	"time"

	"i3bench/cluster"
	"i3bench/i3/machine"
	"i3bench/reports"
	"i3bench/sim"
	"i3bench/testbed"
)

// A World is a driver as an experiment needs it: endpoints and time.
type World interface {
	// Open opens an endpoint.
	Open() (testbed.Endpoint, error)
	// Now returns the machine time.
	Now() machine.Time
	// Sleep lets the world run for so long.
	Sleep(d time.Duration)
}

// A Kind names a world.
type Kind string

// The worlds.
const (
	UDP Kind = "udp" // real sockets, real time
	Sim Kind = "sim" // virtual time
)

// manyHosts is the buffer of sockets that thousands of hosts share: their bursts are to wait, not to be lost.
const manyHosts = 64 << 20

// NewWorld returns a world of the given kind. The network may be nil. In virtual
// time every datagram is late by up to jitter; on sockets they are anyhow.
func NewWorld(k Kind, seed uint64, net machine.Network, jitter time.Duration) (World, error) {
	switch k {
	case UDP:
		return udpWorld{cluster.New(cluster.Config{Seed: seed, Network: net, SocketBuffer: manyHosts})}, nil
	case Sim:
		return simWorld{sim.New(sim.Config{Seed: seed, Network: net, Jitter: machine.Duration(jitter)})}, nil
	}
	return nil, fmt.Errorf("experiments: world %q: want %q or %q", k, UDP, Sim)
}

type udpWorld struct{ *cluster.World }

func (w udpWorld) Open() (testbed.Endpoint, error) { return w.World.Open() }
func (w udpWorld) Sleep(d time.Duration)           { time.Sleep(d) }

type simWorld struct{ *sim.World }

func (w simWorld) Open() (testbed.Endpoint, error) { return w.World.Open() }
func (w simWorld) Sleep(d time.Duration)           { w.World.Sleep(machine.Duration(d)) }

// traceOf returns the hash of what has happened in a world so far. On sockets there
// is none: no two runs are the same there.
func traceOf(w World) string {
	if s, ok := w.(simWorld); ok {
		return s.TraceHash()
	}
	return ""
}

// A Sink takes raw samples. A [reports.Run] is one.
type Sink interface {
	Sample(reports.Sample)
}

// Progress is told how far an experiment is: done of total steps, and what it is
// doing. It may be called from several goroutines.
type Progress func(done, total int, what string)

// waitUntil lets the world run until cond holds, and reports whether it did
// within the limit. The context breaks it off.
func waitUntil(ctx context.Context, w World, limit time.Duration, cond func() bool) bool {
	const step = 250 * time.Microsecond
	for end := w.Now().Add(machine.Duration(limit)); w.Now() < end && ctx.Err() == nil; {
		if cond() {
			return true
		}
		w.Sleep(step)
	}
	return cond()
}

// pause lets the world run for so long, or until the context breaks it off.
func pause(ctx context.Context, w World, d time.Duration) {
	const step = 50 * time.Millisecond
	for ; d > 0 && ctx.Err() == nil; d -= step {
		w.Sleep(min(d, step))
	}
}

// count hands a named counter to the sink.
func count(s Sink, stage string, seed uint64, name string, value uint64) {
	if value > 0 {
		s.Sample(reports.Sample{Stage: stage, Kind: reports.KindCount, Seed: seed, Group: name, Value: float64(value)})
	}
}
