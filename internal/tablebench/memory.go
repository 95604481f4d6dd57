package tablebench

import (
	"fmt"
	"runtime"
)

// A Memory is memory outside the heap, in huge pages where the system has them.
type Memory struct {
	Bytes []byte // zero at first
	Small error  // why its pages are small, if they are
	free  func() error
}

// Alloc returns at least n bytes of memory, which are to be given back.
func Alloc(n int) (*Memory, error) { return alloc(n) }

// Close gives the memory back; nothing may use it any more.
func (m *Memory) Close() error {
	if err := m.free(); err != nil {
		return fmt.Errorf("tablebench: unmap %d bytes: %w", len(m.Bytes), err)
	}
	return nil
}

// Settle makes memory what it should be before something is measured: there is no garbage, and as many pages are huge
// as the system allows.
func Settle() {
	runtime.GC()
	collapse()
}
