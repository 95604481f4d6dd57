package reports

import (
	"slices"

	"i3bench/loadgen/find"
)

// Invalid returns why the figures of the run say nothing about the system: what
// its manifest says, and what the samples tell of a generator that was the limit.
// It is empty if the run is valid. This is the one place that judges a run.
func (r *Result) Invalid() []string {
	out := slices.Clone(r.Manifest.Invalid)
	for _, reason := range r.limited() {
		if !slices.Contains(out, reason) {
			out = append(out, reason)
		}
	}
	return out
}

// limited says where the generator was the limit.
func (r *Result) limited() (out []string) {
	if reason := r.generator().invalid(); reason != "" {
		out = append(out, "the load generator was the limit: "+reason)
	}
	if f, err := r.search(); err == nil && len(f.trials) > 0 && f.result.All.State == find.Limited {
		out = append(out, "the load generator was the limit of the search from "+num(f.result.Ceiling)+" joins/s on")
	}
	return out
}
