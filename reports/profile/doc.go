// Package profile reads CPU profiles in the format of pprof, merges them, and says which stages of the protocol the
// time went to. It takes no profile, see package cluster, and draws nothing, see package chart.
//
// A sample belongs to the stage that its pprof label names, since a driver knows best what it was doing. Without such
// a label it belongs to that of the innermost function that the table in rules.go has a word about. What neither
// knows stays unattributed, and is told.
package profile
