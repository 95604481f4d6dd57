// Package machine is the contract between the protocol and the world: what a
// state machine may learn, what it may ask for, and who owns which bytes. It
// contains no protocol and no driver; it does no I/O and reads no clock.
//
// # The contract
//
// A [Machine] learns everything through calls: a batch of datagrams that
// arrived, or that its deadline has passed. Commands (join, send, leave) are
// methods of the concrete machines with the same shape. It answers through the
// [Outbox] it is handed, and in no other way: no goroutine, no clock, no global
// randomness. So the same machine runs in virtual time, on sockets and in
// tests, and a run is a function of its inputs.
//
// A driver must
//
//  1. call a machine's methods one at a time;
//  2. pass a now that never decreases for one machine;
//  3. call Expire as soon as it can once now has reached Deadline, and ask for
//     Deadline again after every call;
//  4. carry out the Outbox after every call, in order, before it reuses the
//     received buffers, and empty it.
//
// # Two ways out
//
// Control messages are small and rare: [Outbox.Send] copies them. Forwarded data
// never is: [Outbox.Forward] notes an address, the header template of a trigger
// and the rest of the received packet, and the driver sends template and rest
// from where they lie. A machine may overwrite header bytes of a received packet
// in place, once, before it forwards it; it never writes payload.
package machine
