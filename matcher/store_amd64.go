//go:build amd64 && !race

package matcher

// set writes a word that others may read. Between two atomic stores, which open and close make, amd64
// and the compiler keep plain ones where they are, and they cost a twentieth.
func set(p *uint64, v uint64) { *p = v }
