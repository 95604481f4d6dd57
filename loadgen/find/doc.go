// Package find searches for the largest rate at which a system meets objectives,
// several of them in one search. It offers no load, measures nothing and reads no
// clock: whoever calls it carries out the trials that it asks for ([Search.Next])
// and tells what came of them ([Search.Record]); [Run] does both in turn.
//
// # What is looked for
//
// The result of a trial is a matter of chance. What an objective's answer is about
// is therefore the rate at which half of the trials of full length meet it; the
// longer the trials, the nearer that is to what holds for ever. The search takes
// for granted that a higher rate is met no more often than a lower one, and that a
// trial does not depend on those before.
//
// # The search
//
// The rate that meets all objectives is found first, then that of each objective
// by itself, as far as trials and time go. The search follows MLRsearch, of FD.io's
// CSIT project, in three things: short trials first, full length where it counts;
// one trial says something about every objective; and a border counts only when
// several trials agree about it.
//
//  1. Ramp: from the least rate up by a factor, in short trials, until one fails.
//     Load is never jumped to.
//  2. Halve: the rate in the middle of the bracket, on a logarithmic scale, in
//     trials that grow longer as it grows narrower, until its ends are nearer than
//     the precision. Then each end is looked at for the full length. Where a trial
//     contradicts one that was not longer, the newer one counts, and the bracket
//     opens again; trials so short as one that was refuted are not used any more.
//  3. Borders: trials of full length at both ends in turn, until the evidence suffices
//     that the lower one is met and the upper one fails. They take turns because a
//     machine may be slower for a while: that is to speak against the lower end, and
//     what is faster against the upper one, in every search. An end that
//     much speaks against moves outwards, by twice as much each time: what is
//     uncertain makes the interval wider.
//  4. Check: a trial each at shares of the largest rate that meets all, for the
//     curve of latency against load, and to see whether lower rates are met too.
//
// # Evidence
//
// Before each trial at a border a bet is made that its outcome will be the one
// that is claimed. A bet won multiplies the evidence by 1.7, one lost by 0.3. If
// the claim were wrong, so that at most half of the trials turned out that way,
// the evidence would be a supermartingale from 1, and would ever reach 1/a with
// probability a at most, whenever one stops (Ville's inequality). An end that
// moves goes outwards only, and takes its evidence with it: the bound is for all
// places at which it has been. So six trials that agree are 1.7^6 = 24, a
// confidence of 96 % in that end. What a trial says about an objective counts as
// a bet at the end of that objective only, and only after a look there has said
// the same; which that is follows from the trials before, so that sharing trials
// among objectives does no harm.
//
// # Unusual endings
//
// A trial that is not valid, because the generator and not the system was the
// limit, neither meets nor fails; after three in a row at a rate nothing is tried
// at that rate or above, and what holds below it is a lower bound only
// ([Limited]). Where everything is met up to the largest rate, that is the answer
// ([AtLeast]); where the least rate is not met, there is none ([None]); where the
// trials or the time ran out, the ends are as good as their confidence says
// ([Open]); where rates below the interval fail, or rates above it are met, they
// are named, and the answer cannot be trusted ([Contradicted]).
package find
