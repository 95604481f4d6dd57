// Package chord says which node owns an identifier: the first node whose ring
// position is not below the identifier's 64-bit prefix. It does not move
// packets; nodes and hosts ask it where to send them.
//
// So far the ring is [Fixed]: every participant knows all nodes. The protocol
// layers ask through [Ring], which is all that a distributed ring has to fill.
package chord
