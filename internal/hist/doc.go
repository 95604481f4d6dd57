// Package hist counts durations and other non-negative integers in a histogram
// of fixed memory, with percentiles within 0.8 percent over the whole range of
// int64. It keeps no samples, no time stamps and no units, writes no files, and
// takes no lock: give each goroutine its own histogram and [Histogram.Merge]
// them.
//
// The buckets are log-linear, as in HdrHistogram (Tene): the values below 128
// have a bucket each, and every later power of two is cut into 64 buckets of
// equal width.
//
//	value   0 1 2 ... 127 | 128 130 132 ... 254 | 256 260 ... 508 | 512 ...
//	width        1        |          2          |        4        |  8
//
// So a bucket is never wider than 1/64 of its values and its middle is at most
// 1/128 away from any of them.
package hist
