package live

import "time"

// A State is what an experiment knows of itself at a moment. Counters only grow, but for those of a receiver or node
// that begins anew.
type State struct {
	At      time.Duration // since the first operation was due, below zero before
	For     time.Duration // how long load is offered
	Over    bool          // no operation is offered or under way any more
	Phase   string
	Offered map[string]uint64 // operations whose time has come, by kind
	Limits  Limits

	Lifetime  time.Duration // T, of triggers
	Receivers []Receiver
	Nodes     []Node
	Sockets   *Sockets // nil in virtual time
}

// A Receiver is what a receiver has counted.
type Receiver struct {
	// Key tells it from the others, and is another one if it begins anew.
	Key      any
	Level    int // 0: without a place in the tree
	Queries  uint64
	Requests uint64
	Repairs  uint64
	Acks     uint64
	Sent     uint64 // refreshes whose timer ran out
}

// A Node is what a node has counted.
type Node struct {
	Key       any // as that of a receiver
	Triggers  int
	Packets   uint64
	Copies    uint64
	Refreshed uint64
	Drops     map[string]uint64 // by cause
}

// Sockets is what the sockets of all nodes and hosts have counted.
type Sockets struct {
	In, Out uint64
	Drops   map[string]uint64 // by cause
}
