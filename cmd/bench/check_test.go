package main

import (
	"strings"
	"testing"
)

// The machine check has a line for everything that it looks at, and says of what is not well what that means.
func TestMachineCheck(t *testing.T) {
	text := machineCheck()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) < 4 || !strings.HasPrefix(lines[0], "bench  go") {
		t.Fatalf("%s", text)
	}
	for _, want := range []string{"kernels ", " cores", "hiccups p99 "} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing about %q in\n%s", want, text)
		}
	}
	for _, line := range lines[1:] {
		ok, warn := strings.HasPrefix(line, " ok    "), strings.HasPrefix(line, " warn  ")
		if ok == warn || warn && !strings.Contains(line, ": ") {
			t.Errorf("%q", line)
		}
	}
}
