package multicast_test

import (
	"encoding/binary"
	"testing"

	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// BenchmarkKey is what a receiver takes for a packet of 1,200 bytes that came down the tree, all told, without a key
// and with one.
func BenchmarkKey(b *testing.B) {
	for name, key := range map[string][32]byte{"none": {}, "key": groupKey} {
		b.Run(name, func(b *testing.B) {
			room := newBed(b, setup{seed: 5, group: multicast.Config{Key: key, Cache: 64}})
			r := room.grow(1)[0]
			r.bed = &bed{tb: &quiet{TB: b}}
			const n = 1024 // so many packets are sealed beforehand, and then again
			out, batch := machine.NewOutbox(0, 0, 0), make([]machine.Datagram, 1)
			wires := make([][]byte, n)
			for b.Loop() {
				b.StopTimer()
				for i := range wires {
					wires[i] = packetFor(r, key, r.Machine.Highest()+1+uint64(i), room.world.Now())
				}
				b.StartTimer()
				for _, w := range wires {
					batch[0] = machine.Datagram{From: r.Endpoint.Addr(), Bytes: w}
					r.Machine.Receive(room.world.Now(), batch, out)
					out.Reset()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/packet")
		})
	}
}

// packetFor returns a data packet of the group as it comes to a receiver.
func packetFor(r *receiver, key [32]byte, seq uint64, now machine.Time) []byte {
	p := i3.Packet{Kind: i3.KindData, HopLimit: 1, ID: r.own()}
	m := multicast.Message{Type: multicast.TypeData, Seq: seq, Time: int64(now)}.AppendTo(nil)
	m = binary.BigEndian.AppendUint64(m, seq)
	m = append(m, make([]byte, 1192)...)
	if key != [32]byte{} {
		m = multicast.Seal(key, r.Machine.Chain()[0], p, m)
	}
	p.Length = uint16(len(m))
	return append(p.AppendTo(nil), m...)
}
