package main

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"i3bench/experiments"
)

// Bounds of flags.
const (
	maxWorkers   = 14      // of the simulator's engine
	maxPerMinute = 100_000 // faults: one is drawn after the other
	leastLife    = time.Second
)

// plan checks the flags and returns what they ask for.
func (c *simCmd) plan(all *cli) (*experiments.Plan, []simRow, error) {
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	rows, err := c.chosenRows()
	if err != nil {
		return nil, nil, &usageError{err}
	}
	p := &experiments.Plan{
		Seeds: all.seeds(c.Seeds), LargeSeeds: all.seeds(min(c.LargeSeeds, c.Seeds)), Sizes: c.Sizes, Servers: c.Servers,
		Degree: c.Degree, Lifetime: c.Lifetime, Periods: c.Periods, Packets: c.Packets, Scale: c.Receivers,
		Workers: c.Workers, NodeLoss: c.NodeLoss, HostLoss: c.HostLoss,
		Faults: experiments.Faults{Skew: c.Skew, Jitter: c.Jitter, Crashes: c.Crashes, Restarts: c.Restarts},
	}
	if p.Workers == 0 {
		p.Workers = min(runtime.NumCPU(), maxWorkers)
	}
	if p.Variants, err = c.variants(); err != nil {
		return nil, nil, &usageError{err}
	}
	if p.Nets, p.Others, err = c.networks(); err != nil {
		return nil, nil, &usageError{err}
	}
	if p.Matrix, err = (wanFlags{RTT: c.RTT}).matrix(all); err != nil {
		return nil, nil, &usageError{err}
	}
	return p, rows, nil
}

// check returns a usage error naming a flag whose number makes no sense.
func (c *simCmd) check() error {
	err := positive(map[string]float64{
		"seeds": float64(c.Seeds), "servers": float64(c.Servers), "degree": float64(c.Degree),
		"periods": float64(c.Periods), "packets": float64(c.Packets), "receivers": float64(c.Receivers),
	})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name        string
		value, most float64
	}{
		{"large-seeds", float64(c.LargeSeeds), 1 << 20},
		{"crashes", c.Crashes, maxPerMinute},
		{"restarts", c.Restarts, maxPerMinute},
		{"node-loss", c.NodeLoss, 1},
		{"host-loss", c.HostLoss, 1},
		{"beside", float64(c.Beside), 1 << 10},
		{"workers", float64(c.Workers), maxWorkers},
	} {
		if !(f.value >= 0 && f.value <= f.most) {
			return &usageError{fmt.Errorf("--%s %v: want 0 to %v", f.name, f.value, f.most)}
		}
	}
	switch {
	case c.Lifetime < leastLife:
		return &usageError{fmt.Errorf("--lifetime %v: want %v or more", c.Lifetime, leastLife)}
	case c.Skew < 0:
		return &usageError{fmt.Errorf("--skew %v: want no less than zero", c.Skew)}
	case c.Jitter < 0:
		return &usageError{fmt.Errorf("--jitter %v: want no less than zero", c.Jitter)}
	}
	return c.checkSizes()
}

// checkSizes checks the group sizes.
func (c *simCmd) checkSizes() error {
	before := 0
	for _, n := range c.Sizes {
		if n <= before {
			return &usageError{fmt.Errorf("--sizes %v: want numbers above zero, each larger than the one before", c.Sizes)}
		}
		before = n
	}
	if before == 0 {
		return &usageError{errors.New("--sizes: want at least one")}
	}
	return nil
}

// simVariants are the values of --variants.
var simVariants = map[string]func() experiments.Variant{
	"paper": experiments.LiteralVariant, "relays": experiments.RelaysVariant,
}

// variants reads the flag of this name.
func (c *simCmd) variants() (list []experiments.Variant, err error) {
	if err := distinct("--variants", c.Variants); err != nil {
		return nil, err
	}
	for _, name := range c.Variants {
		v, ok := simVariants[name]
		if !ok {
			names := strings.Join(slices.Sorted(maps.Keys(simVariants)), " or ")
			return nil, fmt.Errorf("--variants %.40q: want %s", name, names)
		}
		list = append(list, v())
	}
	if len(list) == 0 {
		return nil, errors.New("--variants: want at least one")
	}
	return list, nil
}

// networks reads the flags that name networks.
func (c *simCmd) networks() (nets, others []experiments.Net, err error) {
	if len(c.Nets) == 0 {
		return nil, nil, errors.New("--nets: want at least one")
	}
	if err := distinct("--nets and --others", slices.Concat(c.Nets, c.Others)); err != nil {
		return nil, nil, err
	}
	if nets, err = c.readNets("--nets", c.Nets); err != nil {
		return nil, nil, err
	}
	others, err = c.readNets("--others", c.Others)
	return nets, others, err
}

func (c *simCmd) readNets(flag string, names []string) (list []experiments.Net, err error) {
	for _, name := range names {
		n := experiments.Net(name)
		if err := n.Check(); err != nil {
			return nil, fmt.Errorf("%s %.40q: %w", flag, name, err)
		}
		if n.Places() < c.Servers {
			return nil, fmt.Errorf("--servers %d: want at most %d, the places of %s", c.Servers, n.Places(), name)
		}
		list = append(list, n)
	}
	return list, nil
}

// distinct returns an error if a value of a flag is there twice: the samples of
// both would be taken for those of one.
func distinct[T comparable](flag string, values []T) error {
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			return fmt.Errorf("%s: %.40q is there twice, want each once", flag, fmt.Sprint(v))
		}
	}
	return nil
}

// chosenRows returns the chosen rows in the order of the report.
func (c *simCmd) chosenRows() (rows []simRow, err error) {
	var known []string
	for _, r := range simRows {
		known = append(known, r.name)
		if slices.Contains(c.Rows, r.name) {
			rows = append(rows, r)
		}
	}
	for _, name := range c.Rows {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--rows %.40q: want some of %s", name, strings.Join(known, ", "))
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("--rows: want some of %s", strings.Join(known, ", "))
	}
	return rows, nil
}
