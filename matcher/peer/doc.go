// Package peer measures the tables of others on the job of matcher's benchmarks, in Go and in C and C++. It is a
// module of its own, so that what it compares with never becomes something that the project depends on, and nothing
// may import it.
//
// # In Go: peers_test.go
//
//	table   module                          key, and why it is here
//	xsync   github.com/puzpuzpuz/xsync/v4   24 bytes; a map for many goroutines, made for its size at once
//	swiss   github.com/cockroachdb/swiss    24 bytes; a Swiss table like the standard map, written for a database
//	bart    github.com/gaissmai/bart        16 bytes as a /128; longest-prefix match, but for addresses
//
// The versions are those of go.mod.
//
// # In C and C++: tables/tables.cc
//
//	table                library         key, and how it is used
//	absl-find            Abseil          24 bytes; flat_hash_map::find, one after the other
//	absl-prefetch16      Abseil          the same after a prefetch of 16 at a time
//	dpdk-bulk32, -64     DPDK rte_hash   24 bytes; lookup_bulk_data of 32 or 64 at a time, with its CRC hash
//	dpdk-lfext-bulk32..  DPDK rte_hash   the same with readers that take no lock, and overflow for full buckets
//
// What they are built with is said at the top of tables/tables.cc.
//
// All take a key to 32 bits, which are added up. They do less than the table of matcher: no anycast, no lists of
// triggers, no expiry, and for the CRC of rte_hash anybody can find keys that collide.
package peer
