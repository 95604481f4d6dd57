// Package testbed deploys a ring of i3 nodes, one source and any number of
// receivers on a driver, real or simulated, and gives each its place in a
// network of measured delays and drawn losses. It offers no load and judges
// nothing; packages loadgen and verify do.
//
// A deployment knows its driver only as a function that opens endpoints, so an
// experiment written once runs on sockets and in virtual time.
package testbed
