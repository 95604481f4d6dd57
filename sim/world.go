package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"

	"i3bench/i3/machine"
)

// epoch is the virtual time at which a world begins. It is not zero because
// machines use zero for timers that are not set.
const epoch = machine.Time(machine.Second)

// DefaultDelay is the delay of every path of a world without a network.
const DefaultDelay = 100 * machine.Microsecond

// A Config says what a world is.
type Config struct {
	// Seed decides which datagrams are lost, and how late they are.
	Seed uint64
	// Network gives delays and losses. Nil means [DefaultDelay] and no loss. If it
	// is a [Divided] network, its processes run beside each other; else all
	// endpoints are one process.
	Network machine.Network
	// Jitter bounds the random time by which each datagram is later than its path
	// says: U[0, Jitter). Default none.
	Jitter machine.Duration
	// Workers is the number of goroutines, at most 14; the run does not depend on
	// it. Default 1. With more, machines of different processes call their events'
	// functions at the same time.
	Workers int
	// Shards is the number of parts of the engine, see [EngineConfig]; the run does
	// not depend on it.
	Shards int
	// Reference makes the world run on the plain heap of [Reference]. The run does
	// not depend on it either, unless RunWhile cuts it short.
	Reference bool
}

// A Divided network knows which endpoints are so far from each other that what
// happens at one cannot matter at the other for a while.
type Divided interface {
	machine.Network
	// Place returns the number by which the network knows an address, not negative,
	// and false if it does not.
	Place(addr netip.AddrPort) (place int64, ok bool)
	// Between is Path for places.
	Between(from, to int64) machine.Path
	// ProcessOf returns the process of a place, below Processes.
	ProcessOf(place int64) int
	Processes() int
	// LookAhead is the least delay between places of different processes.
	LookAhead() machine.Duration
}

// leastLookAhead is the look-ahead below which windows are too short to be worth
// their while: all endpoints are then one process.
const leastLookAhead = 20 * machine.Microsecond

// An engine is what a world runs on: [Engine] or [Reference].
type engine interface {
	Now() machine.Time
	Workers() int
	At(Process) Context
	RunWhile(cond func() bool, until machine.Time) bool
}

// A World is a set of machines in virtual time. Its methods and those of its
// endpoints must be called by one goroutine, and not by machines or their events.
type World struct {
	cfg     Config
	divided Divided // nil if all endpoints are one process
	engine  engine
	blocks  [][]Endpoint // endpointBlock endpoints each, but for the last
	where   []where      // of the endpoints
	workers []worldWorker
	traces  []uint64 // by process
	shift   uint     // log2 of a window's length
}

// Counters is what a world has carried.
type Counters struct {
	Offered   uint64 // datagrams sent by machines
	Delivered uint64
	Lost      uint64 // dropped by the network
	Filtered  uint64 // dropped by an endpoint's filter
	NoHost    uint64 // for an address where no machine runs
	Events    uint64 // deliveries and timers run
}

func (c *Counters) add(d Counters) {
	c.Offered += d.Offered
	c.Delivered += d.Delivered
	c.Lost += d.Lost
	c.Filtered += d.Filtered
	c.NoHost += d.NoHost
	c.Events += d.Events
}

// New returns an empty world.
func New(cfg Config) *World {
	w := &World{cfg: cfg}
	processes, ahead := 1, machine.Millisecond
	if d, ok := cfg.Network.(Divided); ok && d.Processes() > 1 && d.LookAhead() >= leastLookAhead {
		w.divided, processes, ahead = d, d.Processes(), d.LookAhead()
	}
	w.traces = make([]uint64, processes)
	w.shift = shiftOf(ahead)
	if cfg.Reference {
		r := NewReference(processes, w)
		r.now = epoch
		w.engine = r
	} else {
		w.engine = w.newEngine(processes, ahead)
	}
	for range w.engine.Workers() {
		w.workers = append(w.workers, worldWorker{world: w})
	}
	return w
}

func (w *World) newEngine(processes int, ahead machine.Duration) *Engine {
	e, err := NewEngine(EngineConfig{
		Processes: processes, LookAhead: ahead,
		Shards: max(w.cfg.Shards, 0), Workers: min(max(w.cfg.Workers, 0), maxWorkers),
	}, w)
	if err != nil {
		panic(err) // more processes than there are addresses: the network is broken
	}
	e.now, e.window = epoch, int64(epoch)>>e.shift
	return e
}

// Now returns the virtual time, that of the last event where all endpoints are
// one process. Machines' events are told the time themselves.
func (w *World) Now() machine.Time { return w.engine.Now() }

// Counters returns what the world has carried so far.
func (w *World) Counters() (sum Counters) {
	for i := range w.workers {
		sum.add(w.workers[i].count)
	}
	return sum
}

// TraceHash returns a hash of everything that has happened so far: at each
// process, every datagram delivered or lost, with its time, ends and bytes, in
// order.
func (w *World) TraceHash() string {
	h := sha256.New()
	for _, t := range w.traces {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], t)
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The addresses of endpoints: 10.0.0.1 and following, all at one port.
const (
	firstAddr    = 10<<24 + 1
	endpointPort = 3000
	maxEndpoints = 1<<24 - 2
)

// Open returns an endpoint with an address of its own, without a machine.
func (w *World) Open() (*Endpoint, error) {
	if len(w.where) == maxEndpoints {
		return nil, errTooMany
	}
	number := uint32(len(w.where))
	w.where = append(w.where, where{place: noPlace})
	if number%endpointBlock == 0 {
		w.blocks = append(w.blocks, make([]Endpoint, endpointBlock))
	}
	e := w.endpoint(number)
	*e = Endpoint{world: w, number: number, place: noPlace, wake: machine.Never}
	return e, nil
}

// endpointBlock is how many endpoints lie together: without a pointer to each,
// one miss less leads there.
const endpointBlock = 256

// endpoint returns the endpoint of a number.
func (w *World) endpoint(number uint32) *Endpoint {
	return &w.blocks[number/endpointBlock][number%endpointBlock]
}

// noEndpoint is the number of none.
const noEndpoint = 1<<toBits - 1

// lookup returns the number of the endpoint at an address, or noEndpoint.
func (w *World) lookup(a netip.AddrPort) uint32 {
	if !a.Addr().Is4() || a.Port() != endpointPort {
		return noEndpoint
	}
	b := a.Addr().As4()
	i := binary.BigEndian.Uint32(b[:]) - firstAddr
	if i >= uint32(len(w.where)) {
		return noEndpoint
	}
	return i
}

// Run runs until the virtual time is the given one.
func (w *World) Run(until machine.Time) { w.engine.RunWhile(nil, until) }

// RunWhile runs as long as cond holds, to the given virtual time at most, and
// reports whether cond ended it. It looks at cond after each event, or, if the
// network is [Divided], after each window of less than its look-ahead.
func (w *World) RunWhile(cond func() bool, until machine.Time) bool {
	return w.engine.RunWhile(cond, until)
}

// Sleep runs for a length of virtual time.
func (w *World) Sleep(d machine.Duration) { w.Run(w.Now().Add(d)) }

// Whole returns the first time from t on at which a window ends. Runs that end
// there cost least. It is the same whatever the world runs on.
func (w *World) Whole(t machine.Time) machine.Time { return endOf(int64(t)>>w.shift, w.shift) }
