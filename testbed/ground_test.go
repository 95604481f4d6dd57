package testbed_test

import (
	"encoding/json"
	"strings"
	"testing"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

// Receivers of several beds on one ground are one group: each has an identifier of its own, and all get every
// packet. What a ground says survives being written and read.
func TestOnGround(t *testing.T) {
	w := sim.New(sim.Config{Seed: 5})
	base := testbed.Config{Open: open(w), Seed: 5, Nodes: 6, Degree: 3}
	bed, err := testbed.New(base)
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	w.Sleep(machine.Second)
	text, err := json.Marshal(bed.Ground())
	if err != nil {
		t.Fatal(err)
	}
	var ground testbed.Ground
	if err := json.Unmarshal(text, &ground); err != nil {
		t.Fatal(err)
	}
	var all []*testbed.Receiver
	ids := make(map[string]bool)
	for number := range 3 {
		part, err := testbed.OnGround(base, ground, number)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			r, err := part.AddReceiver(i, multicast.Events{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Number != i || part.Group() != bed.Group() {
				t.Errorf("receiver %d has number %d", i, r.Number)
			}
			r.Join()
			w.Sleep(machine.Second)
			chain := r.Machine.Chain()
			ids[chain[len(chain)-1].String()] = true
			all = append(all, r)
		}
		part.Close() // closes nothing of the others'
	}
	if len(ids) != len(all) {
		t.Errorf("%d receivers have %d identifiers", len(all), len(ids))
	}
	before := make([]uint64, len(all))
	for i, r := range all {
		before[i] = r.Machine.Counters().Delivered
	}
	for range 50 {
		bed.Source().Send([]byte("data"))
		w.Sleep(20 * machine.Millisecond)
	}
	w.Sleep(machine.Second)
	for i, r := range all {
		if n := r.Machine.Counters().Delivered - before[i]; n != 50 {
			t.Errorf("receiver %d: %d packets of 50", i, n)
		}
	}
}

// firstOn returns the identifier of the first receiver of a bed on a ground, in a world of its own.
func firstOn(t *testing.T, number int) string {
	t.Helper()
	w := sim.New(sim.Config{Seed: 5})
	cfg := testbed.Config{Open: open(w), Seed: 5, Nodes: 6, Degree: 3}
	bed, err := testbed.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	part, err := testbed.OnGround(cfg, bed.Ground(), number)
	if err != nil {
		t.Fatal(err)
	}
	w.Sleep(machine.Second)
	r, err := part.AddReceiver(0, multicast.Events{})
	if err != nil {
		t.Fatal(err)
	}
	r.Join()
	w.Sleep(5 * machine.Second)
	chain := r.Machine.Chain()
	return chain[len(chain)-1].String()
}

// Receivers of different beds draw different numbers, those of the same one the same.
func TestOnGroundSeeds(t *testing.T) {
	first, again, other := firstOn(t, 0), firstOn(t, 0), firstOn(t, 1)
	if first != again {
		t.Error("the same bed is another one the second time")
	}
	if first == other {
		t.Errorf("the first receivers of two beds are both %s", first)
	}
}

// A ground that makes no sense is refused.
func TestOnGroundRefuses(t *testing.T) {
	w := sim.New(sim.Config{})
	id := strings.Repeat("0", 64)
	places := []chord.Place{{Prefix: 1}}
	for want, c := range map[string]struct {
		cfg    testbed.Config
		ground testbed.Ground
		number int
	}{
		"want a driver": {testbed.Config{}, testbed.Ground{Places: places, Group: id}, 0},
		"bed -1":        {testbed.Config{Open: open(w)}, testbed.Ground{Places: places, Group: id}, -1},
		"64 hex digits": {testbed.Config{Open: open(w)}, testbed.Ground{Places: places, Group: "abc"}, 0},
		"at least one":  {testbed.Config{Open: open(w)}, testbed.Ground{Group: id}, 0},
		"want distinct": {testbed.Config{Open: open(w)}, testbed.Ground{Places: append(places, places...), Group: id}, 0},
	} {
		if _, err := testbed.OnGround(c.cfg, c.ground, c.number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
