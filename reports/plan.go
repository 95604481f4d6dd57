package reports

import (
	"slices"
	"strings"
	"time"

	"i3bench/internal/deliverylines"
	"i3bench/loadgen/plan"
)

// PlanMeasured takes over what result directories have measured and simulated for a plan; what they have not stays as
// it was. Of several results that have the same, observations are put together and costs are those of the last.
func PlanMeasured(base plan.Measured, results []*Result) plan.Measured {
	var observed []plan.Observed
	var calibrated, simulated plan.Origin
	for _, r := range results {
		if copies := r.planCopies(); len(copies) > 0 {
			base.Copies, calibrated = copies, r.origin(calibrated)
		}
		if control := r.planControl(); len(control) > 0 {
			base.Control, calibrated = control, r.origin(calibrated)
		}
		if list := r.planObserved(); len(list) > 0 {
			observed, simulated = append(observed, list...), r.origin(simulated)
		}
	}
	if calibrated.Command != "" {
		base.Calibrated = calibrated
	}
	if len(observed) > 0 {
		base.Observed, base.Simulated = observed, simulated
	}
	return base
}

// origin says where figures of the run are from, beside those of others before.
func (r *Result) origin(before plan.Origin) plan.Origin {
	m := &r.Manifest
	command := m.Command
	if i := slices.Index(command, "--out"); i >= 0 { // says nothing about the figures
		command = slices.Concat(command[:i], command[min(i+2, len(command)):])
	}
	o := plan.Origin{
		Date: m.Started.UTC().Format(time.DateOnly), Machine: m.Machine.String(), Commit: m.Commit, Command: quote(command),
	}
	if before.Command != "" {
		o.Command = before.Command + "; " + o.Command
	}
	return o
}

// planCopies are the costs of copies of a node that sends single datagrams.
func (r *Result) planCopies() (out []plan.CopyCost) {
	for _, s := range r.Select(StageCopies, KindCopies) {
		if s.Group != deliverylines.Single || s.Value <= 0 {
			continue
		}
		i := slices.IndexFunc(out, func(c plan.CopyCost) bool { return c.Fan == int(s.N) && c.Payload == s.Level })
		if i < 0 {
			i = len(out)
			out = append(out, plan.CopyCost{Fan: int(s.N), Payload: s.Level})
		}
		out[i].NS = append(out[i].NS, 1e9/s.Value)
	}
	return out
}

// planControl are the costs of a request or notice, by round: those of the driver and of machines.
func (r *Result) planControl() (out []float64) {
	machines := values(r.Select(StageCapacity, KindMachine))
	for i, carry := range values(r.Select(StageCapacity, KindCarry)) {
		if i < len(machines) {
			out = append(out, carry+machines[i])
		}
	}
	return out
}

// planObserved are the figures of simulated groups.
func (r *Result) planObserved() (out []plan.Observed) {
	degree := int(r.Manifest.number(ParamDegree, 8))
	for _, kind := range nodesKinds {
		for _, s := range r.Select(StageNodes, kind) {
			out = append(out, plan.Observed{
				Figure: kind, Variant: s.Group, Degree: degree, Receivers: float64(s.N), Nodes: float64(s.Host), Value: s.Value,
			})
		}
	}
	for _, kind := range []string{KindDupPerLoss, KindReqPerLoss} {
		for _, s := range r.Select(StageRecovery, kind) {
			if group, ok := strings.CutPrefix(s.Group, SchemeLoss+"/"); ok {
				out = append(out, plan.Observed{
					Figure: kind, Variant: group, Degree: degree, Receivers: float64(s.N), Value: s.Value,
				})
			}
		}
	}
	return out
}
