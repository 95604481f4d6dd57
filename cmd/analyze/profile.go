package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"i3bench/reports"
	"i3bench/reports/profile"
)

type profileCmd struct {
	Paths []string `arg:"" help:"Files of CPU profiles, or directories that have them, as bench --profile makes them."`
	Base  []string `placeholder:"PATH" sep:"none" help:"Compare with these; may be given several times."`
	Out   string   `placeholder:"FILE" help:"Write a page; or the flame graph alone, if the name ends in .svg."`
	JSON  bool     `name:"json" help:"Print JSON, for programs."`
}

// Run merges the profiles, says where the time went, and what could not be read.
func (c *profileCmd) Run(out io.Writer) error {
	p, err := profile.Read(c.Paths...)
	if err != nil {
		return err
	}
	var base *profile.Profile
	if len(c.Base) > 0 {
		if base, err = profile.Read(c.Base...); err != nil {
			return fmt.Errorf("--base: %w", err)
		}
		for _, problem := range base.Problems {
			p.Problems = append(p.Problems, "--base: "+problem)
		}
	}
	if err := c.write(p, base); err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(profile.NewSummary(p, base))
	}
	_, err = io.WriteString(out, profileText(p, base))
	if c.Out != "" {
		fmt.Fprintf(out, "\nflame graph: %s\n", c.Out)
	}
	return err
}

// write writes the page, or the drawing, if that is asked for.
func (c *profileCmd) write(p, base *profile.Profile) error {
	if c.Out == "" {
		return nil
	}
	data, err := reports.ProfilePage(p, base)
	if filepath.Ext(c.Out) == ".svg" {
		data, err = flameOf(reports.ProfileSection(p, base))
	}
	if err == nil {
		err = os.WriteFile(c.Out, data, 0o644)
	}
	return err
}

// flameOf draws the last flame graph of a section: that of differences, if it has one.
func flameOf(s reports.Section) ([]byte, error) {
	if len(s.Figures) == 0 {
		return nil, fmt.Errorf("no flame graph: the profile has no samples")
	}
	f := s.Figures[len(s.Figures)-1]
	svg, err := f.Chart.SVG(f.ID)
	return []byte(svg + "\n"), err
}

// profileText writes the tables for a terminal.
func profileText(p, base *profile.Profile) string {
	s := reports.ProfileSection(p, base)
	var b strings.Builder
	for _, line := range s.Text {
		b.WriteString(line + "\n")
	}
	for _, t := range s.Tables {
		if !t.Fold {
			t.WriteText(&b, len(t.Rows))
		}
	}
	for _, f := range s.Figures {
		f.Table.WriteText(&b, len(f.Table.Rows))
	}
	return b.String()
}
