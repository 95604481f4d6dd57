package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"i3bench/reports"
	"i3bench/reports/export"
)

type exportCmd struct {
	Dir    string        `arg:"" help:"Result directory."`
	Format export.Format `required:"" enum:"markdown,json,csv,png,pdf,parquet,hlog" help:"One of ${enum}."`
	Out    string        `placeholder:"PATH" help:"File; of csv and png a folder, or a file .zip. Default: in DIR."`
}

// Run writes the report in another form.
func (c *exportCmd) Run(out io.Writer) error {
	r, err := reports.Open(c.Dir)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := export.Write(ctx, r, c.Format, c.Out)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, path)
	return nil
}
