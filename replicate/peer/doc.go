// Package peer measures how many packets others deliver to receivers on loopback for a second of the sender's
// processor time, in the frame in which replicate is measured (internal/deliver). It is a module of its own, so that
// what it compares with never becomes something that the project depends on, and nothing may import it.
//
//	what       how a packet reaches each of the receivers
//	nats       an embedded server of NATS core passes on what a client publishes; as many clients subscribe
//	nats-deep  the same with a publisher that is up to 8,192 packets or 4 MiB ahead, not 512 packets
//
// Loops of Go's net and of x/net are in cluster/senders, beside our node.
//
// The versions are those of go.mod.
//
// The server of NATS is a process of its own with one processor of Go's, without log, and may hold so much for a client
// that none is cut off as slow. Publisher and subscribers are in another process. They speak the protocol on plain TCP,
// so that no client library is in the way; they parse it by lengths. The size is that of the payload: NATS adds 16
// bytes or so to a delivery, and UDP 28 of its own and IP's, which are not counted for either.
//
// NATS delivers in order and by TCP, which loses nothing; it may put any number of deliveries into a segment. How many
// it finds to put together depends on how far its publisher is ahead, and more of them need more of the caches: small
// packets want it deep, others mostly not, so that there are two and the better one is the peer. What is sent
// only as acknowledgements arrive is sent in the time of the receivers' process (see internal/deliver).
package peer
