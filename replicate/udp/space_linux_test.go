package udp

import (
	"encoding/binary"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A space is a network namespace of a test's own, which ends with it. What is opened in it stays in it; only threads
// have to enter.
type space struct{ fd int }

// noPrivilege begins the reason of a test that is skipped because the system does not let it have a network of its own.
// The CI looks whether that is so, and only then lets such tests be skipped.
const noPrivilege = "no network privilege: "

// newSpace makes a namespace and enters it, or skips the test where that is not allowed.
func newSpace(tb testing.TB) *space {
	tb.Helper()
	s := trySpace(tb)
	if s == nil {
		tb.Skip(noPrivilege, "cannot make a namespace")
	}
	return s
}

// trySpace is newSpace, but returns nil where it is not allowed. The thread is never unlocked, so that it ends with the
// goroutine of the test and no other finds itself in the namespace.
func trySpace(tb testing.TB) *space {
	tb.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		tb.Logf("unshare: %v", err)
		return nil
	}
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		tb.Fatalf("open namespace: %v", err)
	}
	tb.Cleanup(func() { _ = unix.Close(fd) })
	s := &space{fd}
	s.up(tb, "lo", 0)
	return s
}

// enter puts the thread of another test's goroutine into the namespace.
func (s *space) enter(tb testing.TB) {
	tb.Helper()
	runtime.LockOSThread()
	if err := unix.Setns(s.fd, unix.CLONE_NEWNET); err != nil {
		tb.Fatalf("setns: %v", err)
	}
}

// ioctl does something to a device.
func (s *space) ioctl(tb testing.TB, device string, request uint, set func(*unix.Ifreq)) {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq(device)
	if err != nil {
		tb.Fatal(err)
	}
	set(r)
	if err := unix.IoctlIfreq(fd, request, r); err != nil {
		tb.Fatalf("ioctl %#x of %s: %v", request, device, err)
	}
}

// up starts a device, with an MTU if it is not 0.
func (s *space) up(tb testing.TB, device string, mtu int) {
	tb.Helper()
	if mtu > 0 {
		s.ioctl(tb, device, unix.SIOCSIFMTU, func(r *unix.Ifreq) { r.SetUint32(uint32(mtu)) })
	}
	s.ioctl(tb, device, unix.SIOCSIFFLAGS, func(r *unix.Ifreq) { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING) })
}

// The offloads of a TUN device that are not in x/sys: it takes trains uncut.
const (
	tunChecksum = 0x01
	tunUSO4     = 0x20
	tunUSO6     = 0x40
)

// sink makes a TUN device that nobody reads: it drops what its queue does not take, and what is sent has paid for the
// whole way down to a device that cuts trains itself.
func (s *space) sink(tb testing.TB, device string, network netip.Addr, mtu int) {
	tb.Helper()
	fd := s.tun(tb, device, network, mtu, unix.IFF_VNET_HDR)
	// Without the offload for UDP the kernel cuts trains before the device; that is a slower sink, and still one.
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tunChecksum|tunUSO4|tunUSO6); err != nil {
		tb.Logf("TUN device without segmentation: %v", err)
		_ = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, tunChecksum)
	}
}

// tun makes a TUN device with the first address of a network of 2^16, and returns its descriptor.
func (s *space) tun(tb testing.TB, device string, network netip.Addr, mtu int, flags uint16) int {
	tb.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		tb.Skip(noPrivilege, "cannot make a TUN device: ", err)
	}
	tb.Cleanup(func() { _ = unix.Close(fd) })
	r, err := unix.NewIfreq(device)
	if err != nil {
		tb.Fatal(err)
	}
	r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, r); err != nil {
		tb.Skip(noPrivilege, "cannot make a TUN device: ", err)
	}
	own := network.As4()
	own[3] = 1
	s.ioctl(tb, device, unix.SIOCSIFADDR, func(r *unix.Ifreq) { _ = r.SetInet4Addr(own[:]) })
	s.ioctl(tb, device, unix.SIOCSIFNETMASK, func(r *unix.Ifreq) { _ = r.SetInet4Addr([]byte{255, 255, 0, 0}) })
	s.up(tb, device, mtu)
	return fd
}

// run runs a command in the namespace, or skips the test where it cannot be.
func (s *space) run(tb testing.TB, line string) {
	tb.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		tb.Skipf("%s%s: %v: %s", noPrivilege, line, err, out)
	}
}

// host returns the i-th address after another.
func host(after netip.Addr, i int) netip.Addr {
	b := after.As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(i))
	return netip.AddrFrom4(b)
}

// threadCPU returns the nanoseconds that this thread has had a processor for, the kernel's work for it with it.
func threadCPU(tb testing.TB) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		tb.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
