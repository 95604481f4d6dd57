// Package peer runs the queries of reports/sql in DuckDB on a Parquet file that package reports wrote, and compares
// what they say with the summaries of package reports. It is a module of its own, because it links DuckDB, and nothing
// may import it: the project hands its samples over as a file.
//
// That is a test of three things at once: another program can read the file, the queries are right, and so are the
// figures of the report, computed again by a stranger.
package peer
