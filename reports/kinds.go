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
	StageCluster = "cluster"
	StageWAN     = "wan"
	StageLoad    = "load"
	StageDeliver = "deliver"
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
	KindDelivered  = "delivered"
	KindOffered    = "offered"
	KindLate       = "late"
	KindCount      = "count"
)

// Values of Sample.Status.
const (
	StatusOK      = "ok"
	StatusTimeout = "timeout"
	StatusError   = "error"
	StatusMissing = "missing"
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

var kinds = map[kindKey]kindSpec{
	// n = receivers in the group, value = depth of its tree for this seed.
	{StageCluster, KindDepth}: spec(cols(colSeed, colN), cols(colSeed, colN)),
	// One per receiver at n = 64: level, value = distance queries it processed.
	{StageCluster, KindQueries}: spec(cols(colSeed, colHost, colLevel, colN), cols(colSeed, colLevel)),
	// value = latency of the join in ns, n = messages it sent.
	{StageCluster, KindJoin}: spec(cols(colSeed, colHost, colLevel, colN), cols(colN)),
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
	// One per operation: start_ns = intended time, value = latency from it,
	// service_ns = latency from the actual start.
	{StageLoad, KindJoin}:   spec(cols(colStart, colService, colStatus), cols(colStart, colService, colStatus)),
	{StageLoad, KindRepair}: spec(cols(colStart, colService, colStatus), cols(colStart, colService, colStatus)),
	// One a second and operation: group = operation, n = offered in that
	// second, value = completed in it, start_ns = begin of the second.
	{StageLoad, KindOffered}: spec(cols(colGroup, colN, colStart), cols(colGroup, colN)),
	// Per operation: value = actual start - intended, in ns.
	{StageLoad, KindLate}: {cols(colGroup, colStart, colValue), cols(colValue), true},
	// A named counter: group = its name.
	{"", KindCount}: {cols(colSeed, colGroup, colValue), cols(colGroup, colValue), true},
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
