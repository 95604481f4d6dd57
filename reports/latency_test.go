package reports

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histograms reads a log and merges the histograms of each tag.
func histograms(t testing.TB, log []byte) map[string]*hdrhistogram.Histogram {
	t.Helper()
	all := make(map[string]*hdrhistogram.Histogram)
	reader := hdrhistogram.NewHistogramLogReader(bytes.NewReader(log))
	for {
		h, err := reader.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			return all
		}
		sum := all[h.Tag()]
		if sum == nil {
			sum = hdrhistogram.New(1, 1<<53, latencyDigits)
			all[h.Tag()] = sum
		}
		if dropped := sum.Merge(h); dropped > 0 {
			t.Fatalf("%d values of %s do not fit", dropped, h.Tag())
		}
	}
}

// The percentiles of the log are those of the report, to the precision of a
// histogram, failures included.
func TestLatencyLogAgreesWithTheReport(t *testing.T) {
	dir := finishedRun(t, everySample(t))
	r := mustOpen(t, dir)
	log, err := os.ReadFile(filepath.Join(dir, LatencyFile))
	if err != nil {
		t.Fatal(err)
	}
	all := histograms(t, log)
	check := func(tag string, d Distribution) {
		h := all[tag]
		if h == nil || h.TotalCount() != int64(d.Count()) {
			t.Errorf("%s: no histogram, or not of %d operations", tag, d.Count())
			return
		}
		for _, p := range []float64{0.5, 0.9, 0.99, 1} {
			// The library rounds a rank, the report takes the next: it is asked for the same.
			same := 100 * float64(rank(p, d.Count())+1) / float64(d.Count())
			if got, want := float64(h.ValueAtPercentile(same)), d.P(p); math.Abs(got-want) > want/1000 {
				t.Errorf("%s: percentile %g is %g, expected %g to a thousandth", tag, p, got, want)
			}
		}
		delete(all, tag)
	}
	for _, op := range []string{KindJoin, KindRepair} {
		check("load/"+op, SummarizeLoad(op, r.Select(StageLoad, op), nil).Response)
	}
	check("cluster/join", SummarizeJoins(r.Select(StageCluster, KindJoin)).Latency)
	for _, variant := range []string{"better", "paper"} {
		_, groups := grouped(r.Select(StageWAN, KindRepair), byGroup)
		check("wan/repair/"+variant, NewDistribution(values(groups[variant]), nil))
	}
	check("find/join/trial=0", summarizeTrials(r)[0].Ops[0].Response)
	for tag := range all {
		if !strings.HasPrefix(tag, "find/") {
			t.Errorf("tag %s is not one that was expected", tag)
		}
	}
}

// Each second has a histogram of its own, and what is beyond the largest latency
// counts as that.
func TestLatencyLogBySecond(t *testing.T) {
	r := &Result{Manifest: syntheticManifest(), samples: map[kindKey][]Sample{{StageLoad, KindJoin}: {
		{Stage: StageLoad, Kind: KindJoin, StartNS: 0, Value: 0, Status: StatusOK},
		{Stage: StageLoad, Kind: KindJoin, StartNS: 999_999_999, Value: 1000, Status: StatusOK},
		{Stage: StageLoad, Kind: KindJoin, StartNS: 3e9, Value: 1e300, Status: StatusOK},
		{Stage: StageLoad, Kind: KindJoin, StartNS: 3e9, Value: 5, Status: StatusError},
	}, {StageCluster, KindJoin}: {{Stage: StageCluster, Kind: KindJoin, Group: "jitter 200 µs, late", Value: 7}}}}
	var b bytes.Buffer
	if err := WriteLatency(&b, r); err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(b.String()), "\n"), func(line string) bool {
		return !strings.HasPrefix(line, "Tag=")
	})
	want := []string{
		"Tag=cluster/join/jitter%20200%20%C2%B5s%2C%20late,0.000000,1.000000,0.000007,",
		"Tag=load/join,0.000000,1.000000,0.001000,", "Tag=load/join,3.000000,1.000000,",
	}
	if len(lines) != len(want) {
		t.Fatalf("%q, expected %d histograms", lines, len(want))
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("line %d is %q, expected %q", i, lines[i], want[i])
		}
	}
	last, err := hdrhistogram.Decode([]byte(lines[2][strings.LastIndexByte(lines[2], ',')+1:]))
	if err != nil || last.TotalCount() != 2 || last.Min() < maxLatency-maxLatency/1000 {
		t.Errorf("%v, %d operations from %d ns, expected two at %d", err, last.TotalCount(), last.Min(), maxLatency)
	}
	if !strings.HasPrefix(b.String(), "#[Histogram log format version 1.3]\n") ||
		!strings.Contains(b.String(), "#[StartTime: 1795356900 (seconds since epoch)") {
		t.Errorf("the log begins with %.300s", b.String())
	}
}

// Garbage in the log is named by its offset, and costs nothing else.
func TestDamagedLatencyLog(t *testing.T) {
	dir := finishedRun(t, syntheticSamples(2, 8, 20))
	whole := mustOpen(t, dir)
	path := filepath.Join(dir, LatencyFile)
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(log[:len(log)-1], []byte("\n")) + 1
	for _, garbage := range []string{
		"\x00\xff garbage", "Tag=load/join", "Tag=a,0.0,1.0,2.0,HISTFAAAA", "Tag=a,x,1.0,2.0,HIST",
	} {
		if err := os.WriteFile(path, slices.Concat(log[:at], []byte(garbage+"\n"), log[at:]), 0o644); err != nil {
			t.Fatal(err)
		}
		r := mustOpen(t, dir)
		sameFigures(t, garbage, r, whole)
		if want := fmt.Sprintf("latency.hlog: at offset %d: ", at); len(r.Warnings) != 1 ||
			!strings.HasPrefix(r.Warnings[0], want) || !strings.Contains(Text(r), "damaged, read") {
			t.Errorf("%q: warnings %q, expected one with %q", garbage, r.Warnings, want)
		}
	}
}

// No text makes the reader panic.
func FuzzLatency(f *testing.F) {
	var b bytes.Buffer
	r := &Result{samples: map[kindKey][]Sample{{StageWAN, KindRepair}: {{Stage: StageWAN, Kind: KindRepair, Value: 7e6}}}}
	if err := WriteLatency(&b, r); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Add("Tag=a,0.0,1.0,2.0,HISTFAAAA")
	f.Fuzz(func(_ *testing.T, text string) {
		for line := range strings.SplitSeq(text, "\n") {
			_ = latencyLine(line)
		}
	})
}
