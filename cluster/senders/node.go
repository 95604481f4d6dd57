package senders

import (
	"fmt"
	"net/netip"

	"i3bench/cluster"
	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/deliver"
)

// Group is the identifier that a node delivers to its receivers, and Secret that of its cookies.
var (
	Group  = i3.NewID(1<<60, i3.Key{1}, 0)
	Secret = [32]byte{1}
)

// A Served is a node with a trigger to each receiver of a task.
type Served struct {
	World    *cluster.World
	Endpoint *cluster.Endpoint
	Node     *node.Node
}

// Serve starts the node of a task; its endpoint is to be closed.
func Serve(t *deliver.Task, cfg cluster.Config) (*Served, error) {
	s := &Served{World: cluster.New(cfg)}
	var err error
	if s.Endpoint, err = s.World.Open(); err != nil {
		return nil, err
	}
	ring, err := chord.NewFixed([]chord.Place{{Prefix: 1, Addr: s.Endpoint.Addr()}})
	if err != nil {
		return nil, err
	}
	owned, _ := ring.RangeOf(s.Endpoint.Addr())
	s.Node, err = node.New(node.Config{
		Self: s.Endpoint.Addr(), Range: owned, Ring: ring, Secret: Secret, MaxPerID: max(t.Fan, node.DefaultMaxPerID),
		Lifetime: 10 * 60 * machine.Second, // nobody refreshes them
		Limits:   node.Unlimited(),
	})
	if err != nil {
		return nil, err
	}
	Insert(s.Node, s.World.Now(), t.To)
	if s.Node.Triggers() != t.Fan {
		return nil, fmt.Errorf("%d triggers for %d receivers: %+v", s.Node.Triggers(), t.Fan, s.Node.Counters())
	}
	s.Endpoint.Start(s.Node)
	return s, nil
}

// Insert inserts a trigger of the group to each address into a node whose secret is [Secret].
func Insert(n *node.Node, now machine.Time, receivers []netip.AddrPort) {
	cookies, out := i3.NewCookies(Secret), machine.NewOutbox(0, 0, 0)
	epoch := uint32(now / machine.Time(60*machine.Second))
	for _, to := range receivers {
		trigger := i3.Trigger{ID: Group, Target: i3.ToHost(to, i3.RightKey(Group))}
		in := i3.Insert{Trigger: trigger, Nonce: cookies.Nonce(epoch, trigger)}
		p := i3.Packet{Kind: i3.KindInsert, HopLimit: 1, Length: i3.EntrySize, ID: Group}
		n.Receive(now, []machine.Datagram{{From: to, Bytes: in.AppendTo(p.AppendTo(nil))}}, out)
		out.Reset()
	}
}

// Fill makes the data packet of a number, to the group.
func Fill(packet []byte, number uint64) {
	p := i3.Packet{
		Kind: i3.KindData, HopLimit: i3.DefaultHopLimit, Length: uint16(len(packet) - i3.HeaderSize), ID: Group,
	}
	p.AppendTo(packet[:0])
	deliver.Stamp(packet, number)
}

// Count counts the packets of a datagram: it is a [deliver.Counter].
func Count(datagram []byte) (packets int, sum uint64) {
	for len(datagram) > 0 {
		_, wire, rest, err := i3.Next(datagram)
		if err != nil {
			return 0, 0
		}
		if wire == nil {
			break // padding
		}
		sum += deliver.Number(wire)
		packets, datagram = packets+1, rest
	}
	return packets, sum
}

// forms are those that a node sends in.
var forms = map[string]cluster.Form{"trains": cluster.Trains, "shared": cluster.Shared, "single": cluster.Single}

// nodeRole is the role of an i3 node with a trigger to each receiver, on one core.
func nodeRole(t *deliver.Task) error {
	s, err := Serve(t, cluster.Config{Shards: 1, Form: forms[t.Arg]})
	if err != nil {
		return err
	}
	defer s.Endpoint.Close()
	t.Ready(s.Endpoint.Addr().String())
	t.Wait()
	var c node.Counters
	s.Endpoint.Do(func(machine.Time, *machine.Outbox) { c = s.Node.Counters() })
	if c.DropBudget+c.DropOutbox+c.DropMalformed+c.DropNoMatch > 0 {
		return fmt.Errorf("the node dropped: %+v, %+v", c, s.World.Counters())
	}
	return nil
}
