package cluster_test

import (
	"fmt"
	"testing"

	"i3bench/cluster"
	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/deliver"
)

// roles are the processes that deliver.
var roles = map[string]deliver.Role{"node": nodeRole, "asked": askedRole}

// The group that the node delivers to, and its secret.
var (
	groupID    = i3.NewID(1<<60, i3.Key{1}, 0)
	nodeSecret = [32]byte{1}
)

// nodeRole is an i3 node with a trigger to each receiver.
func nodeRole(t *deliver.Task) error {
	s, err := serve(t, cluster.Config{Shards: 1, Form: forms[t.Arg]})
	if err != nil {
		return err
	}
	defer s.ep.Close()
	t.Ready(s.ep.Addr().String())
	t.Wait()
	var c node.Counters
	s.ep.Do(func(machine.Time, *machine.Outbox) { c = s.node.Counters() })
	if c.DropBudget+c.DropOutbox+c.DropMalformed+c.DropNoMatch > 0 {
		return fmt.Errorf("the node dropped: %+v, %+v", c, s.world.Counters())
	}
	return nil
}

// forms are those that the node sends in.
var forms = map[string]cluster.Form{"trains": cluster.Trains, "shared": cluster.Shared, "single": cluster.Single}

// insertTargets inserts a trigger to each receiver.
func insertTargets(n *node.Node, now machine.Time, t *deliver.Task) {
	cookies, out := i3.NewCookies(nodeSecret), machine.NewOutbox(0, 0, 0)
	epoch := uint32(now / machine.Time(60*machine.Second))
	for _, to := range t.To {
		trigger := i3.Trigger{ID: groupID, Target: i3.ToHost(to, i3.RightKey(groupID))}
		in := i3.Insert{Trigger: trigger, Nonce: cookies.Nonce(epoch, trigger)}
		p := i3.Packet{Kind: i3.KindInsert, HopLimit: 1, Length: i3.EntrySize, ID: groupID}
		n.Receive(now, []machine.Datagram{{From: to, Bytes: in.AppendTo(p.AppendTo(nil))}}, out)
		out.Reset()
	}
}

// fillPacket makes a data packet to the group.
func fillPacket(packet []byte, number uint64) {
	p := i3.Packet{
		Kind: i3.KindData, HopLimit: i3.DefaultHopLimit, Length: uint16(len(packet) - i3.HeaderSize), ID: groupID,
	}
	p.AppendTo(packet[:0])
	deliver.Stamp(packet, number)
}

// countPackets counts the packets of a datagram.
func countPackets(datagram []byte) (packets int, sum uint64) {
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

// BenchmarkDelivery is a node between a source and receivers on loopback: what reaches them for a second of the node's
// processor time. Sizes are of payloads; receivers with gro take whole trains from the kernel. Its peers are in
// replicate/peer.
func BenchmarkDelivery(b *testing.B) {
	for _, c := range []struct {
		form string
		gro  bool
	}{{"trains", true}, {"trains", false}, {"shared", false}, {"single", false}} {
		for _, fan := range []int{1, 8, 64, 1024} {
			for _, size := range []int{64, 512, 1200} {
				b.Run(fmt.Sprintf("what=node/form=%s/gro=%v/fan=%d/size=%d", c.form, c.gro, fan, size), func(b *testing.B) {
					benchDelivery(b, c.form, c.gro, fan, size)
				})
			}
		}
	}
}

func benchDelivery(b *testing.B, form string, gro bool, fan, size int) {
	deliver.Benchmark(b, deliver.Setup{
		Sender: "node", Arg: form, Fan: fan, Size: i3.HeaderSize + size, Trains: gro,
		Count: countPackets, Local: deliver.Feed(fillPacket),
	})
}
