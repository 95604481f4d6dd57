package experiments

import (
	"slices"

	"i3bench/i3/machine"
	"i3bench/i3/multicast"
	"i3bench/reports"
)

// counters samples what the nodes, the receivers, the sockets and the generator
// counted. Of receivers that crashed, what they had counted is gone with them.
func (r *scenarioRun) counters() {
	if r.udp != nil {
		r.datagrams()
	}
	r.missedCounters()
	var stay, come multicast.Counters
	for _, s := range r.stays {
		s.Endpoint.Do(func(machine.Time, *machine.Outbox) { add(&stay, s.Machine.Counters()) })
	}
	for _, v := range r.all {
		v.Endpoint.Do(func(machine.Time, *machine.Outbox) { add(&come, v.Machine.Counters()) })
	}
	r.count("distance queries processed by standing receivers", stay.Queries)
	r.count("repair requests of standing receivers", stay.Requests)
	r.count("duplicates at standing receivers", stay.Duplicates)
	r.count("times a standing receiver heard nothing", stay.Silences)
	r.count("distance queries sent by coming receivers", come.QueriesSent)
	r.count("searches of coming receivers", come.Searches)
	r.count("links inserted by coming receivers", come.Attaches)
	r.count("links refused because the parent was full or gone", come.Refused)
	r.count("times a coming receiver heard nothing", come.Silences)
	r.count("identifiers adopted from receivers that left", stay.Adoptions+come.Adoptions)
	r.count("refreshes sent by receivers", stay.Refreshes+come.Refreshes)
}

// The names of counters of which those of several processes say more together.
const (
	countSent     = "datagrams sent"
	countReceived = "datagrams received"
	countLost     = "datagrams lost in socket buffers"
)

// datagrams samples what the sockets counted. Of one process of several, what it received was sent by others, too.
func (r *scenarioRun) datagrams() {
	c := r.udp.Counters()
	r.count(countSent, c.Sent)
	r.count(countReceived, c.Received)
	if r.share == whole {
		socketDrops(r.sink, reports.StageLoad, c)
		r.count(countLost, c.Sent-min(c.Sent, c.Received))
	}
	r.count("datagrams the kernel refused", c.SendErrors)
}

// missedCounters samples the operations that the generator did not start, by kind
// where a stream has only one.
func (r *scenarioRun) missedCounters() {
	var names []string
	sums := make(map[string]uint64)
	for i, p := range r.streams {
		name := "operations missed or dropped by the generator"
		if len(p.Kinds) == 1 {
			name = reports.Many(p.Kinds[0]) + " missed or dropped by the generator"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		sums[name] += r.missed[i]
	}
	for _, name := range names {
		r.count(name, sums[name])
	}
}

func (r *scenarioRun) count(name string, value uint64) {
	count(r.sink, reports.StageLoad, r.Seed, name, value)
}
