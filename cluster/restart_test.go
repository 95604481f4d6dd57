package cluster_test

import (
	"testing"

	"i3bench/cluster"
	"i3bench/i3/machine"
)

// Another machine may be started at an endpoint that runs one, as where a host lost its memory: what is sent from then
// on reaches that one, and so does time.
func TestStartAnotherMachine(t *testing.T) {
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		r := udpRig(w)
		to, from := r.start(t), r.start(t)
		from.send(to.ep.Addr(), "first")
		to.await(t, 1)
		second := &probe{ep: to.ep, rig: r, at: w.Now().Add(machine.Millisecond)}
		to.ep.Start(second)
		from.send(to.ep.Addr(), "second")
		if got := second.await(t, 1); got[0].text != "second" {
			t.Errorf("the second machine got %q", got[0].text)
		}
		if !r.until(func() (fired bool) { second.look(func() { fired = len(second.fired) == 1 }); return fired }) {
			t.Error("the second machine's timer did not run out")
		}
		if n := to.received(); n != 1 {
			t.Errorf("the first machine got %d datagrams, want 1", n)
		}
	})
}
