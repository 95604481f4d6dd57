package deliver_test

import (
	"runtime"
	"strings"
	"testing"

	"i3bench/internal/deliver"
)

// A guest says where it is, ends when it is told, and tells why it could not go on.
func TestGuest(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("deliver needs Linux")
	}
	g, err := deliver.Launch("host", 1, deliver.Job{})
	if err != nil {
		t.Fatal(err)
	}
	if g.Where() != "some address" {
		t.Errorf("where: %q", g.Where())
	}
	if used, err := g.Processor(); err != nil || used <= 0 {
		t.Errorf("processor time of a process that has started: %v, %v", used, err)
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	for role, want := range map[string]string{"nobody": "no such role", "fail": "second line, of arms"} {
		g, err := deliver.Launch(role, 1, deliver.Job{Arg: "arms"})
		if err == nil {
			err = g.Stop() // it may have been ready before it failed
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", role, err, want)
		}
	}
}
