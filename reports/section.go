package reports

import (
	"i3bench/reports/chart"
)

// A Section is one topic of a report, independent of how it is shown.
type Section struct {
	ID    string // unique; names the part of the page
	Title string
	Stage string // stage whose samples it shows; empty for the whole run
	// Absent says why there is nothing to show. The section then holds no tables
	// and figures, but its findings, each "not measured".
	Absent string
	// Text are paragraphs that say how to read what follows.
	Text     []string
	Tables   []Table
	Figures  []Figure
	Findings []Finding
	Bench    []BenchLine
}

// A Table is rows of text under named columns. The first column names the row.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]string
	Fold    bool // the page shows it on request only
}

// A Column is the head of a table's column.
type Column struct {
	Name   string
	Number bool // aligned to the right
}

// A Figure is a chart and its numbers.
type Figure struct {
	ID    string // unique on the page
	Chart chart.Chart
	Table Table
}

// A Finding is one figure of the run beside what it is compared with.
type Finding struct {
	ID      string // of the experiment, such as "table2a"
	What    string // what was measured, with its setting
	Source  string // section of the paper; empty for an objective of the project
	Paper   string // the paper's value; for an objective, what it demands
	Ours    string
	Spread  string // over seeds
	Verdict Verdict
	Spot    Spot // in a table of several variants; zero: it has a row of its own
}

// A State is the kind of a verdict.
type State int

// The states of a verdict.
const (
	NotMeasured State = iota // the run has no samples for it
	NotJudged                // shown for comparison, no rule applies
	Pass
	Miss
)

// String returns the state in one or two words.
func (s State) String() string {
	return [...]string{"not measured", "not judged", "met", "missed"}[s]
}

// A Verdict is what a rule says of a figure, and by how much.
type Verdict struct {
	State State
	Text  string
}

// String says the verdict in a table that has no room for the state.
func (v Verdict) String() string {
	if v.State == NotJudged {
		return v.Text + ", not judged"
	}
	return v.Text
}

// registry lists the sections in the order of the report. To add one, write a
// function in a file of its own and name it here.
var registry = []func(*Result) Section{
	fig11aSection,
	fig11bSection,
	joinCostSection,
	shapeSection,
	fig12Section,
	eqRefreshSection,
	fig13aSection,
	fig13bSection,
	table1Section,
	simDeliverySection,
	trafficSection,
	depthSection,
	queriesSection,
	clusterJoinSection,
	matchSection,
	scaleSection,
	nodesSection,
	microSection,
	copiesSection,
	limitSection,
	stretchSection,
	duplicatesSection,
	repairSection,
	deliverySection(StageWAN),
	deliverySection(StageDeliver),
	loadSection,
	generatorSection,
	holdSection,
	findSection,
	capacitySection,
	profileSection,
	runsSection,
	countersSection,
	filesSection,
}

// Sections computes every section of the report from the samples. The result
// is computed once and shared.
func (r *Result) Sections() []Section {
	r.once.Do(func() {
		for _, build := range registry {
			r.sections = append(r.sections, build(r))
		}
	})
	return r.sections
}

// findings returns the findings of all sections: those compared with the paper,
// and the project's own objectives.
//
// Those of a stage that was no part of the run are left out, but for a run that
// does not say what its parts were.
func (r *Result) findings() (paper, objectives []Finding) {
	for _, s := range r.Sections() {
		if _, known := r.Stage(s.Stage); !known && s.Absent != "" && len(r.Manifest.Stages) > 0 {
			continue
		}
		for _, f := range s.Findings {
			if f.Source != "" {
				paper = append(paper, f)
			} else {
				objectives = append(objectives, f)
			}
		}
	}
	return paper, objectives
}

// stages lists the stages that the report shows, in its order, with the title
// of each.
var stages = []struct{ name, title string }{
	{StageLoad, "Load: joins and repairs at a fixed rate"},
	{StageFind, "Find: the largest rate that meets objectives"},
	{StageCapacity, "Capacity: the largest rate, predicted"},
	{StageHold, "Hold: many members on sockets"},
	{StageCluster, "Cluster: trees of 8 to 64 receivers"},
	{StageMatch, "Two worlds: the simulator against sockets"},
	{StageTraffic, "Traffic: what the packets of a group are for"},
	{StageRefresh, "Refreshes: keeping simulated trees alive"},
	{StageRecovery, "Recovery: losses repaired in simulated trees"},
	{StageWAN, "Wide area: measured delays"},
	{StageDeliver, "Delivery"},
	{StageTree, "Simulated trees: stretch, stress and cost of joining"},
	{StageScale, "Scale: large groups"},
	{StageNodes, "Nodes: what a plan scales up"},
	{StageMicro, "Look-ups: what one costs in tables of any size"},
	{StageCopies, "Copies: what one costs on its way to receivers"},
	{StageProfile, "Profile: where the processor time went"},
	{"", "Records: runs, traces and counters"},
}

// absent is a section without samples.
func absent(id, title, stage string, findings ...Finding) Section {
	for i := range findings {
		findings[i].Ours, findings[i].Verdict = "-", Verdict{NotMeasured, "not measured"}
	}
	return Section{
		ID: id, Title: title, Stage: stage, Findings: findings,
		Absent: "The run has no samples for this.",
	}
}

// text and number are columns.
func text(name string) Column   { return Column{name, false} }
func number(name string) Column { return Column{name, true} }
