// Package sim runs the machines of the protocol in virtual time: the same nodes
// and hosts as package cluster does on sockets, on a network of delays and
// losses, deterministically. It opens no socket and reads no clock.
//
// A run is a function of its inputs: the machines, their seeds, the network and
// the world's seed. [World.TraceHash] is a hash of every datagram delivered or
// lost, with its time and its bytes; equal hashes mean equal runs.
package sim
