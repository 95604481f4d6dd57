package experiments

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"i3bench/cluster/senders"
	"i3bench/internal/deliver"
	"i3bench/reports"
)

// Each round measures every sender with every number of receivers once, after what another run measured.
func TestCopiesTakesTurns(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("copies: the processor time of a sender is read on Linux only")
	}
	if testing.Short() {
		t.Skip("-short: every sender is a process or two, half a minute under the race detector")
	}
	others := []reports.Sample{{Kind: reports.KindCopiesElsewhere}}
	e := Copies{Fans: []int{1, 3}, Payloads: []int{64}, Rounds: 2, For: 10 * time.Millisecond, Others: others}
	procs := runtime.GOMAXPROCS(0)
	var b buffer
	last, total := 0, 0
	err := e.Run(t.Context(), &b, func(done, of int, what string) {
		if done < last || done > of || what == "" {
			t.Errorf("copies: progress %d of %d after %d, %q", done, of, last, what)
		}
		last, total = done, of
	})
	if err != nil || last != total {
		t.Fatalf("copies: %v, progress %d of %d", err, last, total)
	}
	if want := 1 + 2*e.Rows(); len(b.samples) != want || e.Rows() != 2*len(senders.All()) {
		t.Fatalf("copies: %d samples, want %d", len(b.samples), want)
	}
	for i, s := range b.samples[1:] {
		if want := uint64(i/e.Rows() + 1); s.Seed != want || s.Value <= 0 || s.ServiceNS <= 0 || s.Level != 64 {
			t.Fatalf("copies: sample %d is %+v, want a rate of round %d", i, s, want)
		}
	}
	if now := runtime.GOMAXPROCS(0); now != procs {
		t.Errorf("copies: %d processors after a run, %d before", now, procs)
	}
}

// A row during which the program is stopped leaves no sample.
func TestCopiesStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var b buffer
	e := Copies{Fans: []int{1}, Payloads: []int{64}, Rounds: 1, For: time.Hour}
	if err := e.Run(ctx, &b, func(int, int, string) {}); !errors.Is(err, context.Canceled) || len(b.samples) != 0 {
		t.Errorf("copies: %v, %d samples, want none of an interrupted run", err, len(b.samples))
	}
	if runtime.GOOS != "linux" {
		t.Skip("copies: the processor time of a sender is read on Linux only")
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := e.Run(ctx, &b, func(int, int, string) {}); !errors.Is(err, context.Canceled) || len(b.samples) != 0 {
		t.Errorf("copies: %v, %d samples, want none of an interrupted row", err, len(b.samples))
	}
}

// A sender that fails ends the run, and is named.
func TestCopiesFails(t *testing.T) {
	_, err := Copies{For: time.Second}.measure(t.Context(), deliver.Setup{Sender: "nobody", Fan: 1})
	if err == nil || runtime.GOOS == "linux" && !strings.Contains(err.Error(), "nobody") {
		t.Errorf("copies: %v, want an error that names the sender", err)
	}
}

func TestReadOtherCopies(t *testing.T) {
	const text = `BenchmarkDelivery/what=nats/fan=8/size=512-2 3 97 %busy 2e6 deliveries/cpu-s
BenchmarkDelivery/what=nats/fan=8/size=512-2 3 97 %busy 3e6 deliveries/cpu-s
BenchmarkLimit/form=train/size=64/fan=32 3 8e6 c/cpu-s 4e6 copies/cpu-s
`
	got, err := ReadOtherCopies(strings.NewReader(text))
	if err != nil || len(got) != 4 {
		t.Fatalf("copies: %+v, %v", got, err)
	}
	for i, want := range []reports.Sample{
		{Kind: reports.KindCopiesElsewhere, Group: "nats", Seed: 1, N: 8, Level: 512, Value: 2e6},
		{Kind: reports.KindCopiesElsewhere, Group: "nats", Seed: 2, N: 8, Level: 512, Value: 3e6},
		{Kind: reports.KindCopiesSent, Group: "train", Seed: 1, N: 32, Level: 64, Value: 4e6},
		{Kind: reports.KindCopiesSent, Group: "train of C", Seed: 1, N: 32, Level: 64, Value: 8e6},
	} {
		if want.Stage = reports.StageCopies; got[i] != want {
			t.Errorf("copies: sample %d is %+v, want %+v", i, got[i], want)
		}
	}
	const empty = "BenchmarkDelivery/what=x/fan=8/size=0 1 5 deliveries/cpu-s"
	if _, err := ReadOtherCopies(strings.NewReader(empty)); err == nil {
		t.Error("copies: no error of a payload of no bytes")
	}
}
