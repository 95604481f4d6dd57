package reports

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"i3bench/reports/chart"
	"i3bench/reports/profile"
)

const profileTitle = "Processor time by stage"

// profileSection shows the CPU profiles of a result directory, beside those of its baseline if there is one.
func profileSection(r *Result) Section {
	p, err := profile.Read(r.Dir)
	switch {
	case errors.Is(err, profile.ErrNone) && r.Baseline == "":
		return absent(StageProfile, profileTitle, StageProfile)
	case err != nil:
		return Section{ID: StageProfile, Title: profileTitle, Stage: StageProfile, Text: []string{err.Error()}}
	}
	v := profileView{p: p}
	v.operations, v.datagrams = r.work()
	if r.Baseline != "" {
		base, err := profile.Read(r.Baseline)
		if err != nil {
			p.Problems = append(p.Problems, "no comparison: "+err.Error())
		}
		v.base = base
	}
	return v.section()
}

// work returns how many operations the run completed and datagrams it sent, as far as the whole run was made of them:
// 0 if it did other things, too, which the profile has as well.
func (r *Result) work() (operations, datagrams int64) {
	for _, s := range r.Manifest.Stages {
		if s.Name != StageLoad && s.Name != StageFind && s.Name != StageProfile {
			return 0, 0
		}
	}
	for _, stage := range []string{StageLoad, StageFind} {
		for _, k := range loadOps {
			for _, s := range r.Select(stage, k.op) {
				if s.Status == StatusOK {
					operations++
				}
			}
		}
		for _, s := range r.Select(stage, KindCount) {
			if s.Group == "datagrams sent" {
				datagrams += int64(s.Value)
			}
		}
	}
	return operations, datagrams
}

// ProfileSection shows a CPU profile, beside another if that is not nil.
func ProfileSection(p, base *profile.Profile) Section {
	v := profileView{p: p, base: base}
	return v.section()
}

// A profileView is a profile with what it is shown beside.
type profileView struct {
	p, base               *profile.Profile // base may be nil
	operations, datagrams int64            // of the same run; 0: not known
}

func (v *profileView) section() Section {
	s := Section{ID: StageProfile, Title: profileTitle, Stage: StageProfile, Text: v.text()}
	if v.p.Total.CPU == 0 {
		return s
	}
	s.Tables = append(s.Tables, v.stageTable(), stageDocs())
	s.Figures = append(s.Figures, Figure{ID: "flame", Chart: v.flame(), Table: v.functionTable()})
	if v.base != nil && v.base.Total.CPU > 0 {
		s.Tables = slices.Insert(s.Tables, 1, v.changeTable())
		s.Figures = append(s.Figures, Figure{ID: "flame-diff", Chart: v.difference(), Table: v.changedFunctions()})
	}
	return s
}

// text says what was profiled, how to read it, and what could not be.
func (v *profileView) text() (text []string) {
	if v.p.Total.CPU == 0 {
		text = append(text, "The profile has no samples: the processes had nothing to do, or not for long enough.")
		return append(text, v.p.Problems...)
	}
	text = append(text, v.attributed())
	if v.operations+v.datagrams > 0 {
		text = append(text, fmt.Sprintf("Per operation and per datagram: all of a stage's time, whatever it was for, over "+
			"the %s operations that were completed and the %s datagrams that were sent.",
			count(v.operations), count(v.datagrams)))
	}
	if v.base != nil {
		text = append(text, fmt.Sprintf("The baseline has %s of processor time in %s samples. Shares are compared, not "+
			"times: each profile is taken for a whole. \"By chance\" is what two profiles of so many samples may differ "+
			"without a reason, three standard deviations if samples are independent; two runs of one program differ by more.",
			duration(float64(v.base.Total.CPU)), count(v.base.Total.Samples)))
	}
	return append(text, v.p.Problems...)
}

// attributed says how much there is, and how much of it is attributed.
func (v *profileView) attributed() string {
	p, stages := v.p, v.p.Stages()
	protocol := 0.0
	for s, c := range stages {
		if profile.Stage(s).Protocol() {
			protocol += p.Share(c)
		}
	}
	other := p.Share(stages[profile.Other])
	return fmt.Sprintf("%s of processor time in %s samples, from %s. It is of whole processes: whatever they did "+
		"meanwhile is in it, nodes, hosts and the bench itself. Stages of the protocol have %s, what surrounds them %s; "+
		"%s could not be attributed. Labels of the driver told the stage of %s, functions that of the rest.",
		duration(float64(p.Total.CPU)), count(p.Total.Samples), files(p), percent(protocol), percent(1-protocol-other),
		percent(other), percent(p.Share(p.Labelled())))
}

// files says how many files a profile was read from.
func files(p *profile.Profile) string {
	if len(p.Files) == 1 {
		return "one profile"
	}
	return count(len(p.Files)) + " profiles"
}

// stageTable is what each stage costs.
func (v *profileView) stageTable() Table {
	t := Table{
		Caption: "Processor time by stage",
		Columns: []Column{text("stage"), number("samples"), number("time"), number("share")},
	}
	if v.operations > 0 {
		t.Columns = append(t.Columns, number("per operation"))
	}
	if v.datagrams > 0 {
		t.Columns = append(t.Columns, number("per datagram sent"))
	}
	stages := v.p.Stages()
	for s := profile.Stage(1); s < profile.NumStages; s++ {
		if stages[s].Samples > 0 {
			t.Rows = append(t.Rows, v.costRow(s.String(), stages[s]))
		}
	}
	t.Rows = append(t.Rows, v.costRow(profile.Other.String(), stages[profile.Other]), v.costRow("all", v.p.Total))
	return t
}

func (v *profileView) costRow(name string, c profile.Cost) []string {
	row := []string{name, count(c.Samples), duration(float64(c.CPU)), percent(v.p.Share(c))}
	for _, n := range []int64{v.operations, v.datagrams} {
		if n > 0 {
			row = append(row, duration(float64(c.CPU)/float64(n)))
		}
	}
	return row
}

// stageDocs says what the stages are.
func stageDocs() Table {
	t := Table{Caption: "What the stages are", Fold: true, Columns: []Column{text("stage"), text("what belongs to it")}}
	for s := range profile.Stage(profile.NumStages) {
		t.Rows = append(t.Rows, []string{s.String(), s.Doc()})
	}
	return t
}

// maxFunctions bounds the rows of a table of functions.
const maxFunctions = 25

// functionTable lists the functions that cost most.
func (v *profileView) functionTable() Table {
	t := Table{
		Caption: "Functions by their own time",
		Columns: []Column{text("function"), number("own"), number("share"), number("with callees"), number("share")},
	}
	all := v.p.Functions()
	for _, f := range all[:min(len(all), maxFunctions)] {
		if f.Flat.Samples == 0 {
			break // those that only call others
		}
		t.Rows = append(t.Rows, []string{
			profile.ShortName(f.Name), duration(float64(f.Flat.CPU)), percent(v.p.Share(f.Flat)),
			duration(float64(f.Cum.CPU)), percent(v.p.Share(f.Cum)),
		})
	}
	return t
}

// changeTable sets the shares of the stages beside those of the baseline.
func (v *profileView) changeTable() Table {
	t := Table{Caption: "Shares of the stages, beside the baseline", Columns: changeColumns("stage")}
	old, new := v.base.Stages(), v.p.Stages()
	for i := range profile.Stage(profile.NumStages) {
		s := (i + 1) % profile.NumStages // what is not attributed last
		if old[s].Samples+new[s].Samples > 0 {
			t.Rows = append(t.Rows, changeRow(s.String(), profile.NewChange(v.base, v.p, old[s], new[s])))
		}
	}
	return t
}

func changeColumns(what string) []Column {
	return []Column{text(what), number("baseline"), number("now"), number("points"), number("by chance"), text("")}
}

// changeRow says how a share has changed.
func changeRow(name string, c profile.Change) []string {
	verdict := "within chance"
	switch {
	case c.Real() && c.Difference() > 0:
		verdict = "more"
	case c.Real():
		verdict = "less"
	}
	return []string{
		name, percent(c.Old), percent(c.New), points(c.Difference()), fmt.Sprintf("±%.1f", 100*c.Noise), verdict,
	}
}

// points writes a difference of shares with its sign.
func points(d float64) string {
	d = math.Round(1000*d) / 10
	if d == 0 {
		return "0.0"
	}
	return fmt.Sprintf("%+.1f", d)
}

// changedFunctions lists the functions whose own share has changed most.
func (v *profileView) changedFunctions() Table {
	type pair struct{ old, new profile.Cost }
	costs := make(map[string]*pair)
	at := func(name string) *pair {
		if costs[name] == nil {
			costs[name] = &pair{}
		}
		return costs[name]
	}
	for _, f := range v.base.Functions() {
		at(f.Name).old = f.Flat
	}
	for _, f := range v.p.Functions() {
		at(f.Name).new = f.Flat
	}
	type change struct {
		name string
		profile.Change
	}
	var all []change
	for name, c := range costs {
		if c.old.Samples+c.new.Samples > 0 {
			all = append(all, change{name, profile.NewChange(v.base, v.p, c.old, c.new)})
		}
	}
	slices.SortFunc(all, func(a, b change) int {
		return cmp.Or(cmp.Compare(max(b.Difference(), -b.Difference()), max(a.Difference(), -a.Difference())),
			strings.Compare(a.name, b.name))
	})
	t := Table{Caption: "Functions by the change of their own share", Columns: changeColumns("function")}
	for _, c := range all[:min(len(all), maxFunctions)] {
		t.Rows = append(t.Rows, changeRow(profile.ShortName(c.name), c.Change))
	}
	return t
}

// stageInk is the fill of a stage.
func stageInk(s profile.Stage) chart.Ink {
	if s == profile.Other {
		return chart.Plain
	}
	return chart.Fills[int(s-1)%len(chart.Fills)]
}
