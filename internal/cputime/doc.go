// Package cputime tells benchmarks for how long the program had a processor, which says more of a loop that only
// computes than the clock on the wall where other programs want the processor, too. It knows nothing of waiting, and
// nothing at all on systems other than Linux.
package cputime
