package main

import (
	"fmt"
	"io"

	"i3bench/reports"
)

type referenceCmd struct {
	Dir string `arg:"" help:"Result directory of a tour."`
	To  string `required:"" placeholder:"DIR" help:"Directory to write, such as reports/reference."`
}

// Run writes what is kept of a result as an example.
func (c *referenceCmd) Run(out io.Writer) error {
	r, err := reports.Open(c.Dir)
	if err != nil {
		return err
	}
	if err := reports.WriteReference(c.To, r); err != nil {
		return err
	}
	fmt.Fprintf(out, "wrote %s\n", c.To)
	return nil
}
