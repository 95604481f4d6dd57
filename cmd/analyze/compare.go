package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"

	"i3bench/reports/compare"
)

// thresholds are the flags of a comparison.
type thresholds struct {
	Alpha     float64 `default:"0.05" help:"Share of false alarms allowed among the rows called different."`
	MinEffect float64 `default:"0.05" help:"Least change of a median that counts, 0.05 for 5 %."`
	See       float64 `default:"0" help:"What a row must be able to show, or be too noisy. Default: twice --min-effect."`
	Units     string  `default:"." help:"Regular expression: compare the units it matches alone."`
}

// options returns the flags as the package wants them.
func (t *thresholds) options() (compare.Options, error) {
	for name, v := range map[string]float64{"alpha": t.Alpha, "min-effect": t.MinEffect} {
		if !(v > 0 && v < 1) {
			return compare.Options{}, fmt.Errorf("--%s is %g, expected a share between 0 and 1", name, v)
		}
	}
	if t.See < 0 || t.See >= 1 {
		return compare.Options{}, fmt.Errorf("--see is %g, expected a share between 0 and 1", t.See)
	}
	units, err := regexp.Compile(t.Units)
	return compare.Options{Alpha: t.Alpha, Effect: t.MinEffect, See: t.See, Units: units}, err
}

// A form is how a result is printed.
type form struct {
	Markdown bool `xor:"form" help:"Print Markdown, for a pull request."`
	JSON     bool `name:"json" xor:"form" help:"Print JSON, for programs."`
}

// A document can be printed in each form.
type document interface {
	Text() string
	Markdown() string
	JSON() ([]byte, error)
}

func (f form) print(out io.Writer, d document) error {
	text := []byte(nil)
	var err error
	switch {
	case f.Markdown:
		text = []byte(d.Markdown())
	case f.JSON:
		text, err = d.JSON()
	default:
		text = []byte(d.Text())
	}
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

type compareCmd struct {
	Old        string `arg:"" help:"Result directory, file of benchmark results, or folder of either."`
	New        string `arg:"" help:"The same, of the other version."`
	thresholds `embed:""`
	form       `embed:""`
}

// Run compares two sides and judges nothing.
func (c *compareCmd) Run(out io.Writer) error {
	r, err := c.compare()
	if err != nil {
		return usage(err)
	}
	return c.print(out, r)
}

// compare reads both sides and compares them.
func (c *compareCmd) compare() (*compare.Comparison, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	old, new, err := readPair(c.Old, c.New)
	if err != nil {
		return nil, err
	}
	return compare.Compare(old, new, options), nil
}

// readPair reads two sides.
func readPair(a, b string) (old, new *compare.Side, err error) {
	if old, err = compare.Read(a); err != nil {
		return nil, nil, err
	}
	new, err = compare.Read(b)
	return old, new, err
}

type gateCmd struct {
	compareCmd `embed:""`
	ConfirmOld string `placeholder:"PATH" help:"Second sample of the old version: a suspicion must show in it, too."`
	ConfirmNew string `placeholder:"PATH" help:"Second sample of the new version."`
	Again      string `placeholder:"COMMAND" help:"Run by sh if there is a suspicion: it makes the second samples."`
	Accept     string `placeholder:"REGEXP" help:"Rows whose change is wanted: they never fire."`
	Summary    string `placeholder:"FILE" help:"Append the Markdown form to this file, too."`
}

// Validate refuses a second sample of one side alone.
func (c *gateCmd) Validate() error {
	if (c.ConfirmOld == "") != (c.ConfirmNew == "") {
		return fmt.Errorf("--confirm-old and --confirm-new come together")
	}
	if c.Again != "" && c.ConfirmOld == "" {
		return fmt.Errorf("--again needs --confirm-old and --confirm-new, the files that it makes")
	}
	return nil
}

// Run judges two sides; its error carries the exit code of the outcome.
func (c *gateCmd) Run(out io.Writer) error {
	first, err := c.compare()
	if err != nil {
		return usage(err)
	}
	g := &compare.Gate{First: first}
	if c.Accept != "" {
		if g.Accept, err = regexp.Compile(c.Accept); err != nil {
			return usage(err)
		}
	}
	if len(g.Suspects()) > 0 && c.ConfirmOld != "" {
		if err := c.confirm(g); err != nil {
			return usage(err)
		}
	}
	if err := c.print(out, g); err != nil {
		return err
	}
	if err := appendTo(c.Summary, g.Markdown()); err != nil {
		return usage(err)
	}
	return outcome(g.Outcome())
}

// confirm gets the second pair of samples.
func (c *gateCmd) confirm(g *compare.Gate) error {
	if c.Again != "" {
		cmd := exec.Command("sh", "-c", c.Again)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("measure again with %.200q: %w", c.Again, err)
		}
	}
	old, new, err := readPair(c.ConfirmOld, c.ConfirmNew)
	if err == nil {
		g.Confirm(old, new)
	}
	return err
}

// appendTo appends text to a file, if there is a name.
func appendTo(path, text string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

type historyCmd struct {
	Dirs      []string `arg:"" help:"Result directories, in any order."`
	Alpha     float64  `default:"0.01" help:"Level of the test of each change."`
	MinEffect float64  `default:"0.05" help:"Least change of a median that counts."`
	HTML      string   `name:"html" placeholder:"FILE" help:"Write a page with a chart of each row, too."`
	form      `embed:""`
}

// Run shows how each row went over the runs.
func (c *historyCmd) Run(out io.Writer) error {
	h, err := compare.NewHistory(c.Dirs, c.Alpha, c.MinEffect)
	if err != nil {
		return usage(err)
	}
	if c.HTML != "" {
		page, err := h.HTML()
		if err == nil {
			err = os.WriteFile(c.HTML, page, 0o644)
		}
		if err != nil {
			return usage(err)
		}
	}
	return c.print(out, h)
}
