package tablebench

import (
	"runtime"
	"testing"
)

func TestAlloc(t *testing.T) {
	const n = 5<<20 + 1
	m, err := Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	mem := m.Bytes
	if len(mem) < n {
		t.Fatalf("tablebench: %d bytes, want %d", len(mem), n)
	}
	for i, b := range mem {
		if b != 0 {
			t.Fatalf("tablebench: byte %d is %d, want 0", i, b)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// TestCollapse keeps what is in memory as it was.
func TestCollapse(t *testing.T) {
	heap := make([]byte, 16<<20)
	for i := range heap {
		heap[i] = byte(i >> 12)
	}
	collapsed, all := collapse()
	t.Logf("tablebench: %d of %d pages collapsed", collapsed, all)
	if collapsed > all || runtime.GOOS == "linux" && all < 7 {
		t.Errorf("tablebench: %d of %d pages collapsed, want some of at least 7", collapsed, all)
	}
	for i := range heap {
		if heap[i] != byte(i>>12) {
			t.Fatalf("tablebench: byte %d is %d, want %d", i, heap[i], byte(i>>12))
		}
	}
}
