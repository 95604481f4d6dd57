// Command bench runs the project's experiments and keeps what they measured in
// a result directory, with a report. It computes no figure itself; cmd/analyze
// presents a result directory again.
//
//	bench                the main job, about 90 seconds: a tour of most below
//	bench cluster        section 7.1 of the paper: 32 nodes, 64 receivers, D = 4
//	bench wan            section 7.2: 50 nodes of a measured round-trip matrix
//	bench load           joins and repairs at fixed rates, or a scenario
//	bench find           the largest rate of joins and repairs that meets objectives
//	bench sim            section 6 in virtual time, every figure and table
//	bench micro          what a look-up and a copy cost, against the number of identifiers and receivers
//	bench plan           how many nodes a group needs, and what this machine bears
//	bench hold           many members in one process, nodes in another: what they cost to keep
//	bench deliver        every packet under loss, exactly once
//	bench node           one i3 node, on a ring with others, until it is told to end
//	bench agent          a part of a load that bench load --agents coordinates
//
// Exit codes: 0 done, 1 the run failed or was interrupted, or find has no answer,
// 2 wrong usage, 3 a packet that was owed did not arrive or an objective was missed,
// 4 the run is INVALID: the load generator was the limit, or a part of it was lost.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"i3bench/cluster/senders"
	"i3bench/experiments"
	"i3bench/internal/deliver"
)

// Exit codes.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 2
	exitMissing = 3 // or an objective was missed
	exitInvalid = 4
)

func main() {
	deliver.Main(senders.Roles()) // ends the process of a sender that is measured
	// The heap is small and the load allocates little: collect more rarely than
	// the default, so that the collector takes less from the system under test.
	debug.SetGCPercent(400)
	// Goroutines that read sockets are mostly in the kernel, and each keeps its
	// processor until the scheduler notices. With more of them than cores the
	// kernel shares out the cores, and load is offered on time.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(4 * runtime.NumCPU())
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(args []string, out, errs io.Writer) int {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("bench"), simVars,
		kong.Description("Benchmarks overlay multicast on i3. Without a command it runs a tour, some 90 seconds."),
		kong.UsageOnError(), kong.Writers(out, errs), kong.Exit(func(code int) { panic(exited(code)) }),
	)
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return exitError
	}
	command, code := parse(parser, args, errs)
	if command == nil {
		return code
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = command.Run(&session{ctx: ctx, out: out, errs: errs, cli: &c, args: args})
	var usage *usageError
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(errs, "bench:", err)
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, experiments.ErrMissing): // is so, whatever the generator did
		return exitMissing
	case errors.Is(err, experiments.ErrInvalid):
		return exitInvalid
	case errors.Is(err, experiments.ErrObjective):
		return exitMissing
	}
	return exitError
}

// exited is how kong's help ends the parsing.
type exited int

// parse returns the chosen command, or nil and the exit code.
func parse(parser *kong.Kong, args []string, errs io.Writer) (command *kong.Context, code int) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case exited:
			command, code = nil, int(e)
		default:
			panic(e)
		}
	}()
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return nil, exitUsage
	}
	return command, exitOK
}

// A usageError is a value of a flag that makes no sense.
type usageError struct{ err error }

// Error returns the cause.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *usageError) Unwrap() error { return e.err }
