// Package naive is the trigger table of package matcher written to be obviously
// right: one list of triggers in the order of their insertion, and every method
// a loop over all of it. It is not meant to be fast, and nothing but tests and
// comparisons should use it.
//
// Its methods are those of matcher.Table, with the same meaning. Two things that
// matcher leaves open differ: the order of All and Sweep, which here is that of
// insertion, and what a call of Sweep counts as a visit.
package naive
