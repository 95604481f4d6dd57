package experiments

import (
	"time"

	"i3bench/cluster"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/i3/node"
	"i3bench/internal/cputime"
	"i3bench/testbed"
)

// A FieldConfig says what nodes and what source are deployed for members of other processes.
type FieldConfig struct {
	Nodes, Degree int
	PerSecond     float64 // packets that the source sends per second
	Size          int     // bytes of a packet
	Seed          uint64
	Lifetime      time.Duration // T; default 30 s
	// Search is the policy of the group's receivers, who must have the same.
	Search multicast.SearchPolicy
}

// group is the configuration of the group's members, here and elsewhere. The source is quiet between its
// packets: each heartbeat goes to all members.
func (c FieldConfig) group() multicast.Config {
	g := multicast.Config{Search: c.Search, Cache: 64, HeartbeatMin: quietBeat, HeartbeatMax: quietBeat}
	g.Host.Lifetime, g.Host.Rest, g.Host.Retry = machine.Duration(c.Lifetime), restTenths,
		max(host.DefaultRetry, machine.Duration(c.Lifetime)/patience)
	return g
}

// restTenths is after how many tenths of T members refresh what nobody else can: most of what they send.
const restTenths = 7

// patience is the part of T that a member waits for a node's answer before it asks again: a packet to 100,000 members
// keeps two cores busy for a second, in which no answer comes, and each request that is sent again is a refresh more.
const patience = 20

// quietBeat is how far apart the heartbeats of a field's source are.
const quietBeat = 30 * machine.Second

// FieldCounts is what the nodes and the source of a field have done so far.
type FieldCounts struct {
	Triggers  int           // in the nodes' tables now
	Inserted  uint64        // new triggers
	Refreshed uint64        // insertions of triggers that were there
	Expired   uint64        // triggers that nobody refreshed in time
	Packets   uint64        // number of the source's last packet
	Datagrams uint64        // sent by nodes and source
	CPU       time.Duration // of the process
}

// A Field is nodes and a source on real sockets for members that live elsewhere.
type Field struct {
	world *cluster.World
	bed   *testbed.Bed
	stop  func()
}

// NewField deploys nodes and source, which sends until the field is closed.
func NewField(c FieldConfig) (*Field, error) {
	f := &Field{world: cluster.New(cluster.Config{Seed: c.Seed, SocketBuffer: manyHosts})}
	bed, err := testbed.New(testbed.Config{
		Open: udpWorld{f.world}.Open, Seed: c.Seed, Nodes: c.Nodes, Degree: c.Degree, Pushback: true, Group: c.group(),
	})
	if err != nil {
		return nil, err
	}
	f.bed = bed
	f.stop = sendUntil(newStream(udpWorld{f.world}, bed.Source(), c.Size, c.PerSecond))
	return f, nil
}

// Ground returns what members must know.
func (f *Field) Ground() testbed.Ground { return f.bed.Ground() }

// Counts returns what has been done so far.
func (f *Field) Counts() (c FieldCounts, err error) {
	var sum node.Counters
	for _, n := range f.bed.Nodes() {
		n.Endpoint.Do(func(machine.Time, *machine.Outbox) {
			k := n.Machine.Counters()
			c.Triggers += n.Machine.Triggers()
			sum.Inserted += k.Inserted
			sum.Refreshed += k.Refreshed
			sum.Expired += k.Expired
		})
	}
	source := f.bed.Source()
	source.Endpoint.Do(func(machine.Time, *machine.Outbox) { c.Packets = source.Machine.Highest() })
	c.Inserted, c.Refreshed, c.Expired = sum.Inserted, sum.Refreshed, sum.Expired
	c.Datagrams, c.CPU = f.world.Counters().Sent, cputime.Now()
	return c, nil
}

// Close ends source and nodes.
func (f *Field) Close() error {
	f.stop()
	return f.bed.Close()
}
