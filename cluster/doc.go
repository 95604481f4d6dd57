// Package cluster runs the machines of the protocol on real UDP sockets, any
// number in one process. It contains no protocol and offers no load.
//
// # Carriers
//
// On Linux the endpoints of a [World] share a few sockets, one for each processor:
// every endpoint is a loopback address of its own, and one system call reads and
// another sends for many. Elsewhere, or on request, each endpoint has a socket and
// a goroutine of its own. Machines cannot tell the difference.
//
// Payloads of forwarded packets are not copied in user space: the kernel reads
// each copy from the trigger's template and the received buffer where they lie.
// Control messages were copied once, into the machine's outbox.
//
// # Imposed networks
//
// A [World] may impose a network on its datagrams: each waits in the receiver's
// delay line for as long as the path takes, or is dropped with the path's
// probability. The datagrams are real all the same; only their time is made.
package cluster
