// Package loadgen offers operations to a system at times fixed beforehand, and
// keeps offering them whether or not the system keeps up. It does not know what
// an operation does, opens no socket, and judges no result.
//
// # Open loop
//
// A load generator that waits for an answer before it sends the next request
// measures a system that is never asked for more than it does: while the system
// stalls, nothing is sent, and the requests that would have waited are missing
// from the percentiles (coordinated omission). Here every operation has an
// intended time, which depends on nothing that the system does, and its latency
// counts from that time.
//
// # Schedule and pacer
//
// A [Profile] says what load is wanted: [Constant], [Ramp], [Poisson], [Steps],
// [Bursts], [Diurnal]. Opened, it
// is a [Schedule]: the function from the number of an operation to its intended
// time. [Shard] divides a schedule among agents, which together offer exactly the
// operations of the whole, each with its number in the whole.
//
// A [Plan] says what each operation of a schedule is, too: a [Mix] of kinds drawn by
// weights, the joins and leaves of [Sessions], or a [Trace]. [ShardPlan] divides it
// among agents by the members who carry the operations out; package coord has them do so.
//
// A [Pacer] carries a schedule out in real time: it sleeps, spins for the last
// few microseconds, and starts each operation that is due. What it does when it
// falls behind is a choice that the user makes ([CatchUp]), and what it could not
// offer is counted, never hidden: [PacerStats] of a run say whether the load was
// really there, before anyone reads a latency. A [Watch] tells, beside it, stalls of the
// platform and pauses of the runtime from those of the system.
package loadgen
