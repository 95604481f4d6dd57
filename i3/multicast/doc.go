// Package multicast builds, maintains and repairs a multicast tree of triggers
// from the hosts' side alone, after "End-Host Controlled Multicast Routing"
// (Lakshminarayanan, Rao, Stoica, Shenker). The infrastructure is asked for
// nothing but forwarding, replication and anycast. It does no I/O: [Source] and
// [Receiver] are [machine.Machine] values.
//
// # The tree
//
// The group's identifier idg is the source's own. Every receiver R at level k
// has an identifier id_k of its own, on a node near it, and two triggers: its
// link (id_{k-1}, id_k) and its own (id_k, R). Its chain is the identifiers from
// idg to id_k. The key of id_k is the right constraint of id_{k-1}, so a tree can
// have no cycle. An identifier holds at most D+1 triggers: a receiver's own and D
// links. Below that the receiver is joinable, at it full.
//
// Three identifiers are derived from each id, all on the same node: the set of
// joinable children, the set of full children, and the repair group of all
// children (see [JoinSet], [FullSet], [RepairGroup]). The source is the only child
// of [RootOf] idg, so that a search that starts there needs no special case.
//
// With [Config.Relays] the source has some more identifiers, each below idg like a
// receiver's but on the source's node: more places next to the root. It stands for
// them in the sets and the repair group of idg's children, gives one answer to a
// query, and says when there is another to ask for.
//
// # Who takes part
//
// Whoever knows idg may join, and without a group key speak for anybody. With
// [Config.Key] every message ends in a tag that only members can make, and says
// when it was true, so that nothing is gained by sending it again. A group may have
// a public name, see [PublicName]: a receiver with a [Name] asks the source first, whose
// [Door] decides and tells idg and key, sealed for the asker.
//
// # What a receiver does
//
//	search --> attach --> attached --> joined --> leaving --> left
//	  ^          |FULL        | no data for long: re-insert the chain
//	  +----------+            + the chain is refused: search again
//
// Search is the paper's Figure 6: ask the sets of the current identifier, compare
// the distances of Equation 3 (differences of local timestamps in which all clock
// skews cancel), descend into the closest full child while that may help. With
// HopPercent in its [SearchPolicy] the last hop counts more, for which a receiver
// estimates the source's clock when it joins, and tells it with its distance. With
// another [Metric] candidates report that too, and it comes first; reports are hints,
// so the receiver measures for itself, before and after it joins (section 3.2.2). Attach
// inserts the two triggers. Attached becomes joined with the first packet that
// comes down the tree: from there on every packet is owed.
//
// A receiver in the tree may move: at somebody's wish ([Receiver.Move]), or because
// it looks for nearer parents ([ProbePolicy]). Its identifier and those of all below
// it change then, but only their keys. Each takes its next seat when a packet has
// come by it, and gives the old one back some time after, so that none is missed.
//
// Every receiver refreshes every link of its chain, at random times, and every
// refresh is announced to the subtree below, which puts off its own (section 4).
// A gap in the sequence numbers, or a heartbeat beyond the last packet, makes a
// receiver ask the repair group of its parent by anycast; whoever is asked and
// lost it too asks one level up, for its whole subtree (section 5).
//
// # Roles
//
// One source is at the root: searches begin at it, distances are measured from it, and it
// is the last to be asked for a repair. It may hand that role to a [Standby], a receiver that also takes it
// when the source falls silent ([Source.HandOver], [Config.Rank]). With [Config.MaxSources] other sources send to the
// group ([Config.Number]), and with [Config.Agents] receivers answer those who begin a search. A source, and
// each of its incarnations, has a stream of its own, which its epoch names; see [Events].Follow.
package multicast
