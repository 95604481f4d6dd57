// Package deliverylines reads the results of the data path's benchmarks, lines in the format of Go benchmarks, and
// holds those of several rounds against each other. It writes none, measures nothing and draws nothing.
package deliverylines
