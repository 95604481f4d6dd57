package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"i3bench/loadgen/find"
)

// An Answer answers a question that every reader has, in a sentence, and names the
// section that has the figures. docs/report.md lists where each stands.
type Answer struct {
	ID       string // unique on the page
	Question string
	Text     string
	Section  string // the ID of the section
}

// glance returns the answers that the run can give.
func (r *Result) glance() (out []Answer) {
	for _, q := range []struct {
		id, question string
		answer       func(*Result) (text, section string)
	}{
		{"answer-joins", "How many joins per second?", (*Result).joinsAnswer},
		{"answer-limit", "What limits it?", (*Result).limitAnswer},
		{"answer-refresh", "How much of the traffic is refresh?", (*Result).refreshAnswer},
		{"answer-repair", "How long do repairs take?", (*Result).repairAnswer},
		{"answer-depth", "How deep is the tree?", (*Result).depthAnswer},
	} {
		if text, section := q.answer(r); text != "" {
			out = append(out, Answer{q.id, q.question, text, section})
		}
	}
	return out
}

// loadOf returns the figures of an operation of the load stage, and whether there were any.
func (r *Result) loadOf(op string) (LoadOp, bool) {
	l := SummarizeLoad(op, r.Select(StageLoad, op), r.Select(StageLoad, KindOffered))
	return l, l.Sent > 0
}

// searched returns the search of the run, and whether there was one.
func (r *Result) searched() (found, bool) {
	f, err := r.search()
	return f, err == nil && len(f.trials) > 0 && len(f.objectives) > 0
}

func (r *Result) joinsAnswer() (text, section string) {
	f, searched := r.searched()
	l, offered := r.loadOf(KindJoin)
	if offered {
		text, section = fmt.Sprintf("Of %s/s offered at a fixed rate %s/s were done, with a p99 of %s.", num(l.Rate),
			num(l.Achieved), percentile(l.Response, 0.99)), "load"
	}
	if !searched {
		return text, section
	}
	a := f.result.All
	if a.State != find.Found && a.State != find.AtLeast {
		text += " A search for the largest rate has no answer: " + FoundText(a.State, a.Against) + "."
		return strings.TrimSpace(text), cmp.Or(section, "find")
	}
	found := fmt.Sprintf("The largest rate that meets %s and %d more objectives is %s, with a confidence of %s.",
		f.objectives[0].Text, len(f.objectives)-1, interval(a.Lower, a.Upper), percent(a.Confidence))
	return strings.TrimSpace(found + " " + text), "find"
}

// keptUp is the share of what was offered from which on a rate counts as kept up with.
const keptUp = 0.98

func (r *Result) limitAnswer() (text, section string) {
	if f, ok := r.searched(); ok {
		if text := f.limit(); text != "" {
			return text + r.busyText(), "find"
		}
	}
	l, ok := r.loadOf(KindJoin)
	g := r.generator()
	switch {
	case !ok:
		return "", ""
	case g.invalid() != "":
		text = "The generator or the machine, not the system: " + g.invalid() + "."
	case l.Achieved >= keptUp*l.Rate:
		text = fmt.Sprintf("Nothing up to the %s joins/s that were offered: all were done. bench find looks for the limit.",
			num(l.Rate))
	default:
		text = fmt.Sprintf("The system: the generator was on time, and joins waited (p99 %s, %s from their start).",
			percentile(l.Response, 0.99), percentile(l.Service, 0.99))
	}
	return text + r.busyText(), "load"
}

// busyText says how busy the processors were under the load of a fixed rate.
func (r *Result) busyText() string {
	if v, ok := r.health(StageLoad)[HealthBusy]; ok {
		return " All processors were " + percent(v.Value) + " busy under the load at a fixed rate."
	}
	return ""
}

// limit says what failed at the lowest rate at which trials failed, or nothing.
func (f *found) limit() string {
	failed := make(map[float64][]string)
	for _, t := range f.trials {
		if t.Invalid(f.lateLimit) != "" {
			continue
		}
		for _, o := range f.objectives {
			if v := t.Value(o); !math.IsNaN(v) && v >= o.Limit {
				failed[t.Rate] = append(failed[t.Rate], o.Text)
			}
		}
	}
	rates := make([]float64, 0, len(failed))
	for rate := range failed {
		if rate > f.result.All.Lower {
			rates = append(rates, rate)
		}
	}
	if len(rates) == 0 {
		if c := f.result.Ceiling; !math.IsInf(c, 1) && c > 0 {
			return fmt.Sprintf("The generator or the machine, from %s joins/s on; no objective failed before.", num(c))
		}
		return ""
	}
	least := slices.Min(rates)
	slices.Sort(failed[least])
	return fmt.Sprintf("At %s joins/s %s failed first, with a generator that was on time.", num(least),
		strings.Join(slices.Compact(failed[least]), " and "))
}

func (r *Result) refreshAnswer() (text, section string) {
	rows := SummarizeTraffic(r.Select(StageTraffic, KindPackets), r.Select(StageTraffic, KindBytes))
	var parts []string
	for _, row := range rows {
		parts = append(parts, fmt.Sprintf("%s at %d/s", percent(classShare(row.Packets, TrafficRefresh)), row.Rate))
	}
	if len(parts) == 0 {
		return "", ""
	}
	return fmt.Sprintf("Of all packets of a group of %d, by how many its source sends: %s.", rows[0].Receivers,
		strings.Join(parts, ", ")), "traffic"
}

func (r *Result) repairAnswer() (text, section string) {
	for _, row := range SummarizeRepairs(r.Select(StageWAN, KindRepair)) {
		return fmt.Sprintf("Half within %s, 99 %% within %s, the longest %s: %s repairs in the wide area.",
			duration(row.Time.P(0.5)), duration(row.Time.P(0.99)), duration(row.Time.Max()), count(row.Time.Count())), "repair"
	}
	if l, ok := r.loadOf(KindRepair); ok {
		return fmt.Sprintf("Half within %s, 99 %% within %s, under load on one machine.", percentile(l.Response, 0.5),
			percentile(l.Response, 0.99)), "load"
	}
	return "", ""
}

func (r *Result) depthAnswer() (text, section string) {
	names, groups := grouped(r.Select(StageCluster, KindDepth), byGroup)
	if len(names) == 0 {
		return "", ""
	}
	rows := SummarizeDepth(groups[names[0]])
	last := rows[len(rows)-1]
	text = fmt.Sprintf("%s levels with %d receivers, mean of %d seeds", num(last.Mean), last.Receivers, len(last.PerSeed))
	for _, p := range paperDepths {
		if p.receivers == last.Receivers {
			text += fmt.Sprintf(" (paper: %s)", plain(p.depth))
		}
	}
	return text + ".", "depth"
}
