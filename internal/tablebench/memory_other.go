//go:build !linux

package tablebench

import (
	"errors"
	"time"
)

// alloc returns n bytes of memory, zero.
func alloc(n int) (*Memory, error) {
	return &Memory{
		Bytes: make([]byte, n), Small: errors.ErrUnsupported, free: func() error { return nil },
	}, nil
}

// collapse does nothing here.
func collapse() (collapsed, all int) { return 0, 0 }

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
