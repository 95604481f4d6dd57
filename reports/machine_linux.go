package reports

import "golang.org/x/sys/unix"

// kernelAndMemory returns the release of the kernel and the physical memory in
// bytes.
func kernelAndMemory() (kernel string, bytes uint64) {
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		kernel = unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		bytes = uint64(info.Totalram) * uint64(info.Unit)
	}
	return kernel, bytes
}
