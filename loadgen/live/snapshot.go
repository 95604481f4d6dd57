package live

import "time"

// Schema is the version of the JSON form of a [Snapshot].
const Schema = 1

// Beyond is what a percentile is where it falls on an operation that failed.
const Beyond = -1

// A Snapshot says how a run stands. Counts are since the load began, rates are over Span. What is not known in the
// world or on the machine at hand is nil.
type Snapshot struct {
	Schema int       `json:"schema"`
	Number uint64    `json:"number"` // of the snapshots of this process, from 1
	Clock  time.Time `json:"clock"`
	Title  string    `json:"title"`
	What   string    `json:"what"` // is run, in a sentence
	Phase  string    `json:"phase"`
	Doing  string    `json:"doing"`
	Done   int       `json:"done"` // of Total steps
	Total  int       `json:"total"`

	Load *Load `json:"load,omitempty"` // nil as long as nothing is offered

	// Ended says that this is the last snapshot, and how the run has ended: "complete", "failed", "interrupted".
	Ended  string `json:"ended,omitempty"`
	Report string `json:"report,omitempty"` // file
}

// A Load is the part of a snapshot that is about operations and the system under them.
type Load struct {
	At   float64 `json:"at_s"`   // since the first operation was due, in seconds
	For  float64 `json:"for_s"`  // how long load is offered
	Span float64 `json:"span_s"` // since the snapshot before; rates are over this time
	// Over says that the load is over, and that Span is all of it.
	Over bool `json:"over"`

	Operations []Operation `json:"operations"` // joins, repairs, others by name
	Levels     []Level     `json:"levels"`
	Refresh    Refresh     `json:"refresh"`
	Generator  Generator   `json:"generator"`
	Nodes      Nodes       `json:"nodes"`
}

// An Operation is what came of one kind of operation. Offered = Sent + what is not sent, or not yet; Sent = Done +
// Failed + InFlight.
type Operation struct {
	Kind     string `json:"kind"`
	Offered  uint64 `json:"offered"` // whose time has come
	Sent     uint64 `json:"sent"`
	Done     uint64 `json:"done"`
	Failed   uint64 `json:"failed"` // refused, given up, or not over in time
	InFlight uint64 `json:"in_flight"`

	OfferedRate float64 `json:"offered_per_s"`
	SentRate    float64 `json:"sent_per_s"`
	DoneRate    float64 `json:"done_per_s"`
	FailedRate  float64 `json:"failed_per_s"`

	Recent  Latency `json:"recent"`  // of those that ended in Span
	Overall Latency `json:"overall"` // of all that ended
}

// A Latency is the distribution of latencies from the intended time, in nanoseconds. Operations that failed are in it,
// behind all that did not: where a percentile falls on one, it is [Beyond].
type Latency struct {
	Count uint64 `json:"count"`
	P50   int64  `json:"p50_ns"`
	P99   int64  `json:"p99_ns"`
	P999  int64  `json:"p99_9_ns"`
	Max   int64  `json:"max_ns"`
}

// A Level is a level of the tree. What a receiver does counts for the level on which it is when it is looked at, or was
// when it had a place; level 0 has those that never had one.
type Level struct {
	Level     int    `json:"level"`
	Receivers int    `json:"receivers"` // there now; of level 0: without a place now
	Queries   uint64 `json:"queries"`   // distance queries processed
	Requests  uint64 `json:"requests"`  // repair requests received
	Repairs   uint64 `json:"repairs"`   // repairs sent
	// PerJoin is the queries for each join that is done, Rate all these messages in a second.
	PerJoin float64 `json:"queries_per_join"`
	Rate    float64 `json:"messages_per_s"`
}

// A Refresh is what it costs to keep the triggers alive.
type Refresh struct {
	Lifetime float64 `json:"lifetime_s"` // T
	// PerTrigger is the refreshes that receivers sent since a timer ran out, for each trigger of the nodes and T, over
	// all of the load. AtNodes has all insertions of triggers that were there already: those of joins and repairs of the
	// tree, and the source's, too.
	PerTrigger float64 `json:"refreshes_per_trigger_and_lifetime"`
	AtNodes    float64 `json:"reinsertions_per_trigger_and_lifetime"`
	// Acks is the acknowledgements that came down to a receiver in a second, on average over Span.
	Acks float64 `json:"acks_per_receiver_and_s"`
}

// A Generator says how well the load generator keeps its schedule, and what its process and machine do. The nodes run
// in the same process.
type Generator struct {
	LateRecent  int64  `json:"late_recent_p99_ns"` // start after the intended time, of operations sent in Span
	LateOverall int64  `json:"late_p99_ns"`
	Unsent      uint64 `json:"unsent"` // offered and not sent, or not yet
	// Verdict is that on the load so far. It is VALID, or begins with INVALID, or with BEHIND while more is due and not
	// sent yet than may be missing in the end; empty if nothing was due.
	Verdict string `json:"verdict"`

	CPU   float64  `json:"cpu"`             // share of all processors that the process used in Span
	Steal *float64 `json:"steal,omitempty"` // share that the hypervisor took
	GC    float64  `json:"gc_pause_s"`      // time in Span for which the collector stopped the process
}

// Nodes is the health of the i3 nodes.
type Nodes struct {
	Nodes    int     `json:"nodes"`
	Triggers int     `json:"triggers"`
	Packets  float64 `json:"packets_per_s"` // that nodes read
	Copies   float64 `json:"copies_per_s"`  // that nodes sent on
	// Hottest is the node that read most packets in Span, HottestOver how many times the average of all.
	Hottest     int     `json:"hottest"`
	HottestOver float64 `json:"hottest_over_mean"`

	In       *float64          `json:"datagrams_in_per_s,omitempty"` // nodes and hosts, on sockets
	Out      *float64          `json:"datagrams_out_per_s,omitempty"`
	Drops    map[string]uint64 `json:"drops,omitempty"`      // by cause
	DropRate float64           `json:"drops_per_s"`          // of all causes
	Kernel   *uint64           `json:"udp_errors,omitempty"` // datagrams that found no room in a socket of this machine
}
