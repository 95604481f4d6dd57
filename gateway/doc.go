// Package gateway carries any application's UDP stream over a multicast group: an [Ingress] makes packets of the group
// of the datagrams that come to a port, and an [Egress] makes datagrams of the packets that a receiver gets, in the
// order in which they were sent. It deploys no node, source or receiver, builds no tree and repairs nothing.
//
//	application ──UDP──► Ingress (queue, pace) ──► source of the group
//	                                                    ║ the tree: nodes, losses, repairs
//	application ◄──UDP── Egress (order, queue, pace) ◄── receiver
//
// A datagram is a packet, byte for byte, so an application cannot tell the group from a wire but by the delay. What the
// stream is does not matter: MPEG-TS, RTP, syslog.
//
// # Order
//
// A group hands over packets as they come, and repairs later (see [multicast.Events]). The egress keeps what follows a
// missing packet until that is repaired. Both the time and the room for that are bounded: a packet waits no longer than
// [EgressConfig].Wait, and no more than Window packets are kept. At either bound what is missing is skipped, and
// counted; if it comes after all it is dropped, and counted, so that what comes out is always in order.
//
// # Bounds
//
// Everything has a bound, and at each something is counted: see [IngressCounters] and [EgressCounters]. A datagram that
// is longer than [MaxPayload] does not fit the datagrams of the infrastructure and is dropped; seven packets of
// MPEG-TS, 1,316 bytes, do fit. Nothing that is dropped is dropped silently, but what the kernel drops at the socket of
// the application that an egress sends to: only the application can know of that. Egresses pace what they send because
// of it: a repair may set free a thousand packets, and a plain socket has room for a hundred.
package gateway
