// Package live keeps the account of a run while it goes on, and shows it: a [Snapshot] once a second, as a screen for
// a terminal, as a line of text, or as a line of JSON. It measures no operation itself, keeps no sample, and judges
// nothing for good: the report of a run is made from its samples, by package reports.
//
// An experiment tells a [Meter] of every operation, and once a second what its receivers and nodes have counted by
// then (a [State]). The meter makes rates of the differences, and hands the snapshot to whoever shows it. Package
// loadgen/live/page shows it in a browser.
//
// Times are those of the experiment: in virtual time a second of a rate is a virtual one.
package live
