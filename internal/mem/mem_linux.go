//go:build linux && !race

package mem

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Reserve returns n bytes of zeros that take memory as they are first written, in huge pages
// where the system allows that. They must not hold Go pointers. The caller gives them back by [Release].
func Reserve(n int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("mem: reserve %d bytes: %w", n, err)
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // refused where there are none: then small ones do
	return b, nil
}

// Release gives back what [Reserve] returned. Nobody may use it any more.
func Release(b []byte) {
	if err := unix.Munmap(b); err != nil {
		panic(fmt.Sprintf("mem: release: %v", err))
	}
}
