// Package topology says how long a datagram takes between any two nodes: so far
// by a matrix of round-trip times, measured and read from a file or generated.
// It delays nothing itself, which is the work of the drivers that ask it, and
// it knows nothing of loss, bandwidth or routes.
//
// # File format
//
// [Read] takes the text form in which such measurements are usually published:
// one line per node, without a header, of as many entries as there are nodes,
// separated by tabs or spaces. Row i, column j is the round-trip time in
// milliseconds as measured from i to j, so the matrix need not be symmetric; its
// diagonal is 0. The file may be compressed by gzip, whatever its name.
//
// A pair that was not measured is written 0 or -1, the two marks in common use.
// (No two hosts are 0 ms apart, and to simulate an unknown distance as none would
// flatter every result.) An entry cannot be left empty: with blank separators
// nobody could tell which one is missing.
//
// [Matrix.OneWay] halves the round-trip time, since the one-way delays of the
// Internet cannot be had without synchronised clocks.
//
// # Generated matrices
//
// [Generate] serves where the user names no measurement. It is synthetic:
// plausible in kind, fitted to nothing, and no figure that comes from it should
// be compared with one from a measured network.
package topology
