package scratch

import (
	"fmt"
	"testing"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/sim"
	"i3bench/testbed"
)

func TestChurn(t *testing.T) {
	for _, s := range []int{0, -1000000} {
		churn(t, s)
	}
}

func churn(t *testing.T, slack int) {
	w := sim.New(sim.Config{Seed: 1})
	bed, err := testbed.New(testbed.Config{Open: func() (testbed.Endpoint, error) { return w.Open() }, Seed: 1, Nodes: 32, Degree: 4, Group: multicast.Config{Search: []multicast.SearchPolicy{{}, multicast.LANSearch()}[min(1,-slack)]}})
	if err != nil {
		t.Fatal(err)
	}
	w.Sleep(machine.Second)
	for i := 0; i < 64; i++ {
		r, _ := bed.AddReceiver(i%32, multicast.Events{})
		r.Join()
		w.Sleep(20 * machine.Millisecond)
	}
	type comer struct {
		r     *testbed.Receiver
		state string
		at    machine.Time
	}
	var leave, idle []*comer
	var all []*comer
	for i := 0; i < 512; i++ {
		c := &comer{state: "idle"}
		c.r, _ = bed.AddReceiver(i%32, multicast.Events{
			Attached: func(now machine.Time, _ int) { c.state = "attached" },
			Joined:   func(now machine.Time, _ uint64) { c.state = "joined"; leave = append(leave, c) },
			Left:     func(now machine.Time) { c.state = "idle"; idle = append(idle, c) },
			Failed:   func(now machine.Time) { c.state = "failed" },
		})
		idle = append(idle, c)
		all = append(all, c)
	}
	none := 0
	off := w.Counters().Offered
	var lat []float64
	for op := 0; op < 4000; op++ {
		if len(idle) == 0 {
			none++
		} else {
			c := idle[0]
			idle = idle[1:]
			c.state = "searching"
			c.at = w.Now()
			c.r.Join()
		}
		w.Sleep(500 * machine.Microsecond)
		for _, c := range leave {
			c.state = "leaving"
			lat = append(lat, w.Now().Sub(c.at).Seconds())
			c.r.Leave()
		}
		leave = leave[:0]
		if op%10 == 0 {
			bed.Source().Send([]byte("hello"))
		}
		if op%500 == 0 {
			st := map[string]int{}
			for _, c := range all {
				st[c.state]++
			}
			fmt.Println(op, st, "none", none, "lat", lat[max(0, len(lat)-5):])
		}
	}
	var q, at, ref uint64
	for _, c := range all {
		k := c.r.Machine.Counters()
		q += k.QueriesSent
		at += k.Attaches
		ref += k.Refused
	}
	d := 0
	fmt.Println("slack", slack, "datagrams per join", float64(w.Counters().Offered-off)/float64(at), "queries", float64(q)/float64(at), "refused", ref, d)
}
