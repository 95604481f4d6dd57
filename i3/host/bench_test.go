package host_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"i3bench/i3"
	"i3bench/i3/host"
	"i3bench/i3/machine"
)

// A quiet handler does nothing.
type quiet struct{ delivered int }

func (q *quiet) Acked(machine.Time, i3.Ack, *machine.Outbox)      {}
func (q *quiet) Failed(machine.Time, i3.Trigger, *machine.Outbox) {}
func (q *quiet) Deliver(_ machine.Time, _ netip.AddrPort, _ i3.Packet, _ []byte, _ *machine.Outbox) {
	q.delivered++
}

// busy returns a host that asks for so many triggers, the flow of the last, and where its answers go.
func busy(f failer, tasks int) (*host.Host, uint32, *machine.Outbox) {
	h, err := host.New(config(), new(quiet))
	if err != nil {
		f.Fatalf("%v", err)
	}
	out := machine.NewOutbox(0, 0, 0)
	for n := range uint64(tasks) {
		h.Maintain(start, own(n), out)
	}
	out.Reset()
	return h, uint32(tasks), out
}

// BenchmarkChallenge answers challenges for the last of a host's triggers, each with a nonce that is new.
func BenchmarkChallenge(b *testing.B) {
	for _, tasks := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("triggers=%d", tasks), func(b *testing.B) {
			h, flow, out := busy(b, tasks)
			ch := packet(i3.KindChallenge, flow, i3.Challenge{Trigger: own(uint64(tasks - 1))})
			nonce := ch[i3.HeaderSize+i3.TriggerSize:]
			batch := []machine.Datagram{{From: near, Bytes: ch}}
			n := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				n++
				binary.BigEndian.PutUint64(nonce, n)
				h.Receive(start, batch, out)
				out.Reset()
			}
			if got := h.Counters().Challenges; got != n {
				b.Fatalf("%d answered of %d", got, n)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "challenges/s")
		})
	}
}

// BenchmarkRefresh sends a host's refreshes as they come due and takes the answers.
func BenchmarkRefresh(b *testing.B) {
	for _, tasks := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("triggers=%d", tasks), func(b *testing.B) {
			h, _, out := busy(b, tasks)
			var acks []machine.Datagram
			for n := range uint64(tasks) {
				acks = append(acks, machine.Datagram{From: near, Bytes: packet(i3.KindAck, uint32(n+1),
					i3.Ack{Trigger: own(n), Status: i3.StatusRefreshed})})
			}
			h.Receive(start, acks, out)
			now, before := start, h.Counters().Requests
			for b.Loop() {
				now = h.Deadline()
				h.Expire(now, out)
				for i := range out.Sends() {
					_, wire, _, _ := i3.Next(out.Sends()[i].Bytes)
					flow := binary.BigEndian.Uint32(wire[i3.HeaderSize-4:])
					h.Receive(now, acks[flow-1:flow], out)
				}
				out.Reset()
			}
			sent := float64(h.Counters().Requests - before)
			b.ReportMetric(sent/b.Elapsed().Seconds(), "refreshes/s")
		})
	}
}

// BenchmarkDeliver hands data packets to a handler that does nothing.
func BenchmarkDeliver(b *testing.B) {
	h, _, out := busy(b, 16)
	batch := make([]machine.Datagram, 64)
	for i := range batch {
		p := i3.Packet{Kind: i3.KindData, HopLimit: 1, Length: 1200, ID: id(1)}
		batch[i] = machine.Datagram{From: near, Bytes: append(p.AppendTo(nil), make([]byte, 1200)...)}
	}
	for b.Loop() {
		h.Receive(start, batch, out)
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "packets/s")
}

// What a host does all the time allocates nothing: it receives data, answers challenges, takes acknowledgements,
// refreshes and sends.
func TestDoesNotAllocate(t *testing.T) {
	h, flow, out := busy(t, 8)
	h.Receive(start, []machine.Datagram{{From: near, Bytes: packet(i3.KindAck, 1,
		i3.Ack{Trigger: own(0), Status: i3.StatusInserted})}}, out)
	ch := packet(i3.KindChallenge, flow, i3.Challenge{Trigger: own(7)})
	data := append(i3.Packet{Kind: i3.KindData, Length: 5, ID: id(1)}.AppendTo(nil), "hello"...)
	batch := func(b []byte) []machine.Datagram { return []machine.Datagram{{From: near, Bytes: b}} }
	challenge, deliver, junk := batch(ch), batch(data), batch([]byte("this is no packet of any kind we know"))
	now, n, payload := start, byte(0), make([]byte, 1000)
	refreshed := batch(packet(i3.KindAck, 1, i3.Ack{Trigger: own(0), Status: i3.StatusRefreshed}))
	for name, f := range map[string]func(){
		"data":      func() { h.Receive(now, deliver, out) },
		"malformed": func() { h.Receive(now, junk, out) },
		"challenge": func() {
			n++
			ch[i3.HeaderSize+i3.TriggerSize+1] = n
			h.Receive(now, challenge, out)
		},
		"refresh": func() {
			now = now.Add(machine.Second)
			h.Expire(now, out)
			h.Receive(now, refreshed, out)
		},
		"send":   func() { h.Send(id(1), payload, out) },
		"direct": func() { h.Direct(stranger, id(1), payload, out) },
	} {
		before := h.Counters()
		if allocs := testing.AllocsPerRun(100, func() { f(); out.Reset() }); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
		if name != "send" && name != "direct" && h.Counters() == before {
			t.Errorf("%s: nothing was done", name)
		}
	}
}

var _ machine.Machine = (*host.Host)(nil)
