package mem

import "testing"

func TestReserve(t *testing.T) {
	const size = 64 << 30 // more than there is: only what is touched counts
	b, err := Reserve(size)
	if err != nil {
		t.Log("this build or system has none: ", err)
		return
	}
	defer Release(b)
	for _, i := range []int{0, 1 << 20, size - 1} {
		if b[i] != 0 {
			t.Errorf("byte %d is %d, want 0", i, b[i])
		}
		b[i] = 1
	}
}

// Touching changes nothing, and brings the pages.
func TestTouch(t *testing.T) {
	const size = 8 << 20
	b, err := Reserve(size)
	if err != nil {
		t.Log("this build or system has none: ", err)
		return
	}
	defer Release(b)
	b[5] = 7
	b[size-1] = 9
	Touch(b)
	Touch(b[:0])
	for i, c := range b {
		if want := map[int]byte{5: 7, size - 1: 9}[i]; c != want {
			t.Fatalf("byte %d is %d after a touch, want %d", i, c, want)
		}
	}
}
