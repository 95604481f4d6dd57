package reports

import (
	"slices"
	"strings"
	"time"

	"i3bench/internal/deliverylines"
	"i3bench/loadgen/plan"
)

// PlanMeasured takes over what result directories have measured and simulated for a plan; what they have not stays as it
// was. Of several results that have calibrated or simulated, observations are put together and costs are those of the
// last.
func PlanMeasured(base plan.Measured, results []*Result) plan.Measured {
	var observed []plan.Observed
	for _, r := range results {
		origin := r.origin()
		if copies := r.planCopies(); len(copies) > 0 {
			base.Copies, base.Calibrated = copies, origin
		}
		if control := r.planControl(); len(control) > 0 {
			base.Control, base.Calibrated = control, origin
		}
		if list := r.planObserved(); len(list) > 0 {
			if len(observed) > 0 && base.Simulated.Command != origin.Command {
				origin.Command = base.Simulated.Command + "; " + origin.Command
			}
			observed, base.Simulated = append(observed, list...), origin
		}
	}
	if len(observed) > 0 {
		base.Observed = observed
	}
	return base
}

// origin says where figures of the run are from.
func (r *Result) origin() plan.Origin {
	m := &r.Manifest
	command := slices.DeleteFunc(slices.Clone(m.Command), func(s string) bool { return strings.HasPrefix(s, "--out") })
	if i := slices.Index(m.Command, "--out"); i >= 0 {
		command = slices.Concat(m.Command[:i], m.Command[min(i+2, len(m.Command)):])
	}
	return plan.Origin{
		Date: m.Started.UTC().Format(time.DateOnly), Machine: m.Machine.String(), Commit: m.Commit, Command: quote(command),
	}
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
