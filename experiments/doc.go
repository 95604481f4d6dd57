// Package experiments runs the paper's experiments and the project's own: the
// cluster of section 7.1, the wide-area network of 7.2, load at a fixed rate, the
// judging of delivery under loss, and in virtual time the large groups of section
// 6. It puts a testbed on a driver, does what the experiment says, and hands every
// raw sample to the run that keeps them; it computes no figure itself (package
// reports does, from the samples), but for the trees of section 6, whose raw
// samples would be millions.
//
// Cluster, WAN, Deliver and Match run in two worlds: on UDP sockets in real time
// and in virtual time, with the same code (see [World]). So does [Scenario], which
// offers what a scenario of package loadgen/scenario says, and which [Agents] has several
// processes carry out, each an [Agent]. Load runs on sockets only;
// Growth, Recovery and Scale in virtual time only, since their groups are large.
//
// # Plans, jobs and suites
//
// A [Plan] says how the rows of the paper's tables and the points of its figures
// are simulated: seeds, sizes, networks, variants, faults. Each of its methods
// returns the jobs of one row, such as [Plan.Trees] for Figures 11 and 12.
//
// A [Job] is one run, of one seed: something that takes seconds to minutes on one
// processor and depends on nothing but its inputs. Its key names it for ever, and
// its weight and its steps tell how far it is, in the work of a receiver's joining.
//
// A [Suite] runs jobs beside each other. The samples of a job reach the sink when
// it has finished, all together, after them the hash of its trace, and at last a
// sample of kind [reports.KindRun] with its key. Where a run is cut off, the keys
// in its samples are therefore those of whole jobs, and [reports.Resume] can tell
// which ones another run has still to do.
package experiments
