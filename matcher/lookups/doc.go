// Package lookups has the tables whose look-ups are measured: the matcher's, the least that such a table can do, and
// the map of Go, each filled with the identifiers of the job in internal/tablebench. It measures nothing itself: the
// matcher's benchmarks and the command that draws cost against size do, with the same tables.
package lookups
