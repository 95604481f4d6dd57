// Package tablelines reads the results of the tables' benchmarks, which are lines in the format of Go benchmarks, and
// says which of them count. It writes none, measures nothing and compares nobody.
package tablelines
