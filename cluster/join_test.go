package cluster_test

import (
	"reflect"
	"strings"
	"testing"

	"i3bench/i3/machine"
)

// TestJoinRing: while a node joins just before the owner of a trigger, and so becomes its owner, packets arrive as
// before, each once. In virtual time none is lost; on a machine that is busy a node may be taken for dead.
func TestJoinRing(t *testing.T) {
	for _, d := range drivers[:2] {
		t.Run(d.name, func(t *testing.T) {
			l := newLeaveTest(t, d.rig(far{}), false)
			l.stream(func() bool { return true }, machine.Second)
			l.startAt(l.id.Prefix() + 2)
			joined := l.nodes[len(l.nodes)-1]
			l.stream(func() (has bool) {
				joined.Do(func(machine.Time, *machine.Outbox) { has = joined.node.Counters().TakenOver > 0 })
				return has
			}, 4*machine.Second)
			missing, twice := l.judge()
			t.Logf("%d packets sent, %d missing, %d came twice; dropped: %v", l.sent, missing, twice, l.drops())
			if sim := d.name == "sim"; twice > 0 || sim && missing > 0 || uint64(missing) > l.sent/2 {
				t.Errorf("of %d packets %d are missing and %d came twice", l.sent, missing, twice)
			}
			if !l.until(l.maintains) {
				t.Error("the trigger is not refreshed any more")
			}
		})
	}
}

// TestCrashRing: when the owner of a trigger has crashed, packets for it arrive again as soon as the ring and the
// sender know, though its host has not noticed and sent no request.
func TestCrashRing(t *testing.T) {
	for _, d := range drivers[:2] {
		t.Run(d.name, func(t *testing.T) {
			l := newLeaveTest(t, d.rig(far{}), true)
			l.stream(func() bool { return true }, 2*machine.Second)
			requests := l.requests()
			l.nodes[9].Close()
			crashed, heard := l.now(), l.arrived()
			l.stream(func() bool { return l.arrived() > heard+10 }, 0)
			took := l.now().Sub(crashed)
			t.Logf("packets arrive again after %.2f s", took.Seconds())
			if n := l.requests(); d.name == "sim" && (n != requests || took > 4*machine.Second) {
				t.Errorf("packets arrive again after %.2f s, the host has sent %d requests, want none", took.Seconds(), n-requests)
			}
			if _, twice := l.judge(); twice > 0 {
				t.Errorf("%d came twice", twice)
			}
		})
	}
}

// drops returns what all nodes have dropped, by why.
func (l *leaveTest) drops() map[string]uint64 {
	all := map[string]uint64{}
	for _, n := range l.nodes {
		n.Do(func(machine.Time, *machine.Outbox) {
			c := reflect.ValueOf(n.node.Counters())
			for i := range c.NumField() {
				if name := c.Type().Field(i).Name; strings.HasPrefix(name, "Drop") && c.Field(i).Uint() > 0 {
					all[name] += c.Field(i).Uint()
				}
			}
		})
	}
	return all
}

// requests returns how many the host has sent for its trigger.
func (l *leaveTest) requests() (n uint64) {
	l.toEnd.Do(func(machine.Time, *machine.Outbox) { n = l.to.Counters().Requests })
	return n
}

// arrived returns how many packets the host has got.
func (l *leaveTest) arrived() (n int) {
	l.toEnd.Do(func(machine.Time, *machine.Outbox) { n = len(l.heard.got) })
	return n
}
