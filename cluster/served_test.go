package cluster_test

import (
	"encoding/json"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"

	"i3bench/cluster"
	"i3bench/cluster/senders"
	"i3bench/i3/machine"
	"i3bench/i3/node"
	"i3bench/internal/deliver"
)

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
	s, err := senders.Serve(t, cluster.Config{Shards: 1, SocketBuffer: buffer})
	if err != nil {
		return err
	}
	defer s.Endpoint.Close()
	desk, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		answer(s, desk)
	}()
	t.Ready(s.Endpoint.Addr().String() + " " + desk.LocalAddr().String())
	t.Wait()
	err = desk.Close()
	<-done
	return err
}

// answer answers until the connection is closed.
func answer(s *senders.Served, desk *net.UDPConn) {
	var question [8]byte
	for {
		_, from, err := desk.ReadFromUDPAddrPort(question[:])
		if err != nil {
			return
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		r := report{World: s.World.Counters(), Sys: memory.Sys}
		s.Endpoint.Do(func(machine.Time, *machine.Outbox) { r.Node = s.Node.Counters() })
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
