package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"i3bench/cluster"
	"i3bench/internal/prng"
)

// A lan is network namespaces behind a bridge: a network card of its own for each node.
type lan struct {
	t      *testing.T
	bridge string
}

// newLAN makes a bridge, or skips the test where that is not allowed.
func newLAN(t *testing.T) *lan {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip, of the package iproute2, is not in PATH")
	}
	l := &lan{t: t, bridge: fmt.Sprintf("i3b%d", os.Getpid()%100000)}
	if out, err := l.try("ip link add " + l.bridge + " type bridge"); err != nil {
		t.Skipf("network namespaces and bridges are not allowed here: %s", out)
	}
	t.Cleanup(func() { l.try("ip link del " + l.bridge) })
	l.run("ip addr add 10.77.0.254/24 dev " + l.bridge)
	l.run("ip link set " + l.bridge + " up")
	return l
}

// try runs a command.
func (l *lan) try(command string) (string, error) {
	args := strings.Fields(command)
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run runs a command that must not fail.
func (l *lan) run(command string) {
	l.t.Helper()
	if out, err := l.try(command); err != nil {
		l.t.Fatalf("%s: %v, %s", command, err, out)
	}
}

// names returns those of the i-th namespace and its card on the bridge.
func (l *lan) names(i int) (space, card string) {
	return fmt.Sprintf("%s-%d", l.bridge, i), fmt.Sprintf("%sv%d", l.bridge, i)
}

// add makes the i-th namespace, with an address.
func (l *lan) add(i int) (host string) {
	space, card := l.names(i)
	host = fmt.Sprintf("10.77.0.%d", i+1)
	if out, err := l.try("ip netns add " + space); err != nil {
		l.t.Skipf("network namespaces are not allowed here: %s", out)
	}
	l.t.Cleanup(func() { l.try("ip netns del " + space) })
	l.run(fmt.Sprintf("ip link add %s type veth peer name eth0 netns %s", card, space))
	l.t.Cleanup(func() { l.try("ip link del " + card) }) // a namespace may live on for a minute
	l.run(fmt.Sprintf("ip link set %s master %s up", card, l.bridge))
	for _, c := range []string{"ip addr add " + host + "/24 dev eth0", "ip link set eth0 up", "ip link set lo up"} {
		l.run("ip netns exec " + space + " " + c)
	}
	return host
}

// link plugs the i-th namespace in, or cuts it off.
func (l *lan) link(i int, in bool) {
	_, card := l.names(i)
	state := "down"
	if in {
		state = "up"
	}
	l.run("ip link set " + card + " " + state)
}

// start starts so many daemons, each in a namespace, that become a ring by the first.
func (l *lan) start(r *processRing, nodes int) (all []*ringDaemon) {
	space := make(map[string]string)
	r.within = func(d *ringDaemon) {
		ip, err := exec.LookPath("ip")
		if err != nil {
			l.t.Fatal(err)
		}
		d.cmd.Args = append([]string{ip, "netns", "exec", space[d.host]}, d.cmd.Args...)
		d.cmd.Path = ip
	}
	for i := range nodes {
		host := l.add(i)
		space[host], _ = l.names(i)
		var by *ringDaemon
		if i > 0 {
			by = all[0]
		}
		all = append(all, r.startAt(host, r.rng.Uint64(), by))
	}
	return all
}

// failSix cuts off the first two daemons, of which one has nobody to join by, kills the next two, and lets two more
// start again with nothing.
func (l *lan) failSix(r *processRing, all []*ringDaemon) {
	for i := range 6 {
		switch d := all[i]; {
		case i == 2 || i == 3:
			r.kill(d)
		case i < 2:
			l.link(i, false)
			r.mu.Lock()
			d.killed = time.Now()
			r.mu.Unlock()
		default:
			r.kill(d)
			r.startAt(d.host, d.prefix, all[6])
		}
	}
}

// bringBack starts again who was killed, and plugs in who was cut off.
func (l *lan) bringBack(r *processRing, all []*ringDaemon) {
	for _, d := range all[2:4] {
		r.startAt(d.host, d.prefix, all[6])
	}
	for i, d := range all[:2] {
		l.link(i, true)
		back := *d // the same process
		back.killed, back.joined = time.Time{}, time.Time{}
		r.mu.Lock()
		r.all = append(r.all, &back)
		r.mu.Unlock()
	}
}

// TestRingInNamespaces: sixteen nodes, each with a network card of its own, are one ring again after two were killed,
// two cut off, and two restarted with empty memory, all at once; then after those are back. A group goes on
// meanwhile, and in the end nobody has missed a packet.
func TestRingInNamespaces(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: sixteen nodes in namespaces take a while")
	}
	const nodes = 16
	l, r := newLAN(t), &processRing{T: t, rng: prng.New(8, 8)}
	began := time.Now()
	all := l.start(r, nodes)
	t.Logf("a ring after %v", r.await("forming", began))
	g := r.startGroup(cluster.New(cluster.Config{Host: netip.MustParseAddr("10.77.0.254"), Shards: -1}), nodes)

	g.mark()
	l.failSix(r, all)
	t.Logf("a ring again %v after six of %d nodes failed", r.await("six failures", g.marked), nodes)
	g.judgeOutage(15 * time.Second)
	began = time.Now()
	l.bringBack(r, all)
	t.Logf("a ring again %v after all are back", r.await("all back", began))
	r.judgeLookups(nodes)
	g.judgeDelivery()
}
