package deliver

import (
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newBoard returns memory that another process can map, too.
func newBoard() (*os.File, error) {
	fd, err := unix.MemfdCreate("deliver", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "board")
	if err := file.Truncate(int64(boardSize)); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// mapBoard returns the memory of a board.
func mapBoard(file *os.File) ([]byte, error) {
	memory, err := unix.Mmap(int(file.Fd()), 0, boardSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the board: %w", err)
	}
	return memory, nil
}

func unmapBoard(memory []byte) error { return unix.Munmap(memory) }

// processTime returns how long a process has had a processor, all its threads together. The clock is the one that
// clock_getcpuclockid(3) returns; /proc tells the same in steps of 10 ms.
func processTime(pid int) (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &now); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// briefly is how long a role sleeps that waits for room. The kernel makes about twice as much of it. The runtime's own
// sleep would be a millisecond where nothing else is to be done.
var briefly = unix.NsecToTimespec(50e3)

// pauseAlone sleeps without telling the runtime, which would have its monitor look for other work all the time, in the
// processor time that is measured.
func pauseAlone() {
	rest := briefly
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&rest)), 0, 0)
}

// pauseAmong sleeps in a process in which others have work to do.
func pauseAmong() {
	rest := briefly
	_ = unix.Nanosleep(&rest, nil)
}
