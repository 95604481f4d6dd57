//go:build !linux

package tablebench

import (
	"testing"
	"time"
)

// Alloc returns n bytes of memory, zero.
func Alloc(_ testing.TB, n int) []byte { return make([]byte, n) }

// collapse does nothing here.
func collapse() (collapsed, all int) { return 0, 0 }

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
