package testbed

import (
	"slices"
	"testing"

	"i3bench/i3/machine"
	"i3bench/sim"
)

// An ear notes when datagrams come.
type ear struct{ at []machine.Time }

func (e *ear) Receive(now machine.Time, batch []machine.Datagram, _ *machine.Outbox) {
	for range batch {
		e.at = append(e.at, now)
	}
}
func (e *ear) Deadline() machine.Time               { return machine.Never }
func (e *ear) Expire(machine.Time, *machine.Outbox) {}

// bursts sends datagrams of 972 bytes, 8,000 bits with their heads, from one endpoint to another: so many at once,
// every second. It returns how long after its burst each arrived.
func bursts(t *testing.T, from, to Access, sizes ...int) (took []machine.Duration) {
	t.Helper()
	world := sim.New(sim.Config{Seed: 1})
	open := func(a Access) (Endpoint, *ear) {
		e, err := world.Open()
		if err != nil {
			t.Fatal(err)
		}
		end, m := Behind(e, a), new(ear)
		end.Start(m)
		return end, m
	}
	a, _ := open(from)
	b, heard := open(to)
	for _, n := range sizes {
		began := world.Now()
		a.Do(func(_ machine.Time, out *machine.Outbox) {
			for range n {
				out.Send(b.Addr(), make([]byte, 972))
			}
		})
		world.Run(began.Add(machine.Second))
		for _, at := range heard.at {
			took = append(took, at.Sub(began))
		}
		heard.at = nil
	}
	return took
}

// Datagrams go through an access one after the other, in order, at its rate, and the narrowest of several decides.
func TestAccessRate(t *testing.T) {
	const ms, way = machine.Millisecond, sim.DefaultDelay
	for _, c := range []struct {
		name     string
		from, to Access
		first    machine.Duration // until the first arrives
		gap      machine.Duration
	}{
		{"none", Access{}, Access{}, way, 0},
		{"8 Mbit/s up", Access{Up: 8e6}, Access{}, way + ms, ms},
		{"8 Mbit/s down", Access{}, Access{Down: 8e6}, way + ms, ms},
		{"8 up, 2 down", Access{Up: 8e6}, Access{Down: 2e6}, way + 5*ms, 4 * ms},
		{"2 up, 8 down", Access{Up: 2e6}, Access{Down: 8e6}, way + 5*ms, 4 * ms},
		{"the other ways", Access{Down: 8e6}, Access{Up: 8e6}, way, 0},
	} {
		there := bursts(t, c.from, c.to, 5)
		var want []machine.Duration
		for i := range 5 {
			want = append(want, c.first+machine.Duration(i)*c.gap)
		}
		if !slices.Equal(there, want) {
			t.Errorf("%s: datagrams come after %v ns, want %v", c.name, there, want)
		}
	}
}

// What finds no room is dropped, and the room is there again afterwards.
func TestAccessQueue(t *testing.T) {
	if n := len(bursts(t, Access{Up: 8e6, Queue: 3000}, Access{}, 5, 2)); n != 3+2 {
		t.Errorf("%d datagrams of 1,000 bytes came through a queue of 3,000, want 3 of 5 and then 2 of 2", n)
	}
}
