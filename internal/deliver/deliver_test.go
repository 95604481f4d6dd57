package deliver_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"i3bench/internal/deliver"
)

func TestMain(m *testing.M) {
	deliver.Main(map[string]deliver.Role{
		"plain": plain, "lossy": lossy, "twice": twice, "swap": swap, "short": short, "copier": copier,
		"stall": stall, "mute": mute, "fail": fail, "panic": panics, "stuck": stuck, "host": host, "first": first,
	})
	goleak.VerifyTestMain(m)
}

// send sends what it takes to every receiver by way of a function that may do it wrong.
func send(t *deliver.Task, one func(to int, number uint64, send func(number uint64, size int) error) error) error {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	t.Ready("")
	packet := make([]byte, 2*t.Size)
	for {
		first, n := t.Take(16)
		if n == 0 {
			return nil
		}
		for number := first; number < first+uint64(n); number++ {
			for i, to := range t.To {
				err := one(i, number, func(number uint64, size int) error {
					deliver.Stamp(packet[:t.Size], number)
					_, err := conn.WriteToUDPAddrPort(packet[:size], to)
					return err
				})
				if err != nil {
					return err
				}
			}
		}
	}
}

func plain(t *deliver.Task) error {
	return send(t, func(_ int, number uint64, send func(uint64, int) error) error { return send(number, t.Size) })
}

// lossy leaves out packet 20 to receiver 2.
func lossy(t *deliver.Task) error {
	return send(t, func(to int, number uint64, send func(uint64, int) error) error {
		if to == 2 && number == 20 {
			return nil
		}
		return send(number, t.Size)
	})
}

// twice sends packet 20 to receiver 1 twice.
func twice(t *deliver.Task) error {
	return send(t, func(to int, number uint64, send func(uint64, int) error) error {
		if to == 1 && number == 20 {
			return errors.Join(send(number, t.Size), send(number, t.Size))
		}
		return send(number, t.Size)
	})
}

// swap sends packet 19 to receiver 1 in place of 20.
func swap(t *deliver.Task) error {
	return send(t, func(to int, number uint64, send func(uint64, int) error) error {
		if to == 1 && number == 20 {
			number--
		}
		return send(number, t.Size)
	})
}

// short sends one that is a byte too short.
func short(t *deliver.Task) error {
	return send(t, func(to int, number uint64, send func(uint64, int) error) error {
		if to == 1 && number == 20 {
			return send(number, t.Size-1)
		}
		return send(number, t.Size)
	})
}

// stall takes packets and then does nothing with them.
func stall(t *deliver.Task) error {
	t.Ready("")
	t.Take(16)
	t.Wait()
	return nil
}

// mute never says that it is ready.
func mute(t *deliver.Task) error {
	t.Wait()
	return nil
}

func fail(t *deliver.Task) error {
	t.Ready("")
	return fmt.Errorf("first line\nsecond line, of %s", t.Arg)
}

func panics(t *deliver.Task) error {
	t.Ready("")
	time.Sleep(10 * time.Millisecond)
	panic("broken to pieces")
}

// stuck does its work but never ends.
func stuck(t *deliver.Task) error {
	if err := plain(t); err != nil {
		return err
	}
	for {
		time.Sleep(time.Hour)
	}
}

// copier takes packets at an address of its own and copies them.
func copier(t *deliver.Task) error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() {
		<-t.Over()
		_ = conn.SetReadDeadline(time.Now())
	}()
	t.Ready(conn.LocalAddr().String())
	for packet := make([]byte, t.Size); ; {
		n, err := conn.Read(packet)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, to := range t.To {
			if _, err := conn.WriteToUDPAddrPort(packet[:n], to); err != nil {
				return err
			}
		}
	}
}

// host lets others work.
func host(t *deliver.Task) error {
	t.Ready("some address")
	t.Wait()
	return nil
}

// first says that the first receiver is itself, so that it is fed without a sender.
func first(t *deliver.Task) error {
	t.Ready(t.To[0].String())
	t.Wait()
	return nil
}

// small is a setup that takes no time and shares little.
func small(sender string) deliver.Setup {
	return deliver.Setup{
		Sender: sender, Fan: 4, Size: 64, Window: 64, Warm: time.Millisecond, Patience: 400 * time.Millisecond,
	}
}

// run measures a setup for a few slices.
func run(t *testing.T, s deliver.Setup) (deliver.Result, error) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("deliver: it needs Linux")
	}
	r, err := deliver.Start(s)
	if err != nil {
		return deliver.Result{}, err
	}
	for range 3 {
		if r.Slice() != nil {
			break // Stop says the same
		}
	}
	return r.Stop()
}

func TestDelivers(t *testing.T) {
	fed := small("copier")
	fed.Local = deliver.Feed(nil)
	trains := small("plain")
	trains.Trains = true
	long := small("plain")
	long.Size, long.Fan = 9000, 1
	for name, s := range map[string]deliver.Setup{
		"plain": small("plain"), "trains": trains, "fed": fed, "long": long, "defaults": {Sender: "plain"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := run(t, s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Packets == 0 || r.Packets != r.Datagrams || r.Reads > r.Datagrams || r.Received != 100 {
				t.Errorf("deliver: %+v, want as many packets as datagrams, not more reads, and 100 %% received", r)
			}
			if r.Processor <= 0 || r.Processor > 2*r.Wall {
				t.Errorf("deliver: sender had a processor for %v of %v", r.Processor, r.Wall)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	mute := small("mute")
	mute.Startup = 300 * time.Millisecond
	unread := small("nobody")
	unread.Arg = strings.Repeat("x", 1<<20) // more than a pipe takes: the process is gone while it is handed over
	local := small("copier")
	local.Local = func(*deliver.Task) error { return errors.New("no way") }
	early := small("copier")
	early.Local = func(t *deliver.Task) error { t.Ready(""); return nil }
	failing := small("fail")
	failing.Arg = "some"
	for name, c := range map[string]struct {
		setup deliver.Setup
		is    error
		says  string
	}{
		"lost":    {small("lossy"), deliver.ErrLost, "to receiver 2"},
		"doubled": {small("twice"), deliver.ErrWrong, "receiver 1 got"},
		"swapped": {small("swap"), deliver.ErrWrong, "receiver 1 got as many packets as were sent"},
		"short":   {small("short"), deliver.ErrWrong, "receiver 1 got 1 datagrams that hold no packets of 64 bytes"},
		"stalled": {small("stall"), deliver.ErrStalled, "nothing arrived for 400ms, 0 of 64 copies did before"},
		"unready": {mute, deliver.ErrStalled, "not everybody ready after 300ms"},
		"failing": {failing, nil, "its process: first line\nsecond line, of some"},
		"broken":  {small("panic"), nil, "broken to pieces"},
		"unknown": {small("nobody"), nil, `sender "nobody" to 4 receivers: its process: no such role`},
		"unread":  {unread, nil, "its process: no such role"},
		"stuck":   {small("stuck"), nil, "its process ended: exit status 2"},
		"local":   {local, nil, "no way"},
		"early":   {early, nil, "the local role ended early"},
		"fan":     {deliver.Setup{Fan: 5000}, nil, "5000 receivers, want 1 to 1024"},
		"size":    {deliver.Setup{Size: 7}, nil, "packets of 7 bytes, want 8 to 65507"},
		"window":  {deliver.Setup{Window: 1}, nil, "a window of 1 packets"},
		"own":     {deliver.Setup{Own: true}, nil, "Own without Local"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, c.setup)
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("deliver: error %q, want one that says %q and is %v", err, c.says, c.is)
			}
		})
	}
}

// TestTrains has trains fed to a receiver, once as it wants them and once not.
func TestTrains(t *testing.T) {
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprintf("whole=%t", whole), func(t *testing.T) {
			s := small("first")
			s.Fan, s.Trains, s.Local = 1, whole, deliver.Feed(nil)
			r, err := run(t, s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Packets == 0 || r.Packets != r.Datagrams {
				t.Errorf("deliver: %+v, want as many packets as datagrams", r)
			}
			if whole && r.PerRead() < 16 {
				t.Errorf("deliver: %.1f packets a read, want whole trains of 16", r.PerRead())
			}
		})
	}
}

// TestBundles has two packets in a datagram, one after the other, and a counter that knows others.
func TestBundles(t *testing.T) {
	half := small("plain")
	half.Count = func(datagram []byte) (int, uint64) { return 1, deliver.Number(datagram) }
	if _, err := run(t, half); err != nil {
		t.Error(err)
	}
	half.Count = func([]byte) (int, uint64) { return 0, 0 }
	if _, err := run(t, half); !errors.Is(err, deliver.ErrWrong) {
		t.Errorf("deliver: error %v of a counter that knows no packet, want %v", err, deliver.ErrWrong)
	}
}

// TestOwnReceivers has a local role that is the receivers, too, which get their packets from nowhere.
func TestOwnReceivers(t *testing.T) {
	s := small("host")
	s.Own, s.Local = true, func(t *deliver.Task) error {
		if t.Peer != "some address" || len(t.To) > 0 {
			return fmt.Errorf("peer %q, receivers %v", t.Peer, t.To)
		}
		t.Ready("")
		for {
			first, n := t.Take(1)
			if n == 0 {
				t.Wait()
				return nil
			}
			for i := range t.Fan {
				t.Tally(i).Add(1, 0, 1, first)
			}
			time.Sleep(100 * time.Microsecond)
		}
	}
	r, err := run(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Packets == 0 || r.Packets != r.Reads || r.Datagrams != 0 {
		t.Errorf("deliver: %+v, want as many packets as reads and no datagrams", r)
	}
}

// TestWindow has a sender run against its window: who has read nothing is owed no more than that.
func TestWindow(t *testing.T) {
	s := small("host")
	s.Window, s.Own, s.Patience = 24, true, 100*time.Millisecond
	taken := make(chan int, 1)
	s.Local = func(t *deliver.Task) error {
		t.Ready("")
		sum := 0
		for {
			first, n := t.Take(100)
			if n == 0 {
				taken <- sum
				return nil
			}
			sum += n
			for i := range t.Fan - 1 {
				t.Tally(i).Add(n, 0, 1, first)
			}
		}
	}
	if _, err := run(t, s); !errors.Is(err, deliver.ErrLost) {
		t.Errorf("deliver: error %v, want %v", err, deliver.ErrLost)
	}
	if n := <-taken; n != 24 {
		t.Errorf("deliver: %d packets taken of a window of 24, want all", n)
	}
}

// fakeBench is a benchmark of three operations.
type fakeBench struct {
	left    int
	metrics map[string]float64
	fatal   string
}

func (b *fakeBench) Helper()                                 {}
func (b *fakeBench) Loop() bool                              { b.left--; return b.left >= 0 }
func (b *fakeBench) ReportMetric(value float64, unit string) { b.metrics[unit] = value }
func (b *fakeBench) Fatal(args ...any)                       { b.fatal = fmt.Sprint(args...); panic(b) }

func TestBenchmark(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("deliver: it needs Linux")
	}
	b := &fakeBench{3, make(map[string]float64), ""}
	deliver.Benchmark(b, small("plain"))
	if b.metrics["deliveries/cpu-s"] <= 0 || b.metrics["deliveries/s"] <= 0 || b.metrics["%received"] != 100 {
		t.Errorf("deliver: reported %v", b.metrics)
	}
	defer func() {
		if recover() != b || !strings.Contains(b.fatal, deliver.ErrLost.Error()) {
			t.Errorf("deliver: a benchmark with a loss ended with %q", b.fatal)
		}
	}()
	b.left = 3
	deliver.Benchmark(b, small("lossy"))
}
