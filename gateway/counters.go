package gateway

import "time"

// IngressCounters is what an ingress has done. What it received is what it sent, what it dropped by itself, and what
// is queued.
type IngressCounters struct {
	Received    uint64 // datagrams read from the socket
	Bytes       uint64 // in those that were sent
	Sent        uint64 // packets given to the group
	DropSize    uint64 // datagrams longer than MaxPayload, dropped
	DropQueue   uint64 // dropped because the queue was full
	DropRefused uint64 // dropped because the source did not take them
	DropClosed  uint64 // queued when the time of Close was over, dropped
	DropSocket  uint64 // dropped by the kernel before they were received; counted on Linux only
	MostQueued  uint64 // the longest that the queue has been
}

// EgressCounters is what an egress has done. What it got is what it sent, what it dropped, what waits and what is
// queued.
type EgressCounters struct {
	Streams     uint64 // streams begun: 1 more for each time that the source or the receiver started anew
	Got         uint64 // packets from the receiver
	Sent        uint64 // packets sent on, to all addresses
	Bytes       uint64 // in these
	Waited      uint64 // packets that came before one that was missing
	MostWaiting uint64 // of these at a time
	Lost        uint64 // packets that the group gave up
	SkippedTime uint64 // missing packets skipped because others had waited too long for them
	SkippedRoom uint64 // missing packets skipped because too many waited for them
	SkippedEnd  uint64 // packets still missing when the stream began anew or the egress was closed
	DropLate    uint64 // packets that came after they were skipped, or twice, dropped
	DropSize    uint64 // packets longer than MaxPayload, which no ingress makes, dropped
	DropQueue   uint64 // dropped because the queue was full
	DropClosed  uint64 // came after Close, or queued when its time was over, dropped
	MostQueued  uint64 // the longest that the queue has been
	SendErrors  uint64 // datagrams that the kernel refused, of which each packet has one for each address

	LongestWait time.Duration // of a packet for one that was missing
}
