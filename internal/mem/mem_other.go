//go:build !linux || race

package mem

import "errors"

// Reserve fails: this build has no memory beside the heap. (The race detector sees
// nothing else, and so a race build has none.)
func Reserve(int) ([]byte, error) {
	return nil, errors.New("mem: reserve: not in this build")
}

// Release does nothing.
func Release([]byte) {}
