// Command analyze reads what a run left behind and presents it again: the page,
// the benchmark lines, the text, the table of a README. It measures nothing and
// reads nothing but the files of a result directory.
//
//	analyze report DIR                     write report.html and bench.txt again
//	analyze text DIR                       print the figures as text
//	analyze readme DIR --file README.md    put the figures into a README
//
// Exit codes: 0 done, 1 a file could not be read or written, 2 wrong usage.
package main
