package profile

// A Summary is a profile for programs.
type Summary struct {
	Files     []string          `json:"files"`
	Problems  []string          `json:"problems,omitempty"` // what could not be read
	Samples   int64             `json:"samples"`
	CPU       int64             `json:"cpu_ns"`
	Labelled  float64           `json:"labelled"` // share of the time whose stage a label told
	Stages    []StageSummary    `json:"stages"`   // those that have samples in either profile
	Functions []FunctionSummary `json:"functions"`
	Base      *Summary          `json:"base,omitempty"` // what it is compared with
}

// A StageSummary is a stage's part.
type StageSummary struct {
	Stage    string  `json:"stage"`
	Protocol bool    `json:"protocol"`
	Samples  int64   `json:"samples"`
	CPU      int64   `json:"cpu_ns"`
	Share    float64 `json:"share"`
	// How much larger the share is than that of the baseline, and how much two shares of so many samples differ by
	// chance; see [Change].
	Difference *float64 `json:"difference,omitempty"`
	Noise      *float64 `json:"noise,omitempty"`
}

// A FunctionSummary is a function's part.
type FunctionSummary struct {
	Name    string `json:"name"`
	CPU     int64  `json:"cpu_ns"`          // in the function itself
	WithAll int64  `json:"cpu_with_all_ns"` // there and in what it calls
}

// maxSummary bounds the functions of a summary.
const maxSummary = 100

// NewSummary returns a profile for programs, beside another if that is not nil.
func NewSummary(p, base *Profile) *Summary {
	s := &Summary{
		Files: p.Files, Problems: p.Problems, Samples: p.Total.Samples, CPU: p.Total.CPU, Labelled: p.Share(p.Labelled()),
		Stages: []StageSummary{}, Functions: []FunctionSummary{},
	}
	stages := p.Stages()
	var old [NumStages]Cost
	if base != nil {
		s.Base, old = NewSummary(base, nil), base.Stages()
	}
	for i, c := range stages {
		if c.Samples+old[i].Samples == 0 {
			continue
		}
		row := StageSummary{
			Stage: Stage(i).String(), Protocol: Stage(i).Protocol(), Samples: c.Samples, CPU: c.CPU, Share: p.Share(c),
		}
		if base != nil {
			change := NewChange(base, p, old[i], c)
			difference := change.Difference()
			row.Difference, row.Noise = &difference, &change.Noise
		}
		s.Stages = append(s.Stages, row)
	}
	all := p.Functions()
	for _, f := range all[:min(len(all), maxSummary)] {
		s.Functions = append(s.Functions, FunctionSummary{f.Name, f.Flat.CPU, f.Cum.CPU})
	}
	return s
}
