package reports

import (
	"strings"
	"testing"
)

// A p99 of hiccups above the limit of the lateness makes a run invalid, if only just; what else is beyond its limit
// asks for a second look.
func TestHealthByHand(t *testing.T) {
	for _, c := range []struct {
		group   string
		v       HealthValue
		search  bool
		verdict string
	}{
		{HealthHiccupP99, HealthValue{1000, 25e6}, false, "ok"},
		{HealthHiccupP99, HealthValue{1000, 25.1e6}, false, "INVALID"},
		{HealthHiccupP99, HealthValue{1000, 25.1e6}, true, "look twice"},
		{HealthHiccupMax, HealthValue{1000, 250e6}, false, "ok"},
		{HealthHiccupMax, HealthValue{1000, 251e6}, false, "look twice"},
		{HealthPause, HealthValue{3, 26e6}, false, "look twice"},
		{HealthSteal, HealthValue{0, 0.05}, false, "ok"},
		{HealthSteal, HealthValue{0, 0.06}, false, "look twice"},
		{HealthDrops, HealthValue{10_000, 10}, false, "ok"},
		{HealthDrops, HealthValue{10_000, 11}, false, "look twice"},
	} {
		h := Health{c.group: c.v}
		rows := h.rows(25e6, c.search)
		if len(rows) != 1 || rows[0][3] != c.verdict {
			t.Errorf("%s %+v: %q, expected %q", c.group, c.v, rows, c.verdict)
		}
		if invalid := h.invalid(25e6) != ""; invalid != (c.group == HealthHiccupP99 && c.v.Value > 25e6) {
			t.Errorf("%s %+v: %q", c.group, c.v, h.invalid(25e6))
		}
	}
}

// Bins hold the operations that were intended in them, and there are never more than the chart has room for.
func TestLatencyBinsByHand(t *testing.T) {
	got := latencyBins([]Sample{
		{StartNS: 0, Value: 3}, {StartNS: 999_999_999, Value: 1}, {StartNS: 2e9, Value: 7},
	})
	want := []latencyBin{{0, 1, 3, 3, 2}, {2, 7, 7, 7, 1}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, expected %+v", got, want)
	}
	var long []Sample
	for second := range int64(1000) {
		long = append(long, Sample{StartNS: second * 1e9, Value: 1})
	}
	if bins := latencyBins(long); len(bins) > maxSeconds || bins[1].second-bins[0].second != int64(bins[0].n) {
		t.Errorf("%d bins, the first %+v", len(bins), bins[0])
	}
	if latencyBins(nil) != nil {
		t.Error("bins of nothing")
	}
}

// offered are joins at a rate for a second that took so long, begun so late.
func offered(rate int, took, late float64) (out []Sample) {
	for i := range rate {
		at := int64(i) * 1e9 / int64(rate)
		out = append(out,
			Sample{Stage: StageLoad, Kind: KindLate, Group: KindJoin, StartNS: at, Value: late},
			Sample{Stage: StageLoad, Kind: KindJoin, StartNS: at, Value: took, ServiceNS: int64(took / 2), Status: StatusOK})
	}
	return append(out, Sample{Stage: StageLoad, Kind: KindOffered, Group: KindJoin, N: int64(rate), Value: float64(rate)})
}

// What limits joins is told from what came of them: nothing, the generator, or the system.
func TestLimitAnswers(t *testing.T) {
	backlog := offered(100, 1e6, 1e5)
	for i := range backlog { // each waits for all before it
		if backlog[i].Kind == KindJoin {
			backlog[i].Value = 5 * float64(backlog[i].StartNS)
		}
	}
	for want, samples := range map[string][]Sample{
		"Nothing up to the 100 joins/s":                       offered(100, 1e6, 1e5),
		"The generator or the machine, not the system: p99 l": offered(100, 1e8, 5e7),
		"The system: the generator was on time":               backlog,
	} {
		text, section := openResult(t, syntheticManifest(), samples).limitAnswer()
		if !strings.HasPrefix(text, want) || section != "load" {
			t.Errorf("%q of section %q, expected %q", text, section, want)
		}
	}
	if text, _ := openResult(t, syntheticManifest(), nil).limitAnswer(); text != "" {
		t.Errorf("%q of nothing", text)
	}
}
