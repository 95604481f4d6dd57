// Package daemon runs one i3 node as a process of its own: on an address that other machines reach, in a ring that it
// joins by the addresses of members, with metrics, health and lookups over HTTP, and a log.
//
// # What it is
//
// A [Config] comes from a file ([Load]) and flags; [Run] does the rest until its context ends. What is underneath is
// the node and the member of a ring that simulations run as well (i3/node, i3/chord): a daemon adds an address, a
// clock, and what an operator looks at.
//
// # Over HTTP
//
//	/metrics   counters of node, ring and sockets, for Prometheus
//	/healthz   200 as long as the node's loop answers
//	/readyz    200 as long as it is on a ring and is not leaving it; 503 and the reason otherwise
//	/ring      its place, what it owns, and whom it knows, in JSON
//	/lookup    ?prefix= 16 hexadecimal digits: who owns it, asked through the ring
//
// None of these changes anything, but /lookup sends packets: few go on at a time. They are for operators: the address
// is on the loopback unless it is given.
//
// # Secrets
//
// What keys nonces, table and questions is derived from one secret and the node's address. Without a file it is drawn
// at each start, which costs hosts one more challenge after a restart and nothing else.
package daemon
