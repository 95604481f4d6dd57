// Package compare says whether one set of runs is worse than another, and when in
// a series of runs a figure changed. It measures nothing, and starts nothing: its
// inputs are result directories and the output of Go benchmarks.
//
// # The rule
//
// A row is one benchmark and unit. A row that cannot vary (a count of the
// simulator, the hash of its trace) is compared exactly. Any other is worse if all
// of this holds:
//
//   - the Mann-Whitney test calls the two samples different, after the correction
//     of Benjamini and Hochberg over all rows;
//   - the medians differ by a minimum effect, in the direction that is worse for
//     the unit;
//   - for a [Gate], the loss is one that the row could have been relied upon to show,
//     see below, and a second pair of samples, measured afterwards, says all this again.
//
// Each row has the smallest change that it would have shown in four of five
// cases. A row in which that is too large is too noisy to tell, which is not the
// same as no change.
//
// # Change points
//
// [Changes] splits a series where the energy statistic between the two sides is
// largest, if a permutation test calls that significant, and then each side again:
// the hierarchical form of Matteson and James, "A Nonparametric Approach for
// Multiple Change Point Analysis of Multivariate Data" (Journal of the American
// Statistical Association 109, 2014), on ranks, so that one outlier counts as one,
// and with the right end of the second side always that of the segment.
package compare
