// Package prng draws pseudorandom numbers from a seed: the only source of
// randomness of the protocol layers, so that one seed replays one run. It is
// not cryptographic, never reads the operating system's randomness, and must
// not make cookies, keys or identifiers that an attacker should not guess.
//
// There are two ways to draw. They answer different questions.
//
// A [Source] is a sequence: the next draw depends on how many came before.
// Give every machine its own, made by [New] from the seed of the run and a
// stream number of the machine's own, and no machine's draws depend on what
// another machine does.
//
// [Hash3] and [Hash4] are functions: the draw depends on its coordinates
// alone. Use them where the order of events must not matter, as for the loss
// of the n-th datagram of a link: the same datagrams are lost whether links
// are served in one order or another, by one thread or by eight.
//
// Beside them, [Bytes] and [Chain] draw nothing: they fold what happened in a run
// into one word, quickly, so that runs can be compared.
//
// All results are the same on every architecture: integers only, and floats
// made by exact operations.
package prng
