package cluster_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"

	"i3bench/cluster"
	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/deliver"
)

// A served is a node with a trigger to each receiver of a task.
type served struct {
	world *cluster.World
	ep    *cluster.Endpoint
	node  *node.Node
}

// serve starts the node of a task; its endpoint is to be closed.
func serve(t *deliver.Task, cfg cluster.Config) (*served, error) {
	s := &served{world: cluster.New(cfg)}
	var err error
	if s.ep, err = s.world.Open(); err != nil {
		return nil, err
	}
	ring, err := chord.NewFixed([]chord.Place{{Prefix: 1, Addr: s.ep.Addr()}})
	if err != nil {
		return nil, err
	}
	owned, _ := ring.RangeOf(s.ep.Addr())
	s.node, err = node.New(node.Config{
		Self: s.ep.Addr(), Range: owned, Ring: ring, Secret: nodeSecret, MaxPerID: max(t.Fan, node.DefaultMaxPerID),
		Lifetime: 10 * 60 * machine.Second, // nobody refreshes them
	})
	if err != nil {
		return nil, err
	}
	insertTargets(s.node, s.world.Now(), t)
	if s.node.Triggers() != t.Fan {
		return nil, fmt.Errorf("%d triggers for %d receivers: %+v", s.node.Triggers(), t.Fan, s.node.Counters())
	}
	s.ep.Start(s.node)
	return s, nil
}

// A report is what a node that is asked says of itself.
type report struct {
	World cluster.Counters
	Node  node.Counters
	Sys   uint64 // bytes that Go's runtime has from the system
}

// askedRole is a node that says what it has done whenever a datagram asks for it. Its argument is the size of socket
// buffers, 0 for the default. Where it is are two addresses: the node's and the one to ask.
func askedRole(t *deliver.Task) error {
	buffer, err := strconv.Atoi(t.Arg)
	if err != nil {
		return err
	}
	s, err := serve(t, cluster.Config{Shards: 1, SocketBuffer: buffer})
	if err != nil {
		return err
	}
	defer s.ep.Close()
	desk, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.answer(desk)
	}()
	t.Ready(s.ep.Addr().String() + " " + desk.LocalAddr().String())
	t.Wait()
	err = desk.Close()
	<-done
	return err
}

// answer answers until the connection is closed.
func (s *served) answer(desk *net.UDPConn) {
	var question [8]byte
	for {
		_, from, err := desk.ReadFromUDPAddrPort(question[:])
		if err != nil {
			return
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		r := report{World: s.world.Counters(), Sys: memory.Sys}
		s.ep.Do(func(machine.Time, *machine.Outbox) { r.Node = s.node.Counters() })
		text, err := json.Marshal(r)
		if err != nil {
			return
		}
		_, _ = desk.WriteToUDPAddrPort(text, from) // who asked asks again
	}
}

// places returns the addresses of a node that can be asked: its own and where to ask.
func places(where string) (itself, desk netip.AddrPort, err error) {
	a, b, _ := strings.Cut(where, " ")
	if itself, err = netip.ParseAddrPort(a); err != nil {
		return itself, desk, err
	}
	desk, err = netip.ParseAddrPort(b)
	return itself, desk, err
}

// ask asks a node what it has done. Under load it may take its time.
func ask(desk netip.AddrPort) (r report, err error) {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(desk))
	if err != nil {
		return r, err
	}
	defer conn.Close()
	answer := make([]byte, 4<<10)
	if err = conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return r, err
	}
	if _, err = conn.Write([]byte("?")); err != nil {
		return r, err
	}
	n, err := conn.Read(answer)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(answer[:n], &r)
}
