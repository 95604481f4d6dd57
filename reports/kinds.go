package reports

// A column is a field of a sample, a position in samples.csv.
type column int

// The columns in the order in which they are written. Readers go by the names
// in the header line, so that a later version may add columns.
const (
	colStage column = iota
	colKind
	colSeed
	colGroup
	colHost
	colLevel
	colN
	colValue
	colStart
	colService
	colStatus
	numColumns
)

var columnNames = [numColumns]string{
	"stage", "kind", "seed", "group", "host", "level", "n", "value", "start_ns", "service_ns", "status",
}

// columns is a set of columns.
type columns uint16

func cols(list ...column) (s columns) {
	for _, c := range list {
		s |= 1 << c
	}
	return s
}

func (s columns) has(c column) bool { return s>>c&1 == 1 }

// Names of stages.
const (
	StageCluster  = "cluster"
	StageWAN      = "wan"
	StageLoad     = "load"
	StageDeliver  = "deliver"
	StageTree     = "tree"
	StageRefresh  = "refresh"
	StageRecovery = "recovery"
	StageMatch    = "match"
	StageScale    = "scale"
	StageMicro    = "micro"
	StageCopies   = "copies"
	StageFind     = "find"
	StageHold     = "hold"
	StageTraffic  = "traffic"
	StageCapacity = "capacity"
	StageNodes    = "nodes"
	StageProfile  = "profile" // beside the others, without samples of its own
)

// Names of kinds; which stage has which, and what a sample of it means, stands
// in the table below.
const (
	KindDepth      = "depth"
	KindQueries    = "queries"
	KindJoin       = "join"
	KindStretch    = "stretch"
	KindColocated  = "colocated"
	KindLatency    = "latency"
	KindDuplicates = "duplicates"
	KindRepair     = "repair"
	KindLeave      = "leave"
	KindCrash      = "crash"
	KindMove       = "move"
	KindPacket     = "packet"
	KindRefresh    = "refresh"
	KindFlip       = "flip"
	KindAnycast    = "anycast"
	KindRestart    = "restart"
	KindDelivered  = "delivered"
	KindOffered    = "offered"
	KindLate       = "late"
	KindCount      = "count"

	// Of the simulated trees.
	KindRAD              = "rad"
	KindRMD              = "rmd"
	KindStretchP50       = "stretch-p50"
	KindStretchP90       = "stretch-p90"
	KindStretchP99       = "stretch-p99"
	KindStressMax        = "stress-max"
	KindStressP99        = "stress-p99"
	KindStressUndirected = "stress-undirected"
	KindDepthMax         = "depth-max"
	KindDepthMean        = "depth-mean"
	KindJoinQueries      = "join-queries"
	KindUnreached        = "unreached"

	// Of the refreshes and repairs in them.
	KindRefreshMean = "refresh-mean"
	KindRefreshMax  = "refresh-max"
	KindRefreshSize = "refresh-size"
	KindDupPerLoss  = "dup-per-loss"
	KindReqPerLoss  = "req-per-loss"
	KindReqMax      = "req-max"
	KindWithin600   = "within-600ms"
	KindRepairMax   = "repair-max"
	KindRepairTime  = "repair-time"
	KindLossRate    = "loss-rate"

	// Of the comparison of two worlds, and of large groups.
	KindLevel            = "level"
	KindEvents           = "events"
	KindEventsPerSecond  = "events-per-second"
	KindWallSeconds      = "wall-seconds"
	KindSimSeconds       = "sim-seconds"
	KindPeakBytes        = "peak-bytes"
	KindBytesPerReceiver = "bytes-per-receiver"
	KindThreads          = "threads"

	// Of look-ups in tables.
	KindLookup          = "lookup"
	KindLookupElsewhere = "lookup-elsewhere"

	// Of the data path.
	KindCopies          = "copies"
	KindCopiesElsewhere = "copies-elsewhere"
	KindCopiesSent      = "copies-sent"

	// Of the search for the largest rate.
	KindTrial      = "trial"
	KindObjective  = "objective"
	KindProcessors = "processors"

	// Of the health of a load generator and its platform.
	KindHealth = "health"
	KindHiccup = "hiccup"

	// Of what the packets of a group are for.
	KindPackets = "packets"
	KindBytes   = "bytes"

	// Of what the largest rate is made of.
	KindGiven    = "given"
	KindWork     = "work"
	KindBusy     = "busy"
	KindMachine  = "machine"
	KindCarry    = "carry"
	KindGenerate = "generate"
	KindFound    = "found"

	// Of what the nodes of a group do.
	KindLocal        = "local"
	KindHottest      = "hottest"
	KindTriggers     = "triggers"
	KindRestRequests = "rest-requests"
	KindRestCopies   = "rest-copies"
	KindJoinPackets  = "join-packets"

	// Of any stage.
	KindRun   = "run"
	KindTrace = "trace"
)

// The worlds of [StageMatch], as groups of its samples.
const (
	WorldSim = "sim"
	WorldUDP = "udp"
)

// The groups of samples of [StageCluster] in virtual time, by how late each datagram
// is. Those on sockets have none.
const (
	JitterNone  = "jitter none"
	JitterQuery = "jitter 200 µs" // up to the paper's time for a distance query
)

// The schemes of [StageRefresh] and [StageRecovery], the first part of the
// groups of their samples.
const (
	SchemeUniform    = "refresh-unif"
	SchemeLevel      = "refresh-level"
	SchemeOwnerFirst = "owner-first"
	SchemeLoss       = "rel-loss"
	SchemeRandom     = "rel-random"
)

// Values of Sample.Status.
const (
	StatusOK      = "ok"
	StatusTimeout = "timeout"
	StatusError   = "error"
	StatusMissing = "missing"
	StatusBusy    = "busy" // of a measurement that does not count: the machine had other things to do
)

// The groups of samples of [StageTraffic]: what packets are for.
const (
	TrafficData      = "data"
	TrafficRefresh   = "refresh" // of triggers, with the answers, and the news of it down the tree
	TrafficRepair    = "repair"
	TrafficHeartbeat = "heartbeat"
	TrafficOther     = "other"
)

// The groups of samples of [KindHealth].
const (
	HealthHiccupP50 = "hiccup p50" // how late sleeps of a millisecond ended, in ns; n = sleeps
	HealthHiccupP99 = "hiccup p99"
	HealthHiccupMax = "hiccup max"
	HealthPause     = "gc pause max" // longest pause of the collector, in ns; n = pauses
	HealthSteal     = "steal"        // share of the processors' time that the hypervisor gave to others
	HealthBusy      = "busy"         // share of the processors' time that anybody had
	HealthDrops     = "socket drops" // datagrams lost in socket buffers; n = datagrams sent
)

// The groups of samples of [KindLookup].
const (
	GroupKernel = "kernel=" // and its name: the matcher with these kernels
	GroupLimit  = "limit"   // the least that a table like the matcher's can do
	GroupMap    = "map"     // the map of Go
)

// The groups of samples of [KindGiven], [KindWork] and [KindFound]; of work on one kind of operation alone it is that.
const (
	GivenCores = "cores"
	GivenPool  = "pool"
	GivenLimit = "limit-ns" // of the latency of a join, p99
	GroupBoth  = "both"     // as many joins as repairs
	FoundLower = "lower"
	FoundUpper = "upper"
)

// kindKey names a kind of samples. An empty stage stands for every stage.
type kindKey struct{ stage, kind string }

// kindSpec says which columns a kind has. The writer fills all of them, zeros
// included, so that a zero is a measured zero; the reader insists on the needed
// ones.
type kindSpec struct {
	columns, needed columns
	signed          bool // value may be negative
}

var kinds = withKinds(map[kindKey]kindSpec{
	// n = receivers in the group, value = depth of its tree for this seed.
	{StageCluster, KindDepth}: spec(cols(colSeed, colGroup, colN), cols(colSeed, colN)),
	// One per receiver at n = 64: level, value = distance queries it processed.
	{StageCluster, KindQueries}: spec(cols(colSeed, colGroup, colHost, colLevel, colN), cols(colSeed, colLevel)),
	// value = latency of the join in ns, n = messages it sent.
	{StageCluster, KindJoin}: spec(cols(colSeed, colGroup, colHost, colLevel, colN), cols(colN)),
	// Per receiver: value = tree latency / direct latency, group = variant.
	{StageWAN, KindStretch}: spec(cols(colSeed, colGroup, colHost, colLevel), cols(colSeed)),
	// Per receiver on the source's own node, for which no ratio exists.
	{StageWAN, KindColocated}: {cols(colSeed, colGroup, colHost, colLevel, colValue), cols(colSeed), false},
	// Per receiver: value = tree latency in ns, service_ns = direct latency.
	{StageWAN, KindLatency}: spec(cols(colSeed, colGroup, colHost, colLevel, colService), cols(colService)),
	// Per receiver: value = duplicates received, n = packets lost before repair.
	{StageWAN, KindDuplicates}: spec(cols(colSeed, colGroup, colHost, colLevel, colN), cols(colSeed, colN)),
	// One per repaired packet: value = ns from detection to repair.
	{StageWAN, KindRepair}: spec(cols(colSeed, colGroup, colHost), 0),
	// Per receiver: n = packets owed, value = delivered exactly once.
	{StageWAN, KindDelivered}:     spec(cols(colSeed, colGroup, colHost, colN, colStatus), cols(colN)),
	{StageDeliver, KindDelivered}: spec(cols(colSeed, colGroup, colHost, colN, colStatus), cols(colN)),
	// One per operation, whose kinds are those of loadOps, see withKinds: start_ns =
	// intended time, value = latency from it, service_ns = latency from the actual start.
	// One a second and operation: group = operation, n = offered in that
	// second, value = completed in it, start_ns = begin of the second.
	{StageLoad, KindOffered}: spec(cols(colGroup, colN, colStart), cols(colGroup, colN)),
	// Per operation: value = actual start - intended, in ns.
	{StageLoad, KindLate}: {cols(colGroup, colStart, colValue), cols(colValue), true},
	// The same of the trials of a search: level = number of the trial, from 0.
	{StageFind, KindJoin}:   spec(findOpNeed, findOpNeed),
	{StageFind, KindRepair}: spec(findOpNeed, findOpNeed),
	{StageFind, KindLate}:   {cols(colGroup, colLevel, colStart, colValue), cols(colLevel, colValue), true},
	// One per trial that came to its end: level = its number, group = its purpose,
	// value = joins offered per second, start_ns = for how long, service_ns = what it
	// took in all, n = operations that the generator did not start, status = whether
	// the system was deployed for it.
	{StageFind, KindTrial}: spec(cols(colGroup, colLevel, colN, colStart, colService, colStatus),
		cols(colLevel, colN, colStart, colService)),
	// One per trial: level = its number, value = processors that the program used in it.
	{StageFind, KindProcessors}: spec(cols(colLevel), cols(colLevel)),
	// One per objective, before the first trial: group = as it was written, value =
	// its limit, in ns or as a share, host = its number.
	{StageFind, KindObjective}: spec(cols(colGroup, colHost), cols(colGroup)),
	// A bound of what was measured: group = its name, see GivenCores and those after it.
	{StageCapacity, KindGiven}: spec(cols(colGroup), cols(colGroup)),
	// One per rate and delay, counted in virtual time: group = operations that were
	// offered, n = how many of each a second, service_ns = how long a datagram takes,
	// value = datagrams a second, and receivers of the pool that are busy at a time.
	{StageCapacity, KindWork}: spec(capacityNeed, capacityNeed),
	{StageCapacity, KindBusy}: spec(capacityNeed, capacityNeed),
	// One per round: seed = the round, value = ns of processor time for a datagram, in
	// machines and in the driver, and for an operation, in the generator, n = how many
	// there were, start_ns = how long that took, service_ns = processor time.
	{StageCapacity, KindMachine}:  spec(capacityRound, capacityRound),
	{StageCapacity, KindCarry}:    spec(capacityRound|cols(colStart), capacityRound|cols(colStart)),
	{StageCapacity, KindGenerate}: spec(capacityRound, capacityRound),
	// What a search has found elsewhere: group = end of the interval, value = joins per
	// second, status = whether both ends are confirmed.
	{StageCapacity, KindFound}: spec(cols(colGroup, colStatus), cols(colGroup, colStatus)),
	// A named counter: group = its name.
	{"", KindCount}: {cols(colSeed, colGroup, colValue), cols(colGroup, colValue), true},
	// Group = what the packets are for, level = packets that the source sent a second,
	// n = receivers, start_ns = for how long was counted, value = packets, or bytes of
	// these, that nodes and hosts received.
	{StageTraffic, KindPackets}: spec(trafficNeed, trafficNeed),
	{StageTraffic, KindBytes}:   spec(trafficNeed, trafficNeed),
	// How platform and runtime behaved while load was offered: group = what, n = how
	// often it was looked at, value in ns, or a share or number of what n counts.
	{"", KindHealth}: spec(cols(colGroup, colN), cols(colGroup)),
	// One a second of it: n = sleeps of a millisecond that ended in that second, value
	// = how late the latest did, in ns, start_ns = begin of the second.
	{"", KindHiccup}: spec(cols(colN, colStart), cols(colN, colStart)),
	// A finished run: group = its key, value = seconds of wall clock that it took.
	{"", KindRun}: spec(cols(colSeed, colGroup), cols(colGroup)),
	// The trace of a run: group = its key, status = first 16 hex digits of the
	// hash of its trace.
	{"", KindTrace}: {cols(colSeed, colGroup, colStatus), cols(colGroup, colStatus), false},

	// One per bucket of subtree sizes, for the largest group: n = receivers under
	// the trigger, host = triggers in the bucket, value = refreshes per trigger and
	// T, mean, service_ns = vulnerability that was measured (0: unknown).
	{StageRefresh, KindRefreshSize}: spec(cols(colSeed, colGroup, colHost, colN, colService),
		cols(colSeed, colGroup, colHost, colN)),
	// A bin of a distribution, for 1,024 receivers: n = repairs in it, value = its
	// upper end in ns from detection to repair.
	{StageRecovery, KindRepairTime}: spec(cols(colSeed, colGroup, colN), cols(colSeed, colGroup, colN)),
	// Per seed, group and size: host = receivers in the group, n = packets owed to
	// all of them, value = delivered exactly once after repair.
	{StageRecovery, KindDelivered}: spec(cols(colSeed, colGroup, colHost, colN), cols(colSeed, colGroup, colHost, colN)),

	// Group = world. Per seed: value = depth of the tree. Per receiver: level = its
	// level, host = its number, value = distance queries it processed.
	{StageMatch, KindDepth}: spec(cols(colSeed, colGroup), cols(colSeed, colGroup)),
	{StageMatch, KindLevel}: spec(cols(colSeed, colGroup, colHost, colLevel), cols(colSeed, colGroup, colLevel)),

	// One per round: seed = the round, group = who was measured, n = identifiers in
	// the table, level = percent of look-ups that hit, value = ns a look-up,
	// start_ns = for how long it was measured, service_ns = for how much of that the
	// program had a processor (0: unknown), status = busy if that was too little.
	{StageMicro, KindLookup}: spec(cols(colSeed, colGroup, colLevel, colN, colStart, colService, colStatus),
		cols(colGroup, colLevel, colN, colStatus)),
	// The same of another run, from the file that the user named.
	{StageMicro, KindLookupElsewhere}: spec(cols(colSeed, colGroup, colLevel, colN, colStatus),
		cols(colGroup, colLevel, colN, colStatus)),

	// One per round: seed = the round, group = who delivered, n = receivers, level =
	// bytes of payload, value = copies that arrived for a second of the sender's
	// processor time, start_ns = for how long it was measured, service_ns = for how
	// much of that the sender had a processor.
	{StageCopies, KindCopies}: spec(cols(colSeed, colGroup, colLevel, colN, colStart, colService), copiesNeed),
	// The same of another run, from a file that the user named, and copies that were
	// sent to a device that drops them.
	{StageCopies, KindCopiesElsewhere}: spec(copiesNeed, copiesNeed),
	{StageCopies, KindCopiesSent}:      spec(copiesNeed, copiesNeed),

	// Members of a group held on sockets. n = members in the tree, value = joins a second since the one before,
	// service_ns = CPU of the members' process for each, level = of those that joined last, rounded.
	{StageHold, KindJoin}: spec(cols(colSeed, colN, colLevel, colService), cols(colN, colLevel, colService)),
	// n = members, value = bytes in use for each; refreshes per trigger and T; seconds held; peak of their process.
	{StageHold, KindBytesPerReceiver}: spec(cols(colSeed, colN), cols(colN)),
	{StageHold, KindRefreshMean}:      spec(cols(colSeed, colN), cols(colN)),
	{StageHold, KindWallSeconds}:      spec(cols(colSeed, colN), cols(colN)),
	{StageHold, KindPeakBytes}:        spec(cols(colSeed, colN), cols(colN)),
	{StageHold, KindDelivered}:        spec(cols(colSeed, colGroup, colN), cols(colGroup, colN)),

	// Group = name of the run, n = packets owed, value = delivered exactly once.
	{StageScale, KindDelivered}: spec(cols(colSeed, colGroup, colN), cols(colGroup, colN)),
})

// The needs of the kinds of the capacity.
var (
	capacityNeed  = cols(colGroup, colN, colService)
	capacityRound = cols(colSeed, colN, colService)
)

// nodesNeed is what a figure of the nodes of a group says of itself: n = receivers in the group, host = nodes.
var nodesNeed = cols(colSeed, colGroup, colHost, colN)

// nodesKinds are the figures of [StageNodes]: levels of receivers, mean; share of the ways from an identifier to one
// below it that do not leave a node; copies of the busiest node over the mean; triggers for each receiver; at rest, for
// each receiver and second, packets with requests that nodes receive, and copies that they make; packets and copies for
// a receiver that joins and leaves.
var nodesKinds = []string{
	KindDepthMean, KindLocal, KindHottest, KindTriggers, KindRestRequests, KindRestCopies, KindJoinPackets,
}

// findOpNeed is what every operation of a trial says of itself.
var findOpNeed = cols(colLevel, colStart, colService, colStatus)

// trafficNeed is what every sum of packets says of itself.
var trafficNeed = cols(colSeed, colGroup, colLevel, colN, colStart)

// copiesNeed is what every measurement of copies says of itself.
var copiesNeed = cols(colSeed, colGroup, colLevel, colN)

// sizeKinds are the figures of which there is one per seed, group and group
// size: n = receivers in the group. The group of a tree is "variant/net": the way
// to build and maintain it, and the instance of the topology with its reading of
// the latencies. In the stages about refreshes and repairs a scheme stands before
// it, "scheme/variant/net"; in [StageScale] it is the name of the run.
var sizeKinds = []struct {
	stage string
	kinds []string
}{
	// Ratios of latencies over receivers; copies of a packet over a directed link,
	// the percentile over the links that carried any, and the most over a link in
	// both directions together; levels; distance queries processed per join, mean
	// over the joins since the size before; receivers on the source's place, which
	// have no ratio; receivers that did not get the measuring packet.
	{StageTree, []string{
		KindRAD, KindRMD, KindStretchP50, KindStretchP90, KindStretchP99,
		KindStressMax, KindStressP99, KindStressUndirected, KindDepthMax, KindDepthMean, KindJoinQueries,
		KindColocated, KindUnreached,
	}},
	// Refreshes per trigger and T: mean and largest over the triggers of the tree.
	{StageRefresh, []string{KindRefreshMean, KindRefreshMax}},
	// Duplicates and requests per packet lost; the largest over hosts of requests
	// received per packet sent; share of repairs within 600 ms; longest repair in
	// ns; share of packets lost, mean over receivers.
	{StageRecovery, []string{KindDupPerLoss, KindReqPerLoss, KindReqMax, KindWithin600, KindRepairMax, KindLossRate}},
	// Cost of a run of the simulator.
	{StageScale, []string{
		KindEvents, KindEventsPerSecond, KindWallSeconds, KindSimSeconds, KindPeakBytes,
		KindBytesPerReceiver, KindThreads,
	}},
}

// withKinds adds the kinds of loadOps and sizeKinds.
func withKinds(all map[kindKey]kindSpec) map[kindKey]kindSpec {
	for _, k := range loadOps {
		all[kindKey{StageLoad, k.op}] = spec(cols(colStart, colService, colStatus), cols(colStart, colService, colStatus))
	}
	for _, kind := range nodesKinds {
		all[kindKey{StageNodes, kind}] = spec(nodesNeed, nodesNeed)
	}
	for _, stage := range sizeKinds {
		for _, kind := range stage.kinds {
			all[kindKey{stage.stage, kind}] = spec(cols(colSeed, colGroup, colN), cols(colSeed, colGroup, colN))
		}
	}
	return all
}

// spec is a kind whose value is needed and not negative.
func spec(has, needed columns) kindSpec {
	return kindSpec{has | cols(colValue), needed | cols(colValue), false}
}

// lookupKind returns the columns of a kind.
func lookupKind(stage, kind string) (kindSpec, bool) {
	s, ok := kinds[kindKey{stage, kind}]
	if !ok && stage != "" {
		s, ok = kinds[kindKey{"", kind}]
	}
	return s, ok
}
