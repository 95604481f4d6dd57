package reports

import (
	"fmt"
	"strings"
)

// A treeLimit is a value that the paper's trees do not exceed at 65,536
// receivers.
type treeLimit struct {
	id, kind, what string
	limit          float64
	strict         bool // must be below the limit, not at it
}

// treeLimits are the four claims of Figure 11.
var treeLimits = []treeLimit{
	{"fig11a", KindStretchP90, "90th percentile of the stretch", paperStretchP90, false},
	{"fig11a", KindRAD, "ratio of average delays (RAD)", paperRAD, false},
	{"fig11a", KindRMD, "ratio of maximum delays (RMD)", paperRMD, false},
	{"fig11b", KindStressMax, "largest link stress", paperStressMax, true},
}

// claim writes the limit as the paper states it.
func (l treeLimit) claim() string {
	if l.strict {
		return "< " + plain(l.limit)
	}
	return "≤ " + plain(l.limit)
}

// limitsOf returns the limits of one figure.
func limitsOf(id string) (out []treeLimit) {
	for _, l := range treeLimits {
		if l.id == id {
			out = append(out, l)
		}
	}
	return out
}

// finding judges the largest group of a curve, if it is as large as the paper's.
func (l treeLimit) finding(c SizeCurve) Finding {
	f := Finding{ID: l.id, What: l.what, Source: "section 6.1", Paper: l.claim()}
	if len(c.Rows) == 0 {
		return f
	}
	row := c.last()
	f.What += ", " + variantName(c.Group) + ", " + receivers(row.N)
	f.Ours, f.Spread = num(row.Mean), row.spread(num)
	f.Verdict = l.verdict(row)
	f.Spot = spotOf(l.what, c.Group, row.N, row.cell(num))
	return f
}

func (l treeLimit) verdict(row SizeRow) Verdict {
	if row.N < paperLargestGroup {
		return Verdict{NotJudged, "smaller than the paper's " + receivers(paperLargestGroup)}
	}
	return row.atMost(l.limit, l.strict)
}

// A TreeScore says which of the four claims of Figure 11 the trees of one group
// of samples meet.
type TreeScore struct {
	Group  string
	Met    int
	Missed []string // what misses
}

// SummarizeTreeScores judges all four claims of Figure 11 for each group of
// samples that has all four figures for 65,536 receivers or more. curves holds
// the curves by kind.
func SummarizeTreeScores(curves map[string][]SizeCurve) []TreeScore {
	var out []TreeScore
	for _, c := range curves[treeLimits[0].kind] {
		score, whole := TreeScore{Group: c.Group}, true
		for _, l := range treeLimits {
			own := findCurve(curves[l.kind], c.Group)
			if len(own.Rows) == 0 || own.last().N < paperLargestGroup {
				whole = false
				break
			}
			if l.verdict(own.last()).State == Pass {
				score.Met++
			} else {
				score.Missed = append(score.Missed, l.what)
			}
		}
		if whole {
			out = append(out, score)
		}
	}
	return out
}

// treeFinding is the parity of Figure 11 as a whole: one way to build the tree
// that meets all of it at once.
func treeFinding(scores []TreeScore) Finding {
	f := Finding{
		ID: "fig11", What: "one variant and network meets all of Figure 11", Source: "section 6.1",
		Paper: fmt.Sprintf("%d of %d", len(treeLimits), len(treeLimits)),
	}
	if len(scores) == 0 {
		f.Ours, f.Verdict = "-", Verdict{NotMeasured, "not measured: no group of " + receivers(paperLargestGroup)}
		return f
	}
	best := scores[0]
	var all []string
	for _, s := range scores {
		if s.Met == len(treeLimits) {
			all = append(all, s.Group)
		}
		if s.Met > best.Met {
			best = s
		}
	}
	f.Ours = fmt.Sprintf("%d of %d", best.Met, len(treeLimits))
	f.Spread = fmt.Sprintf("best of %d groups", len(scores))
	f.Verdict = Verdict{Pass, "met by " + strings.Join(all, ", ")}
	if len(all) == 0 {
		missed := strings.Join(best.Missed, " and ")
		f.Verdict = Verdict{Miss, fmt.Sprintf("misses: %s meets most, not %s", best.Group, missed)}
	}
	return f
}

// treeRule is the rule of verdicts, for the reader.
const treeRule = "A group of samples is a way to build and maintain the tree and a network (instance of the topology " +
	"and reading of its latencies). Verdicts are of the mean over seeds at the largest size of each, if that is at " +
	"least 65,536 receivers."
