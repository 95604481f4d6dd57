// Package reports writes, reads and presents the result of a run: a directory
// of a manifest, raw samples, Go benchmark lines and one HTML page. It does not
// measure anything and keeps no figure that cannot be computed again from the
// raw samples.
//
// # The result directory
//
//	run.json        manifest: what ran, where, with which parameters, how it ended
//	samples.csv     raw samples, one a line, appended while the run goes on
//	events.parquet  the same, by column, when the run ends: for other programs
//	latency.hlog    latencies as a log of HdrHistogram, when the run ends
//	bench.txt       derived: Go benchmark format, for benchstat
//	report.html     derived: one self-contained page
//	cpu.pprof       a CPU profile of the run, if there is one; cpu-NAME.pprof of other processes
//
// A command under test creates a [Run], hands it samples and closes it; a
// reader calls [Open], which accepts what a killed run left behind and makes do
// with either file of samples, and then [Text], [Markdown], [Bench] or [HTML].
// [Render] writes the last two files again from the others. docs/results.md says
// what a reader may rely on, and what is lost with what.
//
// # Samples
//
// Each sample has a stage and a kind; kinds.go lists the pairs, the columns
// that make sense for each, and the ones that its reader cannot do without.
//
// # Adding a section
//
// A section of the report is one function from a [Result] to a [Section], in a
// file of its own, named in the registry of section.go. It computes a summary
// (a pure function of samples, tested on values worked out by hand), and says
// it as tables, charts, findings and benchmark lines; text, Markdown, HTML and
// benchmark output need no change for it.
//
// # Statistics
//
// Percentiles are exact: nearest rank on the raw samples, never interpolated.
// Operations that failed stay in their distribution as its slowest members.
// The spread of a figure is the 95 % interval of its mean over seeds by Student's
// t, or the range of fewer than three seeds; receivers of one seed are never
// taken for independent, which is why two worlds are compared by rearranging
// seeds ([Compare]). Verdicts compare with the paper's values (paper.go) by rules
// stated beside them; a miss says by how much.
package reports
