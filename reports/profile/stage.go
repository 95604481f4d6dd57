package profile

// A Stage is a part of what a run does, to which processor time is attributed.
type Stage int

// The stages. Those up to Data are of the protocol; Other is what nothing is known about.
const (
	Other Stage = iota
	Receive
	Match
	Replicate
	Send
	Triggers
	Ring
	Join
	Refresh
	Repair
	Data
	Simulator
	Bench
	Collector
	Scheduler
	NumStages = iota
)

// stageTexts has the name of each stage and what it is.
var stageTexts = [NumStages][2]string{
	Other:     {"other", "not attributed"},
	Receive:   {"receive", "reading datagrams, waiting for them, and sorting packets to machines"},
	Match:     {"match", "looking identifiers up in the table of triggers"},
	Replicate: {"replicate", "making the copies of a packet, and planning which leave together"},
	Send:      {"send", "handing datagrams to the kernel, with what it does on loopback until they lie in a socket"},
	Triggers:  {"triggers", "requests to insert, refresh, challenge and remove triggers, at nodes and at hosts"},
	Ring:      {"ring", "who owns which identifiers: lookups, handovers, mirrors"},
	Join:      {"join", "finding a place in the tree, changing and leaving it"},
	Refresh:   {"refresh", "keeping the triggers and the tree alive"},
	Repair:    {"repair", "asking for lost packets and answering such requests"},
	Data:      {"data", "data packets at the source and at receivers, but for repairs"},
	Simulator: {"simulator", "events and networks in virtual time"},
	Bench:     {"bench", "the load, what is kept of it, and its judges"},
	Collector: {"collector", "Go's garbage collector"},
	Scheduler: {"scheduler", "Go's scheduler: putting goroutines to sleep and waking them"},
}

// String returns the stage in a word.
func (s Stage) String() string { return stageTexts[s][0] }

// Doc says what belongs to the stage.
func (s Stage) Doc() string { return stageTexts[s][1] }

// Protocol reports whether the stage is one of the protocol, not of what surrounds it.
func (s Stage) Protocol() bool { return s >= Receive && s <= Data }

// labelled are the stages that a label of a driver names; any other value says that functions know more.
var labelled = map[string]Stage{"receive": Receive, "replicate": Replicate, "send": Send}
