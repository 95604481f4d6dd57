package reports

import (
	"strings"
	"testing"
)

// A run that was interrupted may hold samples of one kind and nothing else: each
// kind alone, and one sample of it, gives every form of the report.
func TestEachKindAlone(t *testing.T) {
	whole := synthetic(t)
	m := syntheticManifest()
	for k, list := range whole.samples {
		for name, part := range map[string][]Sample{"all": list, "one": list[:1]} {
			r := openResult(t, m, part)
			page, text := mustHTML(t, r), Text(r)+string(Bench(r))
			if at := strings.Index(page, "Not drawn"); at >= 0 {
				t.Errorf("%s of %s/%s: %.120s", name, k.stage, k.kind, page[at:])
			}
			for _, bad := range []string{"NaN", "Inf"} {
				if strings.Contains(page, bad) || strings.Contains(text, bad) {
					t.Errorf("%s of %s/%s: the report says %s", name, k.stage, k.kind, bad)
				}
			}
		}
	}
	r := openResult(t, m, []Sample{
		{Stage: StageRefresh, Kind: KindRefreshMean, Seed: 1, Group: "odd", N: 1, Value: 0},
		{Stage: StageRefresh, Kind: KindRefreshSize, Seed: 1, Group: SchemeUniform, N: 0, Host: 0, Value: 0},
		{Stage: StageTree, Kind: KindJoinQueries, Seed: 1, Group: "", N: 1, Value: 0},
		{Stage: StageRecovery, Kind: KindReqMax, Seed: 1, Group: SchemeLoss, N: 16, Value: 0},
		{Stage: StageRecovery, Kind: KindRepairTime, Seed: 1, Group: "", N: 0, Value: 0},
		{Stage: StageMatch, Kind: KindLevel, Seed: 1, Group: "neither", Level: 0, Value: 0},
		{Stage: StageScale, Kind: KindDelivered, Seed: 1, Group: "", N: 0, Value: 0},
	})
	if text := mustHTML(t, r) + Text(r); strings.Contains(text, "NaN") {
		t.Error("a report of zeros says NaN")
	}
}
