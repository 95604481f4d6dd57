package experiments

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks the kernel to use huge pages for the Go heap, as it is now.
func adviseHuge() (bytes int) {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0
	}
	defer f.Close()
	probe := make([]byte, 64<<10)
	at := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(probe))))
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		lo, rest, _ := strings.Cut(line, "-")
		hi, _, _ := strings.Cut(rest, " ")
		a, err1 := strconv.ParseUint(lo, 16, 64)
		b, err2 := strconv.ParseUint(hi, 16, 64)
		if err1 != nil || err2 != nil || at < a || at >= b {
			continue
		}
		if _, _, e := unix.Syscall(unix.SYS_MADVISE, uintptr(a), uintptr(b-a), unix.MADV_HUGEPAGE); e == 0 {
			bytes += int(b - a)
		}
		if _, _, e := unix.Syscall(unix.SYS_MADVISE, uintptr(a), uintptr(b-a), 25); e != 0 { println("collapse", e.Error()) }
	}
	return bytes
}
