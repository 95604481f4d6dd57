// Package script reads and writes scenario scripts: text files of commands, each followed by the output that it must
// produce. It knows no command and runs nothing; a test does, and compares.
//
// # Format
//
//	# Comments stay with the command that follows them.
//	net degree=3
//	S R1 2
//	----
//	8 nodes
//
// A command is a line of fields. Lines after it, up to the dashes, are its input. What follows the dashes, up to an
// empty line or the end of the file, is its output.
package script
