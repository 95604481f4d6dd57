package reports

import (
	"math"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 || math.IsNaN(got) != math.IsNaN(want) {
		t.Errorf("%s is %v, expected %v", what, got, want)
	}
}

func TestDepthByHand(t *testing.T) {
	var samples []Sample
	for _, v := range [][3]float64{{1, 64, 4}, {2, 64, 5}, {3, 64, 6}, {1, 8, 2}, {2, 8, 2}} {
		samples = append(samples, Sample{Seed: uint64(v[0]), N: int64(v[1]), Value: v[2]})
	}
	rows := SummarizeDepth(samples)
	if len(rows) != 2 || rows[0].Receivers != 8 || rows[1].Receivers != 64 || len(rows[1].PerSeed) != 3 {
		t.Fatalf("rows %+v, expected 8 with two seeds and 64 with three", rows)
	}
	near(t, "mean of 8", rows[0].Mean, 2)
	near(t, "deviation of 8", rows[0].StdDev, 0)
	near(t, "mean of 64", rows[1].Mean, 5)        // (4+5+6)/3
	near(t, "deviation of 64", rows[1].StdDev, 1) // sqrt((1+0+1)/2)
	f := depthFindings(rows, "")
	// 5/4.5 = 1.111; sizes without samples are named as not measured.
	if f[4].Verdict != (Verdict{Pass, "within 20 % (+11.1 %)"}) || f[4].Spread != "95 % CI 2.52 to 7.48, 3 seeds" ||
		f[4].Paper != "4.5" {
		t.Errorf("finding of 64 is %+v", f[4])
	}
	if f[1].Verdict.State != NotMeasured {
		t.Errorf("finding of 16 is %+v, expected not measured", f[1])
	}
}

// The mean of the seeds' means, not of all receivers: seed 1 has two receivers
// at level 2 and seed 2 has one.
func TestQueriesByHand(t *testing.T) {
	var samples []Sample
	for _, v := range [][3]float64{{1, 1, 50}, {2, 1, 60}, {1, 2, 4}, {1, 2, 8}, {2, 2, 12}, {2, 3, 1}} {
		samples = append(samples, Sample{Seed: uint64(v[0]), Level: int(v[1]), Value: v[2]})
	}
	rows := SummarizeQueries(samples)
	if len(rows) != 3 || len(rows[2].PerSeed) != 1 {
		t.Fatalf("rows %+v, expected three levels, the last of one seed", rows)
	}
	near(t, "level 1", rows[0].Mean, 55)
	near(t, "level 2", rows[1].Mean, 9) // (6+12)/2, while the mean of all three is 8
	near(t, "deviation of level 2", rows[1].StdDev, math.Sqrt(18))
	near(t, "receivers at level 2", rows[1].Receivers, 1.5)
	near(t, "level 3", rows[2].Mean, 1)
	f := queriesFindings(rows, "")
	if f[0].Verdict.State != Pass || f[1].Verdict != (Verdict{NotJudged, "-10.9 %"}) || f[5].Verdict.State != Pass {
		t.Errorf("findings %+v", f)
	}
}

func TestFallsByLevel(t *testing.T) {
	row := func(values ...float64) (rows []LevelRow) {
		for i, v := range values {
			rows = append(rows, LevelRow{Level: i + 1, Mean: v})
		}
		return rows
	}
	for _, c := range []struct {
		rows []LevelRow
		want State
	}{
		{row(55, 10, 2, 0.5, 0.1), Pass},
		{row(55, 10, 0, 0), Pass},
		{row(55), Pass},
		{row(55, 10, 10), Miss},
		{row(55, 10, 2, 3), Miss},
		{row(5, 0, 1), Miss},
	} {
		if got := fallsByLevel(c.rows); got.State != c.want {
			t.Errorf("%+v: %+v, expected %v", c.rows, got, c.want)
		}
	}
	if got := fallsByLevel(row(9, 2, 3)).Text; got != "misses: level 2 has 2.00, level 3 has 3.00" {
		t.Errorf("the miss says %q", got)
	}
}

func TestJoinsByHand(t *testing.T) {
	var samples []Sample
	for i := range 10 {
		samples = append(samples, Sample{Value: float64(10 - i), N: int64(i)})
	}
	j := SummarizeJoins(samples)
	near(t, "median latency", j.Latency.P(0.5), 5)
	near(t, "p99 latency", j.Latency.P(0.99), 10)
	near(t, "mean messages", j.Messages.Mean(), 4.5)
	near(t, "max messages", j.Messages.Max(), 9)
}

func TestStretchByHand(t *testing.T) {
	var stretch, apart, latency []Sample
	for _, v := range []struct {
		group string
		seed  uint64
		value float64
	}{{"a", 1, 1}, {"a", 1, 1.5}, {"a", 1, 2}, {"a", 1, 3}, {"a", 2, 1.9}, {"b", 1, 5}} {
		stretch = append(stretch, Sample{Group: v.group, Seed: v.seed, Value: v.value})
	}
	apart = append(apart, Sample{Group: "a", Seed: 1}, Sample{Group: "a", Seed: 2})
	latency = append(latency, Sample{Group: "a", Value: 30e6, ServiceNS: 10e6},
		Sample{Group: "a", Value: 50e6, ServiceNS: 40e6}, Sample{Group: "a", Value: 9e6, ServiceNS: 0})
	rows := SummarizeStretch(stretch, apart, latency)
	if len(rows) != 2 || rows[0].Variant != "a" || rows[0].Colocated != 2 || rows[1].Colocated != 0 {
		t.Fatalf("rows %+v, expected variants a and b, two receivers of a apart", rows)
	}
	near(t, "share below 2", rows[0].Below, 3.0/5) // 2 itself is not below
	near(t, "share of seed 1", rows[0].PerSeed[0].Value, 0.5)
	near(t, "share of seed 2", rows[0].PerSeed[1].Value, 1)
	near(t, "median", rows[0].Stretch.P(0.5), 1.9)
	near(t, "RAD", rows[0].RAD, 80.0/50) // without the receiver that has no direct path
	near(t, "RMD", rows[0].RMD, 50.0/40)
	near(t, "share of b", rows[1].Below, 0)
	near(t, "RAD of b", rows[1].RAD, math.NaN())
}

func TestDuplicatesByHand(t *testing.T) {
	var samples []Sample
	for _, v := range [][3]float64{{1, 2, 4}, {1, 4, 4}, {1, 0, 3}, {2, 1, 0}, {2, 0, 0}} {
		samples = append(samples, Sample{Seed: uint64(v[0]), N: int64(v[1]), Value: v[2]})
	}
	row := SummarizeDuplicates(samples)[0]
	near(t, "mean ratio", row.Ratio.Mean(), 1) // (2+1+0)/3
	near(t, "ratio of totals", row.Total, 11.0/7)
	near(t, "mean of seed 1", row.PerSeed[0].Value, 1.5)
	near(t, "mean of seed 2", row.PerSeed[1].Value, 0)
	if row.Lossless != 2 || row.Extra != 3 || row.Losses != 7 || row.Duplicates != 11 || samples[0].Value != 4 {
		t.Errorf("row %+v, expected 2 receivers without a loss and 3 duplicates at them; samples unchanged", row)
	}
	if f := row.finding(); f.Verdict.State != Pass || !strings.Contains(f.Verdict.Text, "fewer than the paper (-37.5 %)") {
		t.Errorf("finding %+v", f)
	}
	row = SummarizeDuplicates([]Sample{{N: 10, Value: 20}})[0]
	if f := row.finding(); f.Verdict != (Verdict{Miss, "misses by +25.0 % (allowed ±20 %)"}) {
		t.Errorf("finding of ratio 2 is %+v", f)
	}
	row = SummarizeDuplicates([]Sample{{N: 0, Value: 20}})[0]
	if f := row.finding(); f.Verdict.State != NotMeasured || !math.IsNaN(row.Total) {
		t.Errorf("finding without a loss is %+v, ratio %v", f, row.Total)
	}
}

func TestRepairsByHand(t *testing.T) {
	var samples []Sample
	for _, ms := range []float64{100, 600, 601, 2400, 3000} {
		samples = append(samples, Sample{Value: ms * 1e6})
	}
	row := SummarizeRepairs(samples)[0]
	near(t, "within 600 ms", row.Soon, 2.0/5) // 600 ms is within
	near(t, "within 2,400 ms", row.Limit, 4.0/5)
	near(t, "median", row.Time.P(0.5), 601e6)
}

func TestDeliveryByHand(t *testing.T) {
	rows := SummarizeDelivery([]Sample{
		{Seed: 1, N: 100, Value: 100, Status: StatusOK},
		{Seed: 1, N: 50, Value: 47, Status: StatusMissing},
		{Seed: 2, N: 10, Value: 10, Status: StatusOK},
	})
	want := DeliveryRow{Receivers: 3, Seeds: 2, Owed: 160, Delivered: 157, Missing: 3, Incomplete: 1}
	if len(rows) != 1 || rows[0] != want {
		t.Errorf("rows %+v, expected %+v", rows, want)
	}
	// What is counted too often at one receiver makes up for no loss at another.
	rows = SummarizeDelivery([]Sample{{N: 5, Value: 7}, {N: 5, Value: 3}})
	if r := rows[0]; r.Delivered != 8 || r.Missing != 2 || r.Excess != 2 {
		t.Errorf("row %+v, expected 8 delivered, 2 missing, 2 in excess", r)
	}
	for _, c := range []struct {
		sample Sample
		want   Verdict
	}{
		{Sample{N: 5, Value: 5}, Verdict{Pass, "nothing missing"}},
		{Sample{N: 5, Value: 3}, Verdict{Miss, "misses by 2 packets at 1 receivers"}},
		{Sample{N: 5, Value: 6}, Verdict{Miss, "misses: 1 counted beyond what was owed"}},
		{Sample{N: 5, Value: 5, Status: StatusMissing}, Verdict{Miss, "misses: 1 receivers marked missing"}},
		{Sample{}, Verdict{NotMeasured, "not measured: nothing was owed"}},
	} {
		if got := SummarizeDelivery([]Sample{c.sample})[0].verdict(); got != c.want {
			t.Errorf("%+v: %+v, expected %+v", c.sample, got, c.want)
		}
	}
}

// Ten operations a second apart by 100 ms, each done 50 ms after it was due,
// except one that timed out and one that failed at once.
func TestLoadByHand(t *testing.T) {
	var ops []Sample
	for i := range 10 {
		ops = append(ops, Sample{StartNS: int64(i) * 100e6, Value: 50e6, ServiceNS: 40e6, Status: StatusOK})
	}
	ops[3].Status, ops[3].Value, ops[3].ServiceNS = StatusTimeout, 2e9, 2e9
	ops[4].Status, ops[4].Value, ops[4].ServiceNS = StatusError, 1e6, 1e6
	offered := []Sample{
		{Group: "join", N: 6, Value: 4, StartNS: 0},
		{Group: "join", N: 6, Value: 4, StartNS: 1e9},
		{Group: "repair", N: 99, StartNS: 1e9},
	}
	l := SummarizeLoad("join", ops, offered)
	if l.Offered != 12 || l.Sent != 10 || l.Completed != 8 || l.Timeouts != 1 || l.Errors != 1 {
		t.Fatalf("%+v, expected 12 offered, 10 sent, 8 completed, 1 timeout, 1 error", l)
	}
	near(t, "window", l.Window, 1) // 900 ms between the first and the last, times 10/9
	near(t, "offered rate", l.Rate, 12)
	near(t, "achieved rate", l.Achieved, 8)
	near(t, "median", l.Response.P(0.5), 50e6)
	near(t, "p90", l.Response.P(0.9), 50e6) // the failed operation, raised to the slowest that succeeded
	near(t, "max", l.Response.Max(), 2e9)
	near(t, "service max", l.Service.Max(), 2e9)
	near(t, "service median", l.Service.P(0.5), 40e6)
	if l.Response.Beyond(0.8) || !l.Response.Beyond(0.9) {
		t.Error("p80 is of a success and p90 of a failure, expected so")
	}
	if len(l.Seconds) != 2 || l.Seconds[1] != (LoadSecond{1, 6, 4}) {
		t.Errorf("seconds %+v", l.Seconds)
	}
	f := loadFindings(l, "joins")
	if f[0].Verdict.State != Miss || f[1].Verdict != (Verdict{Miss, "misses by 4: 1 timed out, 1 failed, 2 not sent"}) {
		t.Errorf("findings %+v", f)
	}
}

// A system that takes half of what is offered builds up a backlog: the achieved
// rate is what it does, not what was offered.
func TestLoadBacklog(t *testing.T) {
	var ops []Sample
	for i := range int64(1000) {
		done := 2e6 * (i + 1) // one completion every 2 ms, offered every 1 ms
		ops = append(ops, Sample{StartNS: 1e6 * i, Value: float64(done - 1e6*i), Status: StatusOK})
	}
	l := SummarizeLoad("join", ops, nil)
	near(t, "offered rate", l.Rate, 1000)
	if math.Abs(l.Achieved-500) > 5 {
		t.Errorf("achieved %v/s, expected about 500/s", l.Achieved)
	}
	if l.Offered != 1000 {
		t.Errorf("%d offered, expected the operations themselves where no seconds are", l.Offered)
	}
}

func TestLoadSecondsWithoutTimes(t *testing.T) {
	got := loadSeconds("a", []Sample{{Group: "a", N: 1}, {Group: "b", N: 9}, {Group: "a", N: 2}})
	if len(got) != 2 || got[0].Second != 0 || got[1].Second != 1 || got[1].Offered != 2 {
		t.Errorf("seconds %+v, expected 0 and 1 by order", got)
	}
	var long []LoadSecond
	for i := range int64(301) {
		long = append(long, LoadSecond{i, 10, i % 3})
	}
	got = thin(long) // bins of three seconds
	if len(got) != 101 || got[1] != (LoadSecond{3, 10, 1}) {
		t.Errorf("%d bins, the second %+v, expected 101 and rates", len(got), got[1])
	}
}

func TestGeneratorByHand(t *testing.T) {
	late := func(p99 float64) []Sample {
		out := make([]Sample, 100)
		for i := range out {
			out[i].Value = 1e5
		}
		out[98].Value, out[99].Value = p99, 9e9 // nearest rank of p99 among 100 is the 99th
		return out
	}
	for _, c := range []struct {
		late []Sample
		op   LoadOp
		want string
	}{
		{late(25e6), LoadOp{Offered: 1000, Sent: 999}, "VALID"},
		{late(25.1e6), LoadOp{Offered: 1000, Sent: 1000}, "INVALID: p99 lateness 25.1 ms, allowed 25 ms"},
		{late(1e6), LoadOp{Offered: 1000, Sent: 998}, "INVALID: 0.2 % of the operations were not sent, allowed 0.1 %"},
		{nil, LoadOp{Offered: 1000, Sent: 1000}, "not measured"},
		{late(1e6), LoadOp{}, "not measured"},
	} {
		if got := SummarizeGenerator(c.late, []LoadOp{c.op}, latenessLimitNS).verdict(); got.Text != c.want {
			t.Errorf("%+v: %q, expected %q", c.op, got.Text, c.want)
		}
	}
}

func TestCountersByHand(t *testing.T) {
	got := SummarizeCounters([]Sample{
		{Stage: "wan", Group: "drop/loss", Value: 3},
		{Stage: "cluster", Group: "z", Value: -1},
		{Stage: "wan", Group: "drop/loss", Value: 4},
		{Stage: "wan", Group: "a", Value: 0.5},
	})
	want := []Counter{{"cluster", "z", -1, 1}, {"wan", "a", 0.5, 1}, {"wan", "drop/loss", 7, 2}}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%+v, expected %+v", got, want)
	}
	if counterValue(0.5) != "0.500" || counterValue(12345) != "12,345" {
		t.Errorf("values are written %q and %q", counterValue(0.5), counterValue(12345))
	}
}

func TestCurves(t *testing.T) {
	points := cdf([]float64{1, 2, 2, 4}, 2)
	if len(points) != 5 || points[0].Y != 0 || points[1].Y != 0.25 || points[4].X != 2 || points[4].Y != 1 {
		t.Errorf("distribution function %+v", points)
	}
	many := make([]float64, 100_000)
	for i := range many {
		many[i] = float64(i + 1)
	}
	points = cdf(many, 1)
	if n := len(points); n != curvePoints+1 || points[n-1].Y != 1 || points[n-1].X != 1e5 {
		t.Errorf("%d points, the last %+v, expected %d up to the maximum", n, points[n-1], curvePoints+1)
	}
	for _, p := range points[1:] {
		near(t, "share at a value", p.Y, p.X/1e5)
	}
	points = percentileCurve(many, 1)
	if last := points[len(points)-1]; last.Y != 1e5 || len(points) > 100 || points[0].Y != 1 {
		t.Errorf("%d points, the last %+v, expected fewer than 100 up to the maximum", len(points), last)
	}
	for _, p := range points[:len(points)-1] {
		near(t, "quantile", p.Y, max(math.Ceil(p.X*1e5-1e-9), 1))
	}
}

func TestMachineAndCommit(t *testing.T) {
	m := Machine()
	if m.OS == "" || m.Arch == "" || m.Cores < 1 {
		t.Errorf("machine %+v", m)
	}
	if m.OS == "linux" && (m.Kernel == "" || m.MemoryBytes < 1<<20) {
		t.Errorf("machine %+v, expected kernel and memory on Linux", m)
	}
	if m.Arch == "amd64" && !strings.HasPrefix(m.Level, "x86-64-v") {
		t.Errorf("level %q, expected x86-64-v1 or above", m.Level)
	}
	if commit, _ := Commit(); commit == "" {
		t.Error("no commit, expected one or unknown")
	}
	t.Chdir(t.TempDir()) // no repository
	if commit, dirty := Commit(); commit != "unknown" || dirty {
		t.Errorf("outside of a repository the commit is %q, dirty %v", commit, dirty)
	}
}
