package main

import (
	"strings"
	"testing"

	"i3bench/reports"
)

// Some members are held against nodes in a process of their own, which ends with the run.
func TestHold(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: seconds of load on sockets")
	}
	dir := t.TempDir() + "/result"
	t.Setenv(asProgram, "1") // for the process of the nodes
	code, out, errs := bench("hold", "--members=200", "--for=2s", "--nodes=8", "--rate=5", "--progress=none",
		"--out="+dir)
	if code != exitOK || !strings.Contains(out, "Members held") {
		t.Fatalf("exit %d, %s\n%s", code, errs, out)
	}
	r, err := reports.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	rows := reports.SummarizeHold(r)
	if len(rows) != 1 || rows[0].Members != 200 || rows[0].Least < 802 || rows[0].Expired != 0 {
		t.Errorf("held %+v", rows)
	}
}

func TestHoldUsage(t *testing.T) {
	for args, want := range map[string]string{
		"hold --members=0":     "members",
		"hold --rate=0":        "rate",
		"hold --search=widest": "draw",
	} {
		if code, _, errs := bench(strings.Fields(args)...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %q", args, code, errs)
		}
	}
}
