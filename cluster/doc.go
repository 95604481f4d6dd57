// Package cluster runs the machines of the protocol on real UDP sockets, one
// socket and one goroutine each, any number in one process. It contains no
// protocol and offers no load.
//
// Payloads of forwarded packets are not copied in user space: the kernel reads
// each copy from the trigger's template and the received buffer (sendmmsg with
// two vectors, where the system has it). Control messages were copied once, into
// the machine's outbox.
//
// A [World] may impose a network on its datagrams: each waits in the receiver's
// delay line for as long as the path takes, or is dropped with the path's
// probability. The datagrams are real all the same; only their time is made.
package cluster
