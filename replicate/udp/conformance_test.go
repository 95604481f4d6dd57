package udp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"i3bench/replicate"
)

// each runs a test on every implementation.
func each(t *testing.T, test func(t *testing.T, f form)) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) { test(t, f) })
	}
}

// draw returns datagrams with bytes of their own: so many of one size, then one that may be shorter.
func draw(t *rapid.T, most int) [][]byte {
	size := rapid.IntRange(1, 1472).Draw(t, "size")
	n := rapid.IntRange(1, min(most, MaxDatagram/size)).Draw(t, "datagrams")
	tail := rapid.IntRange(1, size).Draw(t, "tail")
	if rapid.Bool().Draw(t, "equal") {
		tail = size
	}
	state := rapid.Uint32().Draw(t, "bytes")
	ds := make([][]byte, n)
	for i := range ds {
		ds[i] = make([]byte, size)
		if i == n-1 {
			ds[i] = ds[i][:tail]
		}
		for k := range ds[i] {
			state = state*1664525 + 1013904223
			ds[i][k] = byte(state >> 24)
		}
	}
	return ds
}

// TestByteExact sends random messages and trains, and requires every datagram as it was, in order.
func TestByteExact(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		for _, gro := range []bool{false, true} {
			t.Run(fmt.Sprintf("gro=%v", gro), func(t *testing.T) {
				from, to := open(t, f, Config{Local: loopback}), open(t, f, Config{Local: loopback, GRO: gro})
				rs := results(64, 1<<16)
				total, trains := 0, 0
				rapid.Check(t, func(rt *rapid.T) {
					sent := draw(rt, defaultTrain)
					ms := messages(to.Local(), sent, from.Caps().MaxSegments > 1)
					if n, err := from.Send(ms); n != len(ms) || err != nil {
						rt.Fatalf("send: %d, %v", n, err)
					}
					got, heads := receive(t, to, rs, len(sent))
					for i := range sent {
						if !bytes.Equal(got[i], sent[i]) {
							rt.Fatalf("datagram %d of %d: %d bytes, want %d, or others", i, len(sent), len(got[i]), len(sent[i]))
						}
					}
					for _, h := range heads {
						if h.From != from.Local() {
							rt.Fatalf("from %v, want %v", h.From, from.Local())
						}
						if h.Datagrams() > 1 {
							trains++
						}
					}
					total += len(sent)
				})
				if s := from.Stats(); s.Sent != uint64(total) || s.Refused != 0 {
					t.Errorf("stats %+v after %d datagrams", s, total)
				}
				if s := to.Stats(); s.Received != uint64(total) || s.Truncated != 0 {
					t.Errorf("stats %+v after %d datagrams", s, total)
				}
				if f.caps && gro != (trains > 0) {
					t.Errorf("%d trains arrived whole, with gro=%v", trains, gro)
				}
				t.Logf("%d datagrams, %d trains arrived whole", total, trains)
			})
		}
	})
}

// TestManyMessages sends more messages than a call takes, for two addresses in turn, and requires their order.
func TestManyMessages(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		from := open(t, f, Config{Local: loopback, Batch: 8})
		to := []Conn{open(t, f, Config{Local: loopback}), open(t, f, Config{Local: loopback})}
		var ms []replicate.Message
		for i := range 100 {
			ms = append(ms, message(to[i%2].Local(), []byte(fmt.Sprintf("number %d", i))))
		}
		if n, err := from.Send(ms); n != len(ms) || err != nil {
			t.Fatalf("send: %d, %v", n, err)
		}
		for k, c := range to {
			got, _ := receive(t, c, results(16, 100), 50)
			for i, d := range got {
				if want := fmt.Sprintf("number %d", 2*i+k); string(d) != want {
					t.Fatalf("receiver %d, datagram %d: %q, want %q", k, i, d, want)
				}
			}
		}
	})
}

// TestBadMessages puts messages that cannot be sent among good ones: the good ones before are sent, the next are not.
func TestBadMessages(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		from, to := open(t, f, Config{Local: loopback}), open(t, f, Config{Local: loopback})
		good := message(to.Local(), []byte("good"))
		big, six, none, many, lie := good, good, good, good, good
		big.Size = MaxDatagram + 1
		six.To = netip.MustParseAddrPort("[::1]:9")
		none.To = netip.AddrPortFrom(to.Local().Addr(), 0)
		many.Segment, many.Size = 1, MaxSegments+1
		lie.Vectors = []replicate.Vector{replicate.VectorOf(make([]byte, MaxDatagram+1))} // the system finds out
		for name, c := range map[string]struct {
			m    replicate.Message
			want []error
		}{
			"size":     {big, []error{ErrBounds}},
			"IPv6":     {six, []error{ErrAddress}},
			"port":     {none, []error{ErrAddress}},
			"segments": {many, []error{ErrBounds, replicate.ErrNoTrains}},
			"system":   {lie, []error{syscall.EMSGSIZE}},
		} {
			n, err := from.Send([]replicate.Message{good, good, c.m, good})
			if n != 2 || err == nil || !errors.Is(err, c.want[0]) && !errors.Is(err, c.want[len(c.want)-1]) {
				t.Errorf("%s: sent %d, %v: want 2, %v", name, n, err, c.want)
			}
			receive(t, to, results(8, 100), 2)
		}
		if n, err := to.Recv(results(1, 100)); n != 0 || err != nil {
			t.Errorf("recv after all: %d, %v", n, err)
		}
	})
}

// TestTruncated has datagrams and trains arrive in buffers that are too short.
func TestTruncated(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		from, to := open(t, f, Config{Local: loopback}), open(t, f, Config{Local: loopback, GRO: true})
		long, short := bytes.Repeat([]byte("x"), 300), []byte("short")
		for _, d := range [][]byte{long, short} {
			if _, err := from.Send([]replicate.Message{message(to.Local(), d)}); err != nil {
				t.Fatal(err)
			}
		}
		got, heads := receive(t, to, results(4, 100), 1)
		if string(got[0]) != "short" || heads[0].Lost != 1 || heads[0].N != 0 || to.Stats().Truncated != 1 {
			t.Errorf("got %q after %+v, stats %+v", got, heads[0], to.Stats())
		}
		if from.Caps().MaxSegments < 2 || !f.caps {
			return
		}
		train := message(to.Local(), long, long, long, long, short)
		if _, err := from.Send([]replicate.Message{train}); err != nil {
			t.Fatal(err)
		}
		got, heads = receive(t, to, results(1, 700), 2)
		if heads[0].Lost != 3 || !bytes.Equal(got[1], long) || to.Stats().Truncated != 4 {
			t.Errorf("lost %d, stats %+v, of a train of 5 with room for 2", heads[0].Lost, to.Stats())
		}
	})
}

// TestWaitAndWake has a Wait ended by its time, by another goroutine during and before it, and by a datagram.
func TestWaitAndWake(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		c := open(t, f, Config{Local: loopback})
		wait := func(timeout time.Duration, want bool) time.Duration {
			t.Helper()
			begin := time.Now()
			if ready, err := c.Wait(timeout); ready != want || err != nil {
				t.Fatalf("wait %v: %v, %v", timeout, ready, err)
			}
			return time.Since(begin)
		}
		if d := wait(20*time.Millisecond, false); d < 19*time.Millisecond {
			t.Errorf("waited %v of 20 ms", d)
		}
		wait(0, false)
		for range 20 {
			ended := make(chan struct{})
			go func() {
				time.Sleep(time.Millisecond)
				c.Wake()
				close(ended)
			}()
			wait(-1, false)
			<-ended
		}
		c.Wake()
		if d := wait(patience, false); d > patience/2 {
			t.Errorf("an earlier Wake did not end a Wait: %v", d)
		}
		if d := wait(20*time.Millisecond, false); d < 19*time.Millisecond {
			t.Errorf("a Wake ended two Waits: the second after %v of 20 ms", d)
		}
		if _, err := c.Send([]replicate.Message{message(c.Local(), []byte("self"))}); err != nil {
			t.Fatal(err)
		}
		wait(-1, true)
		if got, _ := receive(t, c, results(1, 100), 1); string(got[0]) != "self" {
			t.Errorf("got %q", got)
		}
	})
}

// TestEmpty sends a datagram without bytes, which is a datagram.
func TestEmpty(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		c := open(t, f, Config{Local: loopback})
		if n, err := c.Send([]replicate.Message{{To: c.Local(), Copies: 1}}); n != 1 || err != nil {
			t.Fatalf("send: %d, %v", n, err)
		}
		if got, _ := receive(t, c, results(1, 100), 1); len(got[0]) != 0 {
			t.Errorf("got %q", got)
		}
	})
}

// TestClosed uses a socket that is closed.
func TestClosed(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		c, err := f.open(Config{Local: loopback})
		if err != nil {
			t.Fatal(err)
		}
		to := c.Local()
		for range 2 {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		c.Wake()
		if n, err := c.Send([]replicate.Message{message(to, []byte("late"))}); n != 0 || err == nil {
			t.Errorf("send on a closed socket: %d, %v", n, err)
		}
		if n, err := c.Recv(results(1, 100)); n != 0 || err == nil {
			t.Errorf("recv on a closed socket: %d, %v", n, err)
		}
	})
}

// TestConfig opens sockets that cannot be.
func TestConfig(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		for name, cfg := range map[string]Config{
			"IPv6":     {Local: netip.MustParseAddrPort("[::1]:0")},
			"buffer":   {Buffer: -1},
			"batch":    {Batch: MaxBatch + 1},
			"segments": {Segments: MaxSegments + 1},
			"address":  {Local: netip.MustParseAddrPort("203.0.113.1:0")},
			"control":  {Control: func(uintptr) error { return errors.New("no") }},
		} {
			if c, err := f.open(cfg); err == nil {
				t.Errorf("%s: opened", name)
				_ = c.Close()
			}
		}
	})
}

// TestTogether has one goroutine send while another receives and a third wakes and asks for figures.
func TestTogether(t *testing.T) {
	each(t, func(t *testing.T, f form) {
		c := open(t, f, Config{Local: loopback})
		const total = 2000
		ended := make(chan error, 2)
		go func() { // sends at most 100 ahead, which fit the buffer
			var err error
			for i := 0; i < total && err == nil; i++ {
				for uint64(i) > c.Stats().Received+100 {
					time.Sleep(10 * time.Microsecond)
				}
				_, err = c.Send([]replicate.Message{message(c.Local(), []byte("one of many"))})
			}
			ended <- err
		}()
		go func() {
			for c.Stats().Received < total {
				c.Wake()
				time.Sleep(100 * time.Microsecond)
			}
			ended <- nil
		}()
		receive(t, c, results(16, 100), total)
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}
