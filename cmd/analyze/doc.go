// Command analyze reads what a run left behind and presents it again: the page,
// the benchmark lines, the text, the table of a README; and it compares runs. It
// measures nothing and reads nothing but result directories, CPU profiles and the
// output of Go benchmarks.
//
//	analyze report DIR                     write report.html and bench.txt again
//	analyze text DIR                       print the figures as text
//	analyze readme DIR --file README.md    put the figures into a README
//	analyze export DIR --format json       write the report in another form
//	analyze compare OLD NEW                compare two versions, row by row
//	analyze gate OLD NEW                   the same, and fail if the new one is worse
//	analyze history DIR...                 rows over time, and where they changed
//	analyze profile FILE|DIR...            where the processor time went, by stage and function
//
// Exit codes: 0 done, 1 a file could not be read or written, 2 wrong usage. Those
// of compare, gate and history: 0 done, and no regression; 1 a regression, of gate
// alone; 2 wrong usage, or input that cannot be read; 3 no regression was found,
// but some row was too noisy, had too few runs, or is gone, of gate alone.
package main
