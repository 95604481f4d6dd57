//go:build !unix

package cluster

// truncated is zero where the system does not tell; the length check remains.
const truncated = 0
