package daemon

import (
	"fmt"
	"reflect"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// A family is counters of one name, which a label tells apart if there are several.
type family struct {
	part  string // of a snapshot: node, ring or sockets
	name  string
	help  string
	label string
	// values are the fields of the part, by the value of the label.
	values map[string]string
}

// families are all counters. Every field of the counters of node, ring and sockets is in one of them.
var families = []family{
	{"node", "i3_node_packets_total", "Packets in received datagrams.", "", map[string]string{"": "Packets"}},
	{"node", "i3_node_data_packets_total", "Data packets received.", "", map[string]string{"": "Data"}},
	{"node", "i3_node_matches_total", "Matches of data packets, those on the way of a local chain included.", "",
		map[string]string{"": "Matched"}},
	{"node", "i3_node_copies_total", "Copies of data packets that left.", "", map[string]string{"": "Copies"}},
	{"node", "i3_node_host_copies_total", "Copies that left for hosts.", "", map[string]string{"": "HostCopies"}},
	{"node", "i3_node_misdirected_total", "Data packets for another node, passed on to it.", "",
		map[string]string{"": "Misdirected"}},
	{"node", "i3_node_requests_total", "Entries of requests, by what came of them.", "outcome", map[string]string{
		"inserted": "Inserted", "refreshed": "Refreshed", "probed": "Probed", "removed": "Removed",
		"challenged": "Challenged", "full": "Full", "no_room": "NoRoom", "refused": "Refused", "not_owner": "NotOwner",
	}},
	{"node", "i3_node_over_quota_total", "Insertions refused for what there is already, by of what.", "of",
		map[string]string{"source": "OverSource", "target": "OverTarget", "key": "OverKey", "share": "OverShare"}},
	{"node", "i3_node_expired_total", "Triggers that nobody refreshed.", "", map[string]string{"": "Expired"}},
	{"node", "i3_node_dropped_total", "Packets, copies and entries dropped, by reason.", "reason", map[string]string{
		"malformed": "DropMalformed", "kind": "DropKind", "targets": "DropTargets", "no_match": "DropNoMatch",
		"hop_limit": "DropHopLimit", "budget": "DropBudget", "no_owner": "DropNoOwner", "stranger": "DropStranger",
		"no_ring": "DropNoRing", "unready": "DropUnready", "returned": "DropReturned", "outbox": "DropOutbox",
		"rate": "DropRate", "pace": "DropPace", "pushback": "DropPushback",
	}},
	{"node", "i3_node_pushbacks_total", "Times that it told a node of a link that leads to nothing.", "",
		map[string]string{"": "Pushbacks"}},
	{"node", "i3_node_pruned_total", "Links removed because they lead to nothing.", "", map[string]string{"": "Pruned"}},
	{"node", "i3_node_handed_over_total", "Triggers given to a node that owns them now.", "",
		map[string]string{"": "HandedOver"}},
	{"node", "i3_node_taken_over_total", "Triggers taken from the node that owned them before.", "",
		map[string]string{"": "TakenOver"}},
	{"node", "i3_node_handovers_refused_total", "Triggers handed over that it did not take.", "",
		map[string]string{"": "HandoverRefused"}},
	{"node", "i3_node_mirrors_total", "Mirrors of the triggers of others, by what came of them.", "outcome",
		map[string]string{
			"kept": "Mirrored", "removed": "MirrorsRemoved", "refused": "MirrorsRefused", "taken_over": "MirrorsTaken",
		}},
	{"node", "i3_node_mirrors_given_total", "Triggers, and removals, given to those who keep mirrors.", "",
		map[string]string{"": "MirrorsGiven"}},
	{"node", "i3_node_mirror_passes_total", "Times that it has been through all triggers of another.", "",
		map[string]string{"": "MirrorPasses"}},
	{"node", "i3_node_lent_total", "Data packets for a node that has yet to get its triggers, by who matches them.", "by",
		map[string]string{"this": "Lent", "successor": "Borrowed"}},
	{"node", "i3_node_handovers_failed_total", "Times that triggers were not handed over, by who gave up.", "by",
		map[string]string{"heir": "HandoverFailed", "leaver": "LeaveFailed"}},

	{"ring", "i3_ring_questions_total", "Questions sent to members, repeated ones included.", "",
		map[string]string{"": "Asked"}},
	{"ring", "i3_ring_questions_repeated_total", "Questions sent again.", "", map[string]string{"": "Repeated"}},
	{"ring", "i3_ring_answers_total", "Questions of others answered.", "", map[string]string{"": "Answered"}},
	{"ring", "i3_ring_told_total", "Times that members said that they are there.", "", map[string]string{"": "Told"}},
	{"ring", "i3_ring_silent_total", "Members taken for dead.", "", map[string]string{"": "Silent"}},
	{"ring", "i3_ring_joins_total", "Times that the node has joined a ring.", "", map[string]string{"": "Joined"}},
	{"ring", "i3_ring_lookups_total", "Lookups begun, its own included.", "", map[string]string{"": "Finds"}},
	{"ring", "i3_ring_lookups_failed_total", "Lookups without a result.", "", map[string]string{"": "Failed"}},
	{"ring", "i3_ring_dropped_total", "Packets of the ring dropped, by reason.", "reason", map[string]string{
		"malformed": "DropMalformed", "stranger": "DropStranger", "full": "DropFull",
	}},

	{"sockets", "i3_socket_sent_total", "Datagrams handed to the kernel.", "", map[string]string{"": "Sent"}},
	{"sockets", "i3_socket_received_total", "Datagrams read.", "", map[string]string{"": "Received"}},
	{"sockets", "i3_socket_dropped_total", "Datagrams dropped around the socket, by reason.", "reason", map[string]string{
		"lost": "Lost", "filtered": "Filtered", "send": "SendErrors", "truncated": "Truncated", "overflow": "Overflow",
		"no_host": "NoHost",
	}},
}

// part returns the counters of a part.
func (s *snapshot) part(name string) reflect.Value {
	switch name {
	case "node":
		return reflect.ValueOf(s.node)
	case "ring":
		return reflect.ValueOf(s.ring)
	case "sockets":
		return reflect.ValueOf(s.sockets)
	}
	panic(fmt.Sprintf("daemon: no counters of %q", name))
}

// gauges are what is true at the moment.
var gauges = []struct {
	name, help string
	value      func(s *snapshot) float64
}{
	{"i3_node_triggers", "Triggers in the table.", func(s *snapshot) float64 { return float64(s.triggers) }},
	{"i3_node_mirrors", "Mirrors in the table.", func(s *snapshot) float64 { return float64(s.mirrors) }},
	{"i3_ring_joined", "1 if the node is on a ring.", func(s *snapshot) float64 { return truth(s.joined) }},
	{"i3_ring_successors", "Members that follow the node, as far as it knows.",
		func(s *snapshot) float64 { return float64(len(s.successors)) }},
	{"i3_ring_owned_ratio", "Share of all prefixes that the node owns.", (*snapshot).share},
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// share returns how much of the ring the node owns.
func (s *snapshot) share() float64 {
	switch width := s.owned.Hi - s.owned.Lo; {
	case !s.joined:
		return 0
	case width == 0:
		return 1
	default:
		return float64(width) / (1 << 64)
	}
}

// A collector reads all figures from one snapshot, so that they fit each other.
type collector struct{ look func() snapshot }

// Describe names all figures, for Prometheus.
func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect sends all figures.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.look()
	for _, f := range families {
		var labels []string
		if f.label != "" {
			labels = []string{f.label}
		}
		desc := prometheus.NewDesc(f.name, f.help, labels, nil)
		for value, field := range f.values {
			v := float64(s.part(f.part).FieldByName(field).Uint())
			ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, v, []string{value}[:len(labels)]...)
		}
	}
	for _, g := range gauges {
		desc := prometheus.NewDesc(g.name, g.help, nil, nil)
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, g.value(&s))
	}
}

// registry returns what /metrics shows.
func (d *Daemon) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collector{d.snapshot}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// Metrics returns the names of the figures of a daemon that are its own, in the order in which they are explained.
func Metrics() (names []string) {
	for _, f := range families {
		names = append(names, f.name)
	}
	for _, g := range gauges {
		names = append(names, g.name)
	}
	return names
}
