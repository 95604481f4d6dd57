// Package topology says how long a datagram takes between any two places of a
// network: by a matrix of round-trip times, measured and read from a file or
// generated, or by shortest paths in a generated graph. It delays nothing itself,
// which is the work of the drivers that ask it, and it knows nothing of loss and
// bandwidth.
//
// # Terms
//
// A place is where a host may be attached; places are numbered from 0. A
// [Matrix] has nodes, each of which is a place. A [Network] has a graph of nodes
// joined by edges, and only some nodes may be places. Each direction of an edge
// is a link. All latencies are whole nanoseconds.
//
// A domain is a set of places that are close to each other: a stub domain, or a
// place alone. A datagram from one domain to another is on its way for at least
// the look-ahead, so that a simulator may let domains run ahead of each other by
// as much. [Matrix] and [Network] share the methods that it takes: Len, OneWay,
// Domain, Domains and LookAhead.
//
// # Graphs
//
// [TransitStub] and [PowerLaw] make the graphs of which the paper speaks.
// [Instance] has shapes for its "10,000-node transit stub topology". Its sentence
// about their latencies has two readings, [Literal] and [Amended]; results depend
// on it, so a report must name the reading.
//
// Distances are exact: [Network.OneWay] is the latency of the shortest path,
// looked up in tables of a few megabytes for a transit-stub network, and in one
// of 4 bytes for each pair of nodes for a power-law network (200 MB for 10,000
// nodes). [Network.VisitPath] names the links of that path, for those who count
// the copies of a datagram on each.
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
