// Package senders has those who deliver packets to receivers in the measurements of internal/deliver: our node, and
// the loops that anybody could write with Go's net and x/net. The benchmarks of cluster and of replicate/peer measure
// them, and so does the command that draws what a node delivers. It measures nothing itself.
package senders
