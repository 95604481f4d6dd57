package scenario

import "time"

// A Scenario is what a file says. In tags, key is the name in the file, doc what it
// means, default what it is if it is not there, enum what it may be, need that it
// must be there, and least the smallest number.
type Scenario struct {
	Name       string      `key:"name" need:"yes" doc:"Name of the scenario, for reports."`
	About      string      `key:"about" doc:"What the scenario shows."`
	Seed       uint64      `key:"seed" doc:"Everything random follows from it. 0: that of the flag --seed."`
	World      string      `key:"world" default:"udp" enum:"udp,sim" doc:"Real sockets, or virtual time."`
	Shorten    float64     `key:"shorten" default:"1" least:"0.001" doc:"Divides the times of everything, not rates."`
	Cluster    Cluster     `key:"cluster" doc:"What is deployed."`
	Phases     []Phase     `key:"phases" need:"yes" doc:"What is offered, one after the other."`
	Objectives []Objective `key:"objectives" doc:"What the run is to keep to; a miss is exit code 3."`

	from source
}

// A Cluster is what is deployed before load is offered.
type Cluster struct {
	Nodes     int           `key:"nodes" default:"32" least:"1" doc:"i3 nodes."`
	Degree    int           `key:"degree" default:"4" least:"1" doc:"D: links under one identifier."`
	Standing  int           `key:"standing" default:"64" least:"1" doc:"Receivers that are always there."`
	Visitors  int           `key:"visitors" default:"48" least:"1" doc:"Receivers that come and go, at most."`
	Anycast   int           `key:"anycast" default:"8" least:"1" doc:"Members of the anycast group."`
	Slow      int           `key:"slow" default:"0" least:"0" doc:"Standing receivers that lose packets."`
	SlowLoss  float64       `key:"slow_loss" default:"0.1" least:"0" doc:"Share of them that each loses."`
	Rate      float64       `key:"rate" default:"150" least:"0.001" doc:"Packets the source sends per second."`
	Size      int           `key:"size" default:"256" least:"24" doc:"Bytes of a packet, up to 1200."`
	Heartbeat time.Duration `key:"heartbeat" default:"1s" doc:"Longest time between heartbeats."`
	Search    string        `key:"search" default:"lan" enum:"draw,lan,literal,wide" doc:"How a parent is looked for."`
	Timeout   time.Duration `key:"timeout" default:"10s" doc:"When an operation has failed."`
}

// A Phase is a length of time with streams of operations beside each other.
type Phase struct {
	Name string        `key:"name" doc:"Name of the phase, for --set and reports."`
	For  time.Duration `key:"for" need:"yes" doc:"How long the phase lasts."`
	Load []Stream      `key:"load" doc:"Streams of operations; without any the group is idle."`
}

// A Stream is a schedule and what its operations are.
type Stream struct {
	Schedule     string             `key:"schedule" need:"yes" enum:"SCHEDULES" doc:"When operations are due."`
	Rate         float64            `key:"rate" least:"0" doc:"Operations per second."`
	From         float64            `key:"from" least:"0" doc:"Operations per second at first."`
	To           float64            `key:"to" least:"0" doc:"Operations per second at last."`
	Steps        int                `key:"steps" least:"2" doc:"Number of steps."`
	Burst        float64            `key:"burst" least:"0" doc:"Operations per second in a burst."`
	Every        time.Duration      `key:"every" doc:"From burst to burst."`
	Length       time.Duration      `key:"length" doc:"Length of a burst."`
	Low          float64            `key:"low" least:"0" doc:"Operations per second at night."`
	High         float64            `key:"high" least:"0" doc:"Operations per second at noon."`
	Period       time.Duration      `key:"period" default:"24h" doc:"Length of a day."`
	Arrivals     string             `key:"arrivals" default:"poisson" enum:"poisson,constant" doc:"How sessions begin."`
	Distribution string             `key:"distribution" default:"lognormal" enum:"LAWS" doc:"Law of their lengths."`
	Typical      time.Duration      `key:"typical" doc:"Length of a session: its median, scale or mean."`
	Spread       float64            `key:"spread" default:"1" least:"0.05" doc:"Sigma of lognormal, shape of weibull."`
	File         string             `key:"file" doc:"Trace: time, operation, member."`
	Mix          map[string]float64 `key:"mix" doc:"Weights of the kinds of operations."`

	trace []byte // of the file
}

// An Objective is what the operations of a kind are to keep to. Latencies count from
// the intended time, and operations that failed count as later than all others.
type Objective struct {
	Operation string        `key:"operation" need:"yes" enum:"KINDS" doc:"Kind of operation."`
	P50       time.Duration `key:"p50" doc:"Half of the operations end within this time."`
	P90       time.Duration `key:"p90" doc:"Nine of ten end within this time."`
	P99       time.Duration `key:"p99" doc:"99 of 100 end within this time."`
	Max       time.Duration `key:"max" doc:"All end within this time."`
	Failed    float64       `key:"failed" default:"1" least:"0" doc:"Share of operations that may fail."`
}

// The kinds of operations.
const (
	Join    = "join"
	Leave   = "leave"
	Crash   = "crash"
	Move    = "move"
	Packet  = "packet"
	Repair  = "repair"
	Refresh = "refresh"
	Flip    = "flip"
	Anycast = "anycast"
	Restart = "restart"
)

// Kinds are the kinds of operations that there are.
func Kinds() []string {
	return []string{Join, Leave, Crash, Move, Packet, Repair, Refresh, Flip, Anycast, Restart}
}

// A schedule says which keys a stream with it has.
type schedule struct {
	name      string
	need, may []string
}

// schedules are those of [Stream.Schedule].
var schedules = []schedule{
	{"constant", []string{"rate", "mix"}, nil},
	{"ramp", []string{"from", "to", "mix"}, nil},
	{"poisson", []string{"rate", "mix"}, nil},
	{"steps", []string{"from", "to", "steps", "mix"}, nil},
	{"bursts", []string{"rate", "burst", "every", "length", "mix"}, nil},
	{"diurnal", []string{"low", "high", "mix"}, []string{"period"}},
	{"sessions", []string{"rate", "typical"}, []string{"arrivals", "distribution", "spread"}},
	{"trace", []string{"file"}, nil},
}
