package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"i3bench/experiments"
	"i3bench/reports"
	"i3bench/testbed"
)

// fieldFlags say what nodes and source are deployed in the process of their own.
type fieldFlags struct {
	Nodes    int           `default:"32" help:"i3 nodes."`
	Degree   int           `default:"8" help:"D: links under one identifier."`
	Rate     float64       `default:"0.1" help:"Packets the source sends per second; each goes to all members."`
	Size     int           `default:"128" help:"Bytes of a packet."`
	Lifetime time.Duration `default:"60s" help:"T: how long triggers live that nobody refreshes."`
	Search   string        `default:"draw" enum:"draw,lan" help:"How a parent is looked for: ${enum}."`
}

func (f fieldFlags) config(c *cli) experiments.FieldConfig {
	return experiments.FieldConfig{
		Nodes: f.Nodes, Degree: f.Degree, PerSecond: f.Rate, Size: f.Size, Lifetime: f.Lifetime, Seed: c.Seed,
		Search: experiments.Policies[f.Search],
	}
}

func (f fieldFlags) check() error {
	return positive(map[string]float64{
		"nodes": float64(f.Nodes), "degree": float64(f.Degree), "rate": f.Rate, "size": float64(f.Size),
		"lifetime": f.Lifetime.Seconds(),
	})
}

type holdCmd struct {
	Members int           `default:"100000" help:"Members of the group."`
	Joins   float64       `default:"1500" help:"Joins per second while the group grows, at most."`
	Under   int           `default:"256" help:"Joins under way at a time, at most."`
	For     time.Duration `default:"5m" help:"How long the group is held once it has grown."`
	fieldFlags
}

// Run runs the experiment. Nodes and source are in a process of their own, so that what the members cost is told
// apart, and nobody takes a short way.
func (c *holdCmd) Run(s *session) error {
	err := positive(map[string]float64{
		"members": float64(c.Members), "joins": c.Joins, "under": float64(c.Under), "for": c.For.Seconds(),
	})
	if err := errors.Join(err, c.check()); err != nil {
		return err
	}
	field, err := startField(c.fieldFlags, s.cli.Seed)
	if err != nil {
		return err
	}
	defer field.Close()
	e := experiments.Hold{
		FieldConfig: c.config(s.cli), Field: field, Members: c.Members, Joins: c.Joins, Under: c.Under, For: c.For,
	}
	what := fmt.Sprintf("%d members for %v", c.Members, c.For)
	note := fmt.Sprintf("%s, %d nodes in a process of their own, D = %d, T = %v, %.4g packets/s",
		what, c.Nodes, c.Degree, c.Lifetime, c.Rate)
	return s.run(stage{name: reports.StageHold, run: e.Run, what: what, note: note})
}

// A fieldProcess is the other process: it says the ground when it is ready, answers each line with its counts,
// and ends when nobody can write lines any more.
type fieldProcess struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	ground testbed.Ground
}

func startField(f fieldFlags, seed uint64) (*fieldProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	p := &fieldProcess{cmd: exec.Command(self, "field", fmt.Sprint("--seed=", seed), fmt.Sprint("--nodes=", f.Nodes),
		fmt.Sprint("--degree=", f.Degree), fmt.Sprint("--rate=", f.Rate), fmt.Sprint("--size=", f.Size),
		fmt.Sprint("--lifetime=", f.Lifetime), "--search="+f.Search)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("hold: start the nodes: %w", err)
	}
	p.out = json.NewDecoder(out)
	if err := p.out.Decode(&p.ground); err != nil {
		return nil, fmt.Errorf("hold: the nodes did not start: %w", errors.Join(err, p.Close()))
	}
	return p, nil
}

// Ground returns what members must know.
func (p *fieldProcess) Ground() testbed.Ground { return p.ground }

// Counts asks what nodes and source have done.
func (p *fieldProcess) Counts() (c experiments.FieldCounts, err error) {
	if _, err = fmt.Fprintln(p.in); err == nil {
		err = p.out.Decode(&c)
	}
	if err != nil {
		return c, fmt.Errorf("hold: the nodes do not answer: %w", err)
	}
	return c, nil
}

// Close ends the process.
func (p *fieldProcess) Close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

type fieldCmd struct{ fieldFlags }

// Run deploys nodes and source, and answers lines until there are no more.
func (c *fieldCmd) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	f, err := experiments.NewField(c.config(s.cli))
	if err != nil {
		return err
	}
	defer f.Close()
	say := json.NewEncoder(s.out)
	if err := say.Encode(f.Ground()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		counts, err := f.Counts()
		if err == nil {
			err = say.Encode(counts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
