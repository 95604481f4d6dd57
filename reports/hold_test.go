package reports

import (
	"strings"
	"testing"
)

// heldSamples returns samples of members held, with the given counts.
func heldSamples(refreshes, least, expired float64) []Sample {
	at := func(kind string, n int64, v float64) Sample {
		return Sample{Stage: StageHold, Kind: kind, Seed: 1, N: n, Value: v}
	}
	named := func(name string, v float64) Sample {
		return Sample{Stage: StageHold, Kind: KindCount, Seed: 1, Group: name, Value: v}
	}
	return []Sample{
		at(KindWallSeconds, 1000, 300), at(KindRefreshMean, 1000, refreshes), at(KindBytesPerReceiver, 1000, 4096),
		at(KindPeakBytes, 1000, 1<<20), named(HoldWant, 4002), named(HoldLeast, least), named(HoldExpired, expired),
		{Stage: StageHold, Kind: KindJoin, Seed: 1, N: 1000, Level: 5, Value: 2000, ServiceNS: 266_000},
		{Stage: StageHold, Kind: KindDelivered, Seed: 1, Group: "members", N: 5000, Value: 5000},
	}
}

func heldRun(refreshes, least, expired float64) *Result {
	r := &Result{samples: make(map[kindKey][]Sample)}
	for _, s := range heldSamples(refreshes, least, expired) {
		key := kindKey{s.Stage, s.Kind}
		r.samples[key] = append(r.samples[key], s)
	}
	return r
}

func TestHoldSection(t *testing.T) {
	for _, c := range []struct {
		refreshes, least, expired float64
		state                     State
		says                      string
	}{
		{1.9, 4002, 0, Pass, "all alive"},
		{2.25, 4002, 0, Miss, "misses by 0.25 refreshes"},
		{1.9, 4000, 0, Miss, "2 triggers were not there for a time"},
		{1.9, 4002, 3, Miss, "3 triggers expired"},
	} {
		s := holdSection(heldRun(c.refreshes, c.least, c.expired))
		if v := s.Findings[0].Verdict; v.State != c.state || !strings.Contains(v.Text, c.says) {
			t.Errorf("%+v: verdict %v, want %v, %q", c, v, c.state, c.says)
		}
	}
	s := holdSection(heldRun(1.9, 4002, 0))
	if row := strings.Join(s.Tables[1].Rows[0], "|"); row != "1,000|2,000|5|10,000|266 µs" {
		t.Errorf("growth is %s", row)
	}
	if s.Findings[1].Verdict.State != Pass {
		t.Errorf("delivery: %v", s.Findings[1].Verdict)
	}
	if s := holdSection(&Result{}); s.Absent == "" || s.Findings[0].Verdict.State != NotMeasured {
		t.Errorf("nothing measured: %+v", s)
	}
}
