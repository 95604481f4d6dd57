// Package tablebench is the job that tables are measured with: which identifiers a table holds, which are looked up in
// it, in what memory, and how that is timed. It contains no table and serves only benchmarks and the
// command that draws them; tables.cc below matcher/peer says the same in C++, key for key.
//
// # Identifiers
//
// Identifiers are random, of 256 bits, and the first 192 of them are the key. The identifier with number i is four
// words in a row, from word 4i on, of the stream of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
// number generators", 2014): with seed 1 those that are in the table, whose value is i, with seed 2 those that are
// not.
//
// # Look-ups
//
// Look-ups come one after the other from an array of identifiers of 32 bytes each: 65,536 for tables of up to 100,000,
// 4,194,304 for larger ones. The array is drawn from the stream with seed 3. Each look-up takes one bit, if only half
// of them hit, and then words until it has the number of its identifier:
//
//	uniform  every number is as likely: the high half of the product of n and a word
//	zipf     the number of rank k is 1/k as likely as that of rank 1 (Zipf's law, s = 1)
//
// Zipf's law is drawn in whole numbers, so that two programs draw the same: an octave of ranks at random, then a rank
// k in it; that is kept, if it is not above n, with the probability f/k, where f is the first rank of the octave;
// otherwise all is drawn again. Ranks are spread over the numbers by a multiplication with a prime, so that those
// that are looked up often were not inserted together.
//
// # Time
//
// Time is that of the clock on the wall, as in every benchmark. Beside it stands for which part of it the program had
// a processor, because tables differ by less than what a busy machine does to a figure.
//
// # Memory
//
// All is in pages of 2 MiB where the system has them, tables and look-ups: tables are compared, and not how their
// memory happens to be mapped.
package tablebench
