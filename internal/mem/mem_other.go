//go:build !linux || race

package mem

import "errors"

// most is how much of the heap may be taken for what is only reserved.
const most = 16 << 20

// Reserve fails unless it is asked for little, which is of the heap: this build has no other memory. (The race detector
// sees nothing else, and so a race build has none.)
func Reserve(n int) ([]byte, error) {
	if n > most {
		return nil, errors.New("mem: reserve: not so much in this build")
	}
	return make([]byte, n), nil
}

// Release does nothing.
func Release([]byte) {}
