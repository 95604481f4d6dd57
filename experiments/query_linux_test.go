package experiments

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"i3bench/cluster"
	"i3bench/i3"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/testbed"
)

// asker sends distance queries to a member's socket and takes the replies.
type asker struct {
	conn    *ipv4.PacketConn
	queries []ipv4.Message
	replies []ipv4.Message
}

// newAsker makes batches of queries that come as from the member's node: to a set that it belongs to.
func newAsker(tb testing.TB, set i3.ID, to netip.AddrPort, batch int) *asker {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	a := &asker{conn: ipv4.NewPacketConn(c)}
	body := i3.AppendAddr(multicast.Message{Type: multicast.TypeQuery, Seq: 1}.AppendTo(nil),
		c.LocalAddr().(*net.UDPAddr).AddrPort())
	body = append(body, make([]byte, 24+48-len(body))...) // of a message's header and a query's body
	wire := i3.Packet{Kind: i3.KindData, ID: set, HopLimit: 1, Length: uint16(len(body))}.AppendTo(nil)
	wire = append(wire, body...)
	for range batch {
		a.queries = append(a.queries, ipv4.Message{Buffers: [][]byte{wire}, Addr: net.UDPAddrFromAddrPort(to)})
		a.replies = append(a.replies, ipv4.Message{Buffers: [][]byte{make([]byte, 2048)}})
	}
	return a
}

// ask sends a batch and waits for the replies.
func (a *asker) ask() error {
	for sent := 0; sent < len(a.queries); {
		n, err := a.conn.WriteBatch(a.queries[sent:], 0)
		if err != nil {
			return err
		}
		sent += n
	}
	a.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	for got := 0; got < len(a.queries); {
		n, err := a.conn.ReadBatch(a.replies, 0)
		if err != nil {
			return fmt.Errorf("after %d of %d replies: %w", got, len(a.queries), err)
		}
		for _, d := range a.replies[:n] {
			k, err := countReplies(d.Buffers[0][:d.N])
			if err != nil {
				return err
			}
			got += k
		}
	}
	return nil
}

// countReplies returns how many replies a datagram bundles.
func countReplies(b []byte) (n int, err error) {
	for len(b) > 0 {
		_, wire, rest, err := i3.Next(b)
		if err != nil {
			return n, err
		}
		if wire == nil {
			break // padding
		}
		m, _, err := multicast.ParseMessage(i3.Payload(wire))
		if err != nil || m.Type != multicast.TypeReply {
			return n, fmt.Errorf("%v, %w: want a reply", m.Type, err)
		}
		b = rest
		n++
	}
	return n, nil
}

// cpu returns the processor time of the process, or of the calling thread.
func cpu(tb testing.TB, who int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkQuery measures what a distance query costs a member on real sockets, all of it: reading, answering,
// sending, and the kernel's part. The asker's thread is not counted. The paper's took 200 us (section 7.1).
func BenchmarkQuery(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			a := newAskerOfMember(b, batch)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			all, own := cpu(b, unix.RUSAGE_SELF), cpu(b, unix.RUSAGE_THREAD)
			n := 0
			for b.Loop() {
				if err := a.ask(); err != nil {
					b.Fatal(err)
				}
				n += batch
			}
			member := cpu(b, unix.RUSAGE_SELF) - all - (cpu(b, unix.RUSAGE_THREAD) - own)
			b.ReportMetric(member.Seconds()*1e6/float64(n), "cpu-us/query")
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "queries/s")
		})
	}
}

// newAskerOfMember deploys a group of one member and returns who asks it.
func newAskerOfMember(tb testing.TB, batch int) *asker {
	w := cluster.New(cluster.Config{Seed: 1})
	bed, err := testbed.New(testbed.Config{Open: udpWorld{w}.Open, Seed: 1, Nodes: 2, Degree: 4})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { bed.Close() })
	r, err := bed.AddReceiver(0, multicast.Events{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Endpoint.Close() })
	r.Join()
	settled := func() (ok bool) {
		r.Endpoint.Do(func(machine.Time, *machine.Outbox) { ok = r.Machine.Settled() })
		return ok
	}
	if !waitUntil(tb.Context(), udpWorld{w}, 5*time.Second, settled) {
		tb.Fatal("the member did not join")
	}
	return newAsker(tb, multicast.JoinSet(bed.Group()), r.Endpoint.Addr(), batch)
}

// A member answers every query of a batch, each with a reply that is no longer.
func TestQueryBatch(t *testing.T) {
	a := newAskerOfMember(t, 32)
	for range 10 {
		if err := a.ask(); err != nil {
			t.Fatal(err)
		}
	}
}
