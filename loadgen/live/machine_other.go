//go:build !linux

package live

func stolen() (taken, all uint64, ok bool) { return 0, 0, false }

func socketErrors() (n uint64, ok bool) { return 0, false }
