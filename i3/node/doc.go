// Package node is an i3 node: it keeps the triggers of the identifiers it owns
// and forwards packets along them, to hosts, to other identifiers of its own or
// to the nodes that own them. It does not place identifiers (package chord
// does), stores no packet, and does no I/O: a [Node] is a [machine.Machine].
//
// # Requests
//
// Insertions, refreshes, probes and removals come in batches of up to
// [i3.MaxEntries]. A request whose host triggers do not all carry the right nonce
// changes nothing: the right nonces go to the address that the triggers name,
// never to the sender, in a packet that is no larger than the request. So
// nobody is sent packets who did not ask for them (Secure-i3; paper section 4.1).
// A request that does is acknowledged, entry by entry, to its sender.
//
// # Data
//
// A data packet is matched once for every identifier on its way through the
// node (longest prefix, see package matcher) and leaves as one copy per target.
// No copy is made here: each is an address, the header template of the last
// trigger on the way that led to an identifier, and the bytes that arrived.
//
//	local trigger chain:    packet to a ---> (a, b) ---> (b, host)
//	leaves as:              template of b | rest of the packet as it arrived
//
// # The ring
//
// What a node owns is known beforehand, or it is a member of a ring that forms itself (Config.Member), which the node
// runs: its packets come and go with the others. A packet for somebody else's identifier goes on to the owner, or, as
// long as the node does not know it, to the last node before it that it knows. A request for one is refused with
// [i3.StatusNotOwner].
//
// A node that joins fetches the triggers of what it owns by then, and passes packets for these on to its successor
// until it has all. One that leaves ([Node.Leave]) has its successor fetch them, and matches packets until that has
// all; then the successor does, and the one that leaves passes on what still comes, until nothing does ([Node.Left]).
//
// With Config.Mirrors a node has mirrors of the triggers of the two members before it: it asks them what has changed,
// and matches packets for them as soon as the ring says that they are its own, since those have crashed.
//
// # Limits
//
// Triggers per identifier, triggers in all, identifiers of one node in a chain,
// nodes on a way, and copies of one batch are bounded, and so is what one source
// may have and ask for ([Limits]); what is above is refused with a status or
// dropped, and always counted. Time is kept in milliseconds of
// 32 bits: a node serves for 49 days of its driver's clock.
package node
