package reports

import (
	"strings"
	"testing"
)

// Without jitter the cluster's figures are shown, with it they are judged; on
// sockets each has a row of its own as ever.
func TestJitterByHand(t *testing.T) {
	depths := func(group string, value float64) (out []Sample) {
		for seed := range uint64(3) {
			out = append(out, Sample{
				Stage: StageCluster, Kind: KindDepth, Group: group, Seed: seed, N: 16, Value: value,
			})
			out = append(out, Sample{Stage: StageCluster, Kind: KindQueries, Group: group, Seed: seed, Level: 1, Value: 60})
		}
		return out
	}
	m := syntheticManifest()
	r := openResult(t, m, append(depths(JitterNone, 2), depths(JitterQuery, 2.5)...))
	for _, want := range []string{
		"| figure | what | paper's figure | jitter none | jitter 200 µs |",
		"| table2a | depth of the tree, 16 receivers | 2.8 | 2.00 ± 0 | 2.50 ± 0 ✓ |",
		"| table2b | queries per receiver, level 1 | 55.9 | 60.0 ± 0 | 60.0 ± 0 ✓ |",
		"| table2b | queries fall by level | falls | falls | falls ✓ |",
		jitterChoice,
	} {
		if text := Markdown(r); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, want := range []string{
		"depth of the tree, 16 receivers, jitter none", "without jitter: misses by -28.6 %", "within 20 % (-10.7 %)",
		"Depth of the tree by group size, D = 4, jitter 200 µs",
	} {
		if text := Text(r); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if page := mustHTML(t, r); !strings.Contains(page, "chosen after looking at 0, 20, 100 and 300") {
		t.Error("the page does not say how the jitter was chosen")
	}
	text := Markdown(openResult(t, m, depths("", 2)))
	if strings.Contains(text, "jitter") || !strings.HasPrefix(text, "| figure | what | paper or objective |") ||
		!strings.Contains(text, "| misses by -28.6 % (allowed ±20 %) |") {
		t.Errorf("on sockets:\n%s", text)
	}
}
