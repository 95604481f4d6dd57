package cluster_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"runtime/pprof"
	"strings"
	"testing"

	"i3bench/cluster"
	"i3bench/i3/machine"
)

var stageLabel = regexp.MustCompile(`labels: \{"stage":"(\w+)"\}`)

// labelHere returns the stage that the goroutine which calls it is labelled with, "" for none. It must not be called by
// two at a time.
//
//go:noinline
func labelHere(t *testing.T) string {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		t.Error(err)
	}
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, "cluster_test.labelHere") {
			if found := stageLabel.FindStringSubmatch(stack); found != nil {
				return found[1]
			}
			return ""
		}
	}
	t.Errorf("no goroutine is here:\n%s", &b)
	return ""
}

// While there is a profile, a goroutine says what it does: in a filter that it receives, in a machine that it is there.
// Without one, before or afterwards, it says nothing. One that calls Do is left without labels.
func TestLabels(t *testing.T) {
	onUDP(t, cluster.Config{}, func(t *testing.T, w *cluster.World) {
		r := udpRig(w)
		checkLabels(t, r, "", "")
		stop, err := cluster.StartProfile(io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		checkLabels(t, r, cluster.LabelReceive, cluster.LabelMachine)
		if err := stop(); err != nil {
			t.Error(err)
		}
		checkLabels(t, udpRig(cluster.New(cluster.Config{})), "", "")
	})
}

// checkLabels lets a packet through new endpoints and looks at the labels on its way.
func checkLabels(t *testing.T, r rig, receive, run string) {
	t.Helper()
	a, b := r.start(t), r.start(t)
	var filter, machines, do string // of b
	b.ep.SetFilter(func(machine.Datagram) bool { filter = labelHere(t); return true })
	b.look(func() {
		b.receive = func(machine.Time, machine.Datagram, *machine.Outbox) { machines = labelHere(t) }
	})
	a.send(b.ep.Addr(), "a packet")
	b.await(t, 1)
	b.look(func() { do = labelHere(t) })
	if filter != receive || machines != run || do != run {
		t.Errorf("labels %q in the filter, %q in the machine, %q in Do; expected %q, %q, %q",
			filter, machines, do, receive, run, run)
	}
	if label := labelHere(t); label != "" {
		t.Errorf("after Do the caller has label %q, expected none", label)
	}
}

// A profile costs no memory for each packet: labels are made once.
func TestLabelsAllocateNothing(t *testing.T) {
	if cluster.RaceEnabled {
		t.Skip("skipped: the race detector allocates")
	}
	r := udpRig(cluster.New(cluster.Config{}))
	a, b := r.start(t), r.start(t)
	to, text := b.ep.Addr(), []byte("a packet")
	fill := func(_ machine.Time, out *machine.Outbox) { out.Send(to, text) }
	a.ep.Do(fill)
	stop, err := cluster.StartProfile(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(100, func() { a.ep.Do(fill) })
	if err := stop(); err != nil || n >= 1 {
		t.Errorf("%v allocations for a packet while there is a profile (%v), expected none", n, err)
	}
}

// There is one profile at a time, and what cannot be written is said.
func TestProfileErrors(t *testing.T) {
	stop, err := cluster.StartProfile(full{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.StartProfile(io.Discard); err == nil || !strings.Contains(err.Error(), "start profile") {
		t.Errorf("a second profile: %v, expected an error", err)
	}
	if err := stop(); !errors.Is(err, errFull) {
		t.Errorf("stop on a disk that is full: %v, expected %v", err, errFull)
	}
}

var errFull = errors.New("the disk is full")

// full is a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// What it costs a driver to enter a stage, of which there are four for a batch of a machine.
func BenchmarkEnterStage(b *testing.B) {
	b.Run("off", func(b *testing.B) {
		for b.Loop() {
			cluster.EnterStage()
		}
	})
	b.Run("on", func(b *testing.B) {
		stop, err := cluster.StartProfile(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			cluster.EnterStage()
		}
		if err := stop(); err != nil {
			b.Error(err)
		}
	})
}
