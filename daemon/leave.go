package daemon

import (
	"context"
	"time"

	"i3bench/i3/machine"
)

// leaveEvery is how often a node that leaves its ring is looked at.
const leaveEvery = 10 * time.Millisecond

// leave takes the node off its ring. It goes on forwarding what reaches it until then.
func (d *Daemon) leave(ctx context.Context) {
	d.end.Do(func(now machine.Time, out *machine.Outbox) { d.node.Leave(now, out) })
	t := time.NewTicker(leaveEvery)
	defer t.Stop()
	for left := false; !left; {
		d.end.Do(func(machine.Time, *machine.Outbox) { left = d.node.Left() })
		select {
		case <-ctx.Done():
			d.log.Warn("node could not hand over all it has in time")
			return
		case <-t.C:
		}
	}
}
