package reports

import (
	"fmt"
	"slices"
	"strings"
)

// keyFigures are what is said of a stage in a line or two: the beginnings of the
// findings. Of a stage that is not named here the first findings are shown.
var keyFigures = map[string][]string{
	StageCluster: {"depth of the tree, 64 receivers", "queries per receiver, level 1"},
	StageWAN:     {"receivers with stretch below 2", "duplicates per loss, mean", "delivered exactly once"},
	StageTree:    {"90th percentile of the stretch", "ratio of average delays", "largest link stress"},
	StageLoad:    {"joins completed", "repairs completed", "load generator on time"},
	StageFind:    {"largest rate of joins that meets all objectives"},
}

// mostKeyFigures bounds how many findings of a stage are said.
const mostKeyFigures = 6

// KeyFigures returns a line for each of the findings of a stage that matter most, with
// what it is compared with.
func (r *Result) KeyFigures(stage string) (lines []string) {
	list, _ := r.sectionsOf(stage)
	for _, s := range list {
		for _, f := range s.Findings {
			begins := func(prefix string) bool { return strings.HasPrefix(f.What, prefix) }
			wanted := keyFigures[stage] == nil || slices.ContainsFunc(keyFigures[stage], begins)
			if wanted && f.Ours != "-" && f.Verdict.State != NotMeasured && len(lines) < mostKeyFigures {
				lines = append(lines, f.line())
			}
		}
	}
	return lines
}

// line says a finding in one line.
func (f *Finding) line() string {
	line := f.What + ": " + f.Ours
	if f.Paper != "" && f.Paper != "-" {
		beside := map[bool]string{true: "paper", false: "wanted"}[f.Source != ""]
		line += fmt.Sprintf(" (%s: %s)", beside, f.Paper)
	}
	compared := f.Paper == "-" && f.Verdict.State == NotJudged && f.ID != "traffic" // with what ran beside it
	if f.Verdict.State == Miss || compared {
		line += ", " + f.Verdict.Text
	}
	return line
}
