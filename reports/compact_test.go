package reports

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestMarks(t *testing.T) {
	for v, want := range map[Verdict]string{
		{Pass, "within"}:              "1.2 ✓",
		{Miss, "misses"}:              "1.2 ✗",
		{Pass, "within" + unsettled}:  "1.2 (✓)",
		{Miss, "misses" + unsettled}:  "1.2 (✗)",
		{NotJudged, "x" + unsettled}:  "1.2",
		{NotMeasured, "not measured"}: "1.2",
	} {
		if got := v.cell("1.2"); got != want {
			t.Errorf("%+v: %q, expected %q", v, got, want)
		}
	}
}

// Figures of one quantity and size share a row, of another size they do not; the
// paper's variant stands first, networks as they were asked for.
func TestCompactByHand(t *testing.T) {
	r := &Result{Manifest: Manifest{Parameters: map[string]string{ParamNets: "[A-M A-L]", ParamOthers: "[B-M]"}}}
	finding := func(group string, n int64, cell string) Finding {
		return Finding{ID: "f", Paper: "< 2", Verdict: Verdict{Pass, ""}, Spot: spotOf("q", group, n, cell)}
	}
	tables := r.compactTables([]Finding{
		finding("better/A-L", 64, "1"), finding("paper/A-L", 64, "2"), finding("paper/A-M", 64, "3"),
		finding("paper/A-M", 16, "4"), finding("paper/B-M", 16, "5"), finding("a setting", 0, "6"), {ID: "no spot"},
	})
	var got []string
	for _, t := range tables {
		for _, c := range t.Columns {
			got = append(got, c.Name)
		}
		for _, row := range t.Rows {
			got = append(got, strings.Join(row, "|"))
		}
	}
	want := []string{
		"figure", "what", "receivers", "paper's figure", "paper, A-M", "paper, A-L", "better, A-L",
		"f|q|64|< 2|3 ✓|2 ✓|1 ✓", "f|q|16|< 2|4 ✓|-|-",
		"figure", "what", "receivers", "paper's figure", "B-M", "f|q, paper|16|< 2|5 ✓",
		"figure", "what", "paper's figure", "a setting", "f|q|< 2|6 ✓",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCommandWithoutPaths(t *testing.T) {
	got := withoutPaths([]string{"/usr/bin/bench", "sim", "--out", "/home/me/x", "--rtt=../data/rtt.gz", "--seeds=3"})
	if want := "bench sim --out x --rtt=rtt.gz --seeds=3"; strings.Join(got, " ") != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

// A block that a result has nothing for is left as it is.
func TestSimulationsOfAnotherResult(t *testing.T) {
	r := openResult(t, syntheticManifest(), syntheticCluster(rand.New(rand.NewPCG(1, 1)), 1))
	if _, err := MarkdownSimulations(r); err == nil || !strings.Contains(err.Error(), "no simulated trees") {
		t.Errorf("%v", err)
	}
}
