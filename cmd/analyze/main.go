package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"i3bench/reports"
	"i3bench/reports/compare"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// A coded is an error with an exit code of its own. One without a cause has been
// said already.
type coded struct {
	code  int
	cause error
}

// Error returns the cause.
func (c coded) Error() string {
	if c.cause == nil {
		return ""
	}
	return c.cause.Error()
}

// usage is the error of wrong usage, or of input that cannot be read, of the
// commands whose code 1 means a regression.
func usage(err error) error { return coded{exitUsage, err} }

// outcome is the exit code of a gate.
func outcome(o compare.Outcome) error {
	if o == compare.Fine {
		return nil
	}
	return coded{code: int(o)}
}

// cli is the command line; kong derives flags and help from it.
type cli struct {
	Report reportCmd `cmd:"" help:"Write report.html and bench.txt again from the raw samples and print the figures."`
	Text   textCmd   `cmd:"" help:"Print the figures as text."`
	Readme readmeCmd `cmd:"" help:"Write the figures into a file between the lines of a block."`

	Reference referenceCmd `cmd:"" help:"Keep the report of a tour as an example, with two of its charts."`

	Export  exportCmd  `cmd:"" help:"Write the report as Markdown, JSON, CSV, pictures or PDF."`
	Compare compareCmd `cmd:"" help:"Compare two versions, row by row."`
	Gate    gateCmd    `cmd:"" help:"Compare two versions and fail if the new one is worse."`
	History historyCmd `cmd:"" help:"Show rows over time and where they changed."`

	Profile profileCmd `cmd:"" help:"Merge CPU profiles and show where the processor time went."`
}

type reportCmd struct {
	Dir      string `arg:"" help:"Result directory, such as bench-out/20261122-141500."`
	Baseline string `placeholder:"DIR" help:"Show the CPU profile beside that of this result, too."`
}

// Run renders the derived files.
func (c *reportCmd) Run(out io.Writer) error {
	r, err := reports.RenderBeside(c.Dir, c.Baseline)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\nreport: %s\n", reports.Text(r), filepath.Join(c.Dir, reports.HTMLFile))
	return nil
}

type textCmd struct {
	Dir string `arg:"" help:"Result directory."`
}

// Run prints the text form of the report.
func (c *textCmd) Run(out io.Writer) error {
	r, err := reports.Open(c.Dir)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, reports.Text(r))
	return err
}

type readmeCmd struct {
	Dir  string `arg:"" help:"Result directory."`
	File string `required:"" placeholder:"FILE" help:"Markdown file to rewrite."`

	Block reports.Block `default:"results" enum:"results,simulations,glance" help:"Which block: ${enum}."`
}

// Run rewrites a block of a Markdown file.
func (c *readmeCmd) Run(out io.Writer) error {
	r, err := reports.Open(c.Dir)
	if err != nil {
		return err
	}
	if err := reports.UpdateReadme(c.File, c.Block, r); err != nil {
		return err
	}
	fmt.Fprintf(out, "updated %s\n", c.File)
	return nil
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// exited carries an exit code out of kong, which otherwise ends the process.
type exited int

// run is main with its surroundings as arguments.
func run(args []string, out, errs io.Writer) (code int) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case exited:
			code = int(e)
		default:
			panic(e)
		}
	}()
	parser, err := kong.New(&cli{}, kong.Name("analyze"), kong.Description("Presents the result of a run."),
		kong.Writers(out, errs), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.BindTo(out, (*io.Writer)(nil)))
	if err != nil {
		fmt.Fprintln(errs, "analyze:", err)
		return exitError
	}
	command, err := parser.Parse(args)
	var usage *kong.ParseError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(errs, "analyze: %v\n\nTry: analyze --help\n", err)
		return exitUsage
	case err != nil:
		fmt.Fprintln(errs, "analyze:", err)
		return exitError
	}
	err = command.Run()
	var c coded
	switch {
	case errors.As(err, &c):
		if c.cause != nil {
			fmt.Fprintln(errs, "analyze:", err)
		}
		return c.code
	case err != nil:
		fmt.Fprintln(errs, "analyze:", err)
		return exitError
	}
	return exitOK
}
