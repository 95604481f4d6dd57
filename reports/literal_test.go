package reports

import (
	"strings"
	"testing"
)

// The cost of a join, the refreshes and the requests of another variant are shown
// and not judged, however near the paper's they are; Figures 11 and 13 are judged.
func TestOnlyThePaperIsJudged(t *testing.T) {
	of := func(variant string) *Result {
		var samples []Sample
		add := func(stage, kind, scheme string, n int64, value float64) {
			samples = append(samples, Sample{
				Stage: stage, Kind: kind, Seed: 1, Group: scheme + variant + "/A-M", N: n, Host: 1, Value: value,
			})
		}
		add(StageTree, KindJoinQueries, "", 64, 8)
		add(StageTree, KindRAD, "", 65536, 1.2)
		add(StageRefresh, KindRefreshMean, SchemeLevel+"/", 64, 1.5)
		add(StageRefresh, KindRefreshMax, SchemeLevel+"/", 64, 2)
		add(StageRefresh, KindRefreshMax, SchemeUniform+"/", 64, 20)
		add(StageRefresh, KindRefreshSize, SchemeUniform+"/", 1, 1.4)
		add(StageRecovery, KindReqPerLoss, SchemeLoss+"/", 16, 1.1)
		add(StageRecovery, KindDupPerLoss, SchemeLoss+"/", 16, 1.1)
		return openResult(t, syntheticManifest(), samples)
	}
	paper, _ := of("paper").findings()
	other, _ := of("paper-like").findings()
	judged := map[string]bool{"eq-join": true, "fig12": true, "eq-refresh": true, "table1": true}
	seen := 0
	for i, f := range paper {
		if f.Verdict.State == NotMeasured {
			continue
		}
		if f.Verdict.State != Pass {
			t.Errorf("%s of the paper's protocol: %v", f.What, f.Verdict)
		}
		got := other[i].Verdict
		if judged[f.ID] {
			seen++
			if got != (Verdict{NotJudged, "not the paper's protocol"}) {
				t.Errorf("%s: %v, expected not to be judged", other[i].What, got)
			}
		} else if got.State != Pass && f.ID != "fig11" {
			t.Errorf("%s: %v, expected as the paper's, %v", other[i].What, got, f.Verdict)
		}
	}
	if seen != 5 {
		t.Errorf("%d findings compared, expected 5", seen)
	}
	if text := Text(of("relays")); !strings.Contains(text, "not the paper's protocol, not judged") {
		t.Errorf("the text does not say what is not judged:\n%s", text)
	}
}
