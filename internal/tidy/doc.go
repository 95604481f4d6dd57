// Package tidy keeps the house in order: its tests read every file of the module and enforce the layers, the size of
// files and functions, the documentation and the wording that CONTRIBUTING.md describes. It has no code of its own
// outside its tests, and it changes nothing: a finding is printed with its file and line, and a person mends it.
//
// Each rule is a function from the parsed sources to findings. TestTree runs the rules over the module itself;
// TestPlanted runs each of them over a few small sources in which something is wrong on purpose, because a rule that
// has never been seen to fail guards nothing. There is no list of exceptions.
package tidy
