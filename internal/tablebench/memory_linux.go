package tablebench

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	huge  = 2 << 20
	pages = huge / 4096 // small pages in a huge one
)

// alloc maps n bytes in huge pages, all of them there and zero.
func alloc(n int) (*Memory, error) {
	n = (n + huge - 1) &^ (huge - 1)
	all, err := unix.Mmap(-1, 0, n+huge, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("tablebench: map %d bytes: %w", n, err)
	}
	skip := -uintptr(unsafe.Pointer(&all[0])) & (huge - 1)
	m := &Memory{Bytes: all[skip:][:n:n], free: func() error { return unix.Munmap(all) }}
	m.Small = unix.Madvise(m.Bytes, unix.MADV_HUGEPAGE)
	for i := 0; i < n; i += huge / pages {
		m.Bytes[i] = 0
	}
	return m, nil
}

// collapse asks for huge pages in place of the small ones of the program's memory, its heap among them, of which the
// runtime maps many small ones. It returns how many there are now, and of how many, none where Linux is older than 6.1.
func collapse() (collapsed, all int) {
	file, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0, 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		from, to, ok := anonymous(lines.Text())
		if !ok {
			continue
		}
		for from = (from + huge - 1) &^ (huge - 1); from+huge <= to; from += huge {
			if !touched(from) {
				continue
			}
			all++
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, from, huge, unix.MADV_COLLAPSE); errno == 0 {
				collapsed++
			}
		}
	}
	return collapsed, all
}

// anonymous parses a line of /proc/self/maps: it returns where the mapping is, and whether it is memory of the
// program's own rather than a file or the stack.
func anonymous(line string) (from, to uintptr, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 5 || fields[1] != "rw-p" || fields[4] != "0" {
		return 0, 0, false
	}
	if len(fields) > 5 && !strings.HasPrefix(fields[5], "[anon") {
		return 0, 0, false
	}
	n, _ := fmt.Sscanf(fields[0], "%x-%x", &from, &to)
	return from, to, n == 2
}

// touched reports whether any of the 2 MiB from an address on is in memory.
func touched(from uintptr) bool {
	var resident [pages]byte
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, from, huge, uintptr(unsafe.Pointer(&resident)))
	return errno == 0 && slices.ContainsFunc(resident[:], func(r byte) bool { return r&1 != 0 })
}

// processorTime returns how long the program has had a processor so far.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
