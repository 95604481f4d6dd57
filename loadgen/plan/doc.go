// Package plan predicts capacity: how many nodes a group needs, and what rate one machine can bear. It measures
// nothing, simulates nothing and reads no clock: what things cost and how groups behave it is told, each with its
// spread.
package plan
