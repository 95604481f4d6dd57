package scenario

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// check refuses what the table of keys cannot.
func (c *Cluster) check(d *decoder, n *yaml.Node, path string, _ map[string]*yaml.Node) {
	if c.Size > 1200 {
		d.fail(n, path, "size %d: want at most 1200", c.Size)
	}
	if c.SlowLoss > 1 {
		d.fail(n, path, "slow_loss %v: want a share, at most 1", c.SlowLoss)
	}
	if c.Slow > c.Standing {
		d.fail(n, path, "slow %d: want no more than the standing receivers, %d", c.Slow, c.Standing)
	}
}

// check sees to it that a stream has the keys of its schedule, and no others.
func (s *Stream) check(d *decoder, n *yaml.Node, path string, given map[string]*yaml.Node) {
	k := slices.IndexFunc(schedules, func(k schedule) bool { return k.name == s.Schedule })
	if k < 0 {
		return // said already
	}
	all := append(slices.Clone(schedules[k].need), schedules[k].may...)
	for _, key := range schedules[k].need {
		if given[key] == nil {
			d.fail(n, path, "no %s: want one, for schedule %s has %s", key, s.Schedule, strings.Join(all, ", "))
		}
	}
	for _, f := range streamFields {
		if node := given[f.key]; node != nil && f.key != "schedule" && !slices.Contains(all, f.key) {
			d.fail(node, join(path, f.key), "schedule %s has no such key: want %s", s.Schedule, strings.Join(all, ", "))
		}
	}
}

// check sees to it that an objective says something.
func (o *Objective) check(d *decoder, n *yaml.Node, path string, given map[string]*yaml.Node) {
	if len(given) == 1 && given["operation"] != nil {
		d.fail(n, path, "only the operation: want p50, p90, p99, max or failed, too")
	}
	if o.Failed > 1 {
		d.fail(n, path, "failed %v: want a share, at most 1", o.Failed)
	}
}

// check refuses a scenario without phases, and phases with the same name, which --set
// could not tell apart.
func (s *Scenario) check(d *decoder, n *yaml.Node, _ string, given map[string]*yaml.Node) {
	if given["phases"] != nil && len(s.Phases) == 0 {
		d.fail(given["phases"], "phases", "an empty list: want at least one phase")
	}
	seen := make(map[string]bool)
	for _, p := range s.Phases {
		if p.Name != "" && seen[p.Name] {
			d.fail(n, "phases", "two are named %.40q: want a name for each", p.Name)
		}
		seen[p.Name] = true
	}
}
