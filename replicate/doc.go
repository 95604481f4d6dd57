// Package replicate makes copies of packets without copying them: it decides in which form they go to each
// address, and keeps the buffers and rings that they pass through. It does not know what is in a packet, matches
// nothing, and does no I/O: a [Port] does.
//
// # Copies of a round
//
// What a copy costs is a traversal of the kernel, not its bytes. So a [Planner] collects the copies of a round,
// address by address, and hands each address's to the port in the cheapest form that the port has:
//
//	packets for one address       ┌─────┬─────┬───┐ ┌─────┬─────┬──0┐ ┌─────┐
//	                              │  a  │  b  │ c │ │  d  │  e  │   │ │  f  │
//	                              └─────┴─────┴───┘ └─────┴─────┴───┘ └─────┘
//	share datagrams               up to Config.Datagram bytes,
//	which share a train           all as long as the longest but the last: zeros fill up to an eighth of it,
//	of vectors                    that point to where head and body of each packet lie.
//
// A round has a bound, an address has one, and what a port refuses is dropped and counted on the address that it was
// for: the planned copies are the sent and the dropped ones, always. An address that is refused again and again
// is left alone for a while.
//
// # Slab and rings
//
// Packets lie in the slots of a [Slab], and what passes between goroutines is a [Frame]: twelve bytes that say
// where. One goroutine owns the slab. As long as a slot stays with it, as it does when a port has copied what it
// was to send by the time it returns, slots cost no atomic operation:
//
//	           Take            Put
//	free ──────────────► held ──────► free, and its frames are stale
//	                      │ Retain(f, n)
//	                      ▼           Put           the n-th Release
//	                    shared ──────────────► away ─────────────────► free
//
// What outlives the round is retained once for each who gets the frame, and each releases it once, many frames
// at a time. A generation in the frame tells a slot's next life from its last: what is stale is refused and
// counted. At its bound a slab refuses to hand out more, and how near it came is in [SlabStats].
//
// Nothing here waits, allocates after it was made, or keeps to itself what it dropped. Which ring is for what:
//
//	          writers  readers  when full
//	SPSC         1        1     takes no more: the producer decides
//	MPSC        any       1     the same
//	Broadcast    1       any    overwrites the oldest: a reader that was too slow is told how many it lost
//
// A [Broadcast] costs one write whatever the number of readers, but nobody knows when the last of them has read an
// element. Frames of a slab may be sent by it only if their slots are held long enough by other means; whoever
// must release what it received needs an SPSC of its own. [Inproc], the port within a process, is made so.
//
// All words that two goroutines share are written atomically, and lie on cache lines of their own; each side
// remembers what it last knew of the other's and looks again only when that does not do.
package replicate
