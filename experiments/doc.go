// Package experiments runs the paper's experiments and the project's own: the
// cluster of section 7.1, the wide-area network of 7.2, load at a fixed rate, and
// the judging of delivery under loss. It puts a testbed on a driver, does what the
// experiment says, and hands every raw sample to the run that keeps them; it
// computes no figure itself (package reports does, from the samples).
//
// Every experiment but the load runs in two worlds: on UDP sockets in real time
// and in virtual time, with the same code (see [World]).
package experiments
