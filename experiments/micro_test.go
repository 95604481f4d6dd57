package experiments

import (
	"context"
	"errors"
	"testing"
	"time"

	"i3bench/asm"
	"i3bench/internal/tablebench"
	"i3bench/reports"
)

// Rounds take turns: nobody is measured again before all others have been, and progress ends at its total.
func TestMicroTakesTurns(t *testing.T) {
	e := Micro{Sizes: []int{10, 1000}, Hits: []int{100, 50}, Rounds: 3, For: time.Microsecond}
	var b buffer
	last, total := 0, 0
	err := e.Run(t.Context(), &b, func(done, of int, what string) {
		if done < last || done > of || what == "" {
			t.Errorf("micro: progress %d of %d after %d, %q", done, of, last, what)
		}
		last, total = done, of
	})
	if err != nil || last != total {
		t.Fatalf("micro: %v, progress %d of %d", err, last, total)
	}
	if want := 3 * e.Rows(); len(b.samples) != want || e.Rows() != 4*(len(asm.Variants())+2) {
		t.Fatalf("micro: %d samples, want %d", len(b.samples), want)
	}
	for i, s := range b.samples {
		if want := uint64(i/e.Rows() + 1); s.Seed != want {
			t.Fatalf("micro: sample %d is of round %d, want %d", i, s.Seed, want)
		}
	}
}

// A row during which the program is stopped leaves no sample: it was too short.
func TestMicroStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var b buffer
	e := Micro{Sizes: []int{10}, Hits: []int{100}, Rounds: 1, For: time.Hour}
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := e.Run(ctx, &b, func(int, int, string) {}); !errors.Is(err, context.Canceled) || len(b.samples) != 0 {
		t.Errorf("micro: %v, %d samples, want none of an interrupted row", err, len(b.samples))
	}
}

func TestMicroMarksBusy(t *testing.T) {
	row := microRow{who: reports.GroupLimit, job: tablebench.Job{N: 10, Hit: 50}}
	for processor, want := range map[time.Duration]string{
		0: reports.StatusOK, 89 * time.Millisecond: reports.StatusBusy, 90 * time.Millisecond: reports.StatusOK,
	} {
		got := row.sample(2, tablebench.Timing{Lookups: 1e7, Wall: 100 * time.Millisecond, Processor: processor})
		if got.Status != want || got.Value != 10 || got.Seed != 2 || got.ServiceNS != processor.Nanoseconds() {
			t.Errorf("micro: a processor for %v of 100 ms: %+v, want %s", processor, got, want)
		}
	}
}

// A table that finds the wrong values is no row of a report.
func TestMicroRefusesWrongTables(t *testing.T) {
	job := tablebench.Job{N: 10, Hit: 100}
	queries := tablebench.Draw(job, tablebench.Same)
	row := newMicroRow("wrong", asm.Kernel(), job, queries, func([]tablebench.ID) uint64 { return 1 })
	if _, err := row.measure(time.Microsecond, func() bool { return false }); err == nil {
		t.Error("micro: no error of a table that finds wrong values")
	}
}

// A row is measured with its kernels, and a run leaves those in use that were before.
func TestMicroUsesKernels(t *testing.T) {
	defer asm.Use(asm.Kernel())
	job := tablebench.Job{N: 10, Hit: 100}
	queries := tablebench.Draw(job, tablebench.Same)
	for _, kernel := range asm.Variants() {
		row := newMicroRow("own", kernel, job, queries, func([]tablebench.ID) uint64 {
			if asm.Kernel() != kernel {
				t.Fatalf("micro: a row of %s is measured with %s", kernel, asm.Kernel())
			}
			return 0
		})
		row.warm = func() error { return nil }
		if _, err := row.measure(time.Microsecond, func() bool { return false }); err != nil {
			t.Error(err)
		}
	}
	last := asm.Variants()[len(asm.Variants())-1]
	if err := asm.Use(last); err != nil {
		t.Fatal(err)
	}
	e := Micro{Sizes: []int{10}, Hits: []int{100}, Rounds: 1, For: time.Microsecond}
	if err := e.Run(t.Context(), &buffer{}, func(int, int, string) {}); err != nil || asm.Kernel() != last {
		t.Errorf("micro: %v, %s in use after a run, want %s", err, asm.Kernel(), last)
	}
}
