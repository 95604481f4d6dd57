// Package host is what every i3 end host needs, whatever it does with it: it
// inserts triggers, answers challenges, refreshes and removes triggers, and
// sends packets to identifiers and to other hosts. It builds no trees; package
// multicast stands on top of it. It does no I/O: a [Host] is a
// [machine.Machine] that hands what arrives to a [Handler].
//
// A trigger is a small task with a state of its own:
//
//	Maintain ---> asked ---> acknowledged ---> (0.4 T .. 0.5 T later) asked ...
//	Insert   ---> asked ---> acknowledged, forgotten
//	Remove   ---> asked ---> acknowledged, forgotten
//
// "Asked" sends the request again until it is acknowledged, each time later,
// and gives up after a number of tries. A challenge that arrives meanwhile is
// answered at once, and its nonce is kept for the next refresh.
package host
