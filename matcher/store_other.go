//go:build !amd64 || race

package matcher

import "sync/atomic"

// set writes a word that others may read.
func set(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
