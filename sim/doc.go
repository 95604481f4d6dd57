// Package sim runs the machines of the protocol in virtual time: the same nodes
// and hosts as package cluster does on sockets, on a network of delays and
// losses, deterministically. It opens no socket and reads no clock.
//
// A [World] is what most want: endpoints at which machines run, and a network
// between them. Underneath it is an [Engine], which knows nothing of machines or
// datagrams and can be used alone.
//
// # Terms
//
//   - A process is a part of the world whose events happen one after the other: a
//     stub domain with its nodes and hosts. Processes are the unit of order.
//   - The look-ahead is the least time between an event and one that it causes at
//     another process: the least delay between domains.
//   - A window is a stretch of time no longer than the look-ahead. Nothing that
//     happens in a window can matter in the same window at another process.
//   - A shard is a range of processes whose events lie together: as many as leave
//     the work of a window in a cache.
//   - A worker is a goroutine that takes shards of the window, one at a time.
//   - A lane is a process that a worker is at. It is at several side by side if
//     their events are carried out together, see [Together].
//
// # The rings
//
// There is no queue of all events. Each lies in the list of its window and shard:
//
//	fine ring, by window      now                      now+127
//	                           |                          |
//	            shard 0      [##] [#] [ ] [##] ...       [#]
//	            shard 1      [# ] [#] [#] [  ] ...       [ ]   one list each
//	               :
//	coarse ring, by 128 windows    [######] [####] ... [###]   64 lists; the last
//	                               next turn                   has all beyond
//
// A worker takes the lists of a shard in the current window and sorts them by
// process (by counting) and each process by time. What a process posts to itself
// for the same window goes to the heap of its lane. When the window is over its
// memory is free as a whole, bytes included; when the fine ring has turned, the
// coarse list whose time has come is spread over it. Each worker writes to rings
// of its own and reads those of all, so that in a window they share nothing.
//
// # Determinism
//
// The events of a process are ordered by time, then by the process that posted
// them, then as that one posted them. None of these depends on the shard, the
// worker or the moment at which a process happened to run, and no process sees
// another's state. So a run is a function of its inputs: the machines, their
// seeds, the network and the world's seed. [World.TraceHash] is a hash of every
// datagram delivered or lost, with its time and its bytes; equal hashes mean
// equal runs.
//
// [Reference] is a plain heap of all events that does the same, slowly and so
// simply that it is seen to be right. It defines the order; tests hold the engine
// against it, and benchmarks measure by it. Only a run that RunWhile cuts short may
// end elsewhere: the reference looks after each event, the engine after each
// window.
package sim
