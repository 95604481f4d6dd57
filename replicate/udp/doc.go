// Package udp carries messages over UDP sockets: on Linux with many messages a system call and trains that the kernel
// cuts into datagrams, elsewhere with what golang.org/x/net offers. It does not know what is in a datagram, plans no
// trains, keeps no queue of its own and starts no goroutine.
//
// [Open] makes a socket, [OpenGroup] several of one port with the input steered among them, and [OpenClasses] one for
// each way out, so that a device that is full stops only the addresses behind it. All are a [Conn], which is a
// [i3bench/replicate.Port]. IPv4 only: so are the addresses that i3 hands out.
//
// Calls never wait for a device: every send and receive asks the kernel not to block, and on Linux the scheduler does
// not hear of them, as they end in microseconds (a call of 64 full trains in a few hundred). Only Wait sleeps.
package udp
