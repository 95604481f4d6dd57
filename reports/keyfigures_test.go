package reports

import (
	"strings"
	"testing"
)

// The key figures of a stage are few, stand beside the paper's, and say what was missed.
func TestKeyFigures(t *testing.T) {
	r := synthetic(t)
	for stage, want := range map[string]string{
		StageCluster: "depth of the tree, 64 receivers: 4.00 (paper: 4.5)",
		StageWAN:     "(paper: 85.0 %)",
		StageLoad:    "159 of 160 (wanted: all of what is offered), misses by 1",
		StageTree:    "90th percentile of the stretch",
	} {
		lines := r.KeyFigures(stage)
		if len(lines) == 0 || len(lines) > mostKeyFigures || !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("%s: %q, expected %q among a few", stage, lines, want)
		}
	}
	if lines := r.KeyFigures(StageFind); lines != nil {
		t.Errorf("a stage that was not run has %q", lines)
	}
}

// What was recorded before a flush can be read while the run goes on, and flushing a closed run does no harm.
func TestFlush(t *testing.T) {
	run := create(t, t.TempDir())
	for n := range 3 {
		run.Sample(Sample{Stage: StageCluster, Kind: KindDepth, Seed: 1, N: 8, Value: 2})
		if err := run.Flush(); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(run.Dir()); err != nil || r.Count != n+1 {
			t.Fatalf("%+v, %v: expected %d samples", r, err, n+1)
		}
	}
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	if err := run.Flush(); err != nil {
		t.Error(err)
	}
}
