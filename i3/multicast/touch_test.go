package multicast_test

import (
	"testing"
	"time"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/i3/node"
	"i3bench/sim"
	"i3bench/testbed"
)

// A touched machine reads what each call needs before the call.
type touched struct {
	machine.Machine
	steps *[2][8]int // calls by kind of machine and steps of reading
}

func (m touched) Receive(now machine.Time, batch []machine.Datagram, out *machine.Outbox) {
	for _, d := range batch {
		m.touch(d.Bytes)
	}
	m.Machine.Receive(now, batch, out)
}

func (m touched) Expire(now machine.Time, out *machine.Outbox) {
	m.touch(nil)
	m.Machine.Expire(now, out)
}

func (m touched) touch(b []byte) {
	t, ok := m.Machine.(machine.Toucher)
	if !ok {
		return
	}
	step := 1
	for hint, _ := t.Touch(b, 0, 0); hint != 0; step++ {
		hint, _ = t.Touch(b, step, hint)
	}
	kind := 0
	if _, ok := t.(*node.Node); ok {
		kind = 1
	}
	m.steps[kind][step]++
}

type touching struct {
	testbed.Endpoint
	steps *[2][8]int
}

func (e touching) Start(m machine.Machine) { e.Endpoint.Start(touched{m, e.steps}) }

// Reading ahead changes nothing, whatever comes: joins, packets, refreshes, losses and repairs. The steps that a
// machine says there are lead somewhere: nodes go all the way to the targets, and receivers to their searches.
func TestTouchChangesNothing(t *testing.T) {
	run := func(steps *[2][8]int) string {
		net := testbed.NewNetwork(newPlane(1, 16, 40*time.Millisecond), millisecond, testbed.PaperLoss(1))
		world := sim.New(sim.Config{Seed: 1, Network: net})
		bed, err := testbed.New(testbed.Config{
			Open: func() (testbed.Endpoint, error) {
				e, err := world.Open()
				if steps == nil {
					return e, err
				}
				return touching{e, steps}, err
			},
			Network: net, Seed: 1, Nodes: 16, Degree: 4, Group: multicast.Config{Cache: 16},
		})
		if err != nil {
			t.Fatal(err)
		}
		world.Sleep(second)
		for i := range 30 {
			r, err := bed.AddReceiver(i*7, multicast.Events{})
			if err != nil {
				t.Fatal(err)
			}
			r.Join()
			world.Sleep(second / 4)
		}
		for range 40 {
			bed.Source().Send(payload16)
			world.Sleep(second / 2)
		}
		return world.TraceHash()
	}
	var steps [2][8]int
	if plain, read := run(nil), run(&steps); plain != read {
		t.Errorf("traces %s without and %s with reading ahead", plain, read)
	}
	if steps[0][1] == 0 || steps[0][2] == 0 || steps[1][1] == 0 || steps[1][4] == 0 {
		t.Errorf("calls of receivers by steps %v, of nodes %v", steps[0], steps[1])
	}
}

// What a machine says it needs of itself is less than all of it, and more than a line.
func TestHot(t *testing.T) {
	if h := new(multicast.Receiver).Hot(); h < 64 || h > 1024 {
		t.Errorf("a receiver needs %d bytes of itself", h)
	}
	if h := new(node.Node).Hot(); h < 64 || h > 512 {
		t.Errorf("a node needs %d bytes of itself", h)
	}
}
