// Interleave measures two versions of the project in turns, old new new old, so that what the machine does meanwhile
// happens to both, and writes two files of benchmark results that analyze gate compares. It judges nothing. The old
// version is a commit, in a working tree of its own that is removed in the end; the new one is the folder it is run in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// A job is what the command line asks for.
type job struct {
	base      string // commit
	plant     string // name of a change that makes the new version, of the base too; empty: the folder it is run in
	set       string
	rounds    int
	benchtime string
	within    time.Duration
	repeat    int
	out       string
}

func main() {
	j := job{}
	flag.StringVar(&j.base, "base", "HEAD", "commit of the old version")
	flag.StringVar(&j.plant, "plant", "", "compare the base with itself and this change: "+
		strings.Join(plantNames(), ", "))
	flag.StringVar(&j.set, "set", "gate", "what to measure: "+strings.Join(setNames(), ", "))
	flag.IntVar(&j.rounds, "rounds", 12, "how often each version is measured")
	flag.StringVar(&j.benchtime, "benchtime", "30ms", "how long each of the "+fmt.Sprint(tries)+" tries of a round takes")
	flag.DurationVar(&j.within, "within", 4*time.Minute, "begin no round after this time")
	flag.IntVar(&j.repeat, "repeat", 1, "how many pairs of files to write, in folders 1, 2 and so on if more than one")
	flag.StringVar(&j.out, "out", "bin/gate", "folder of old.txt and new.txt")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "interleave: arguments", flag.Args(), "expected flags alone")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := j.run(ctx, ".")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "interleave:", err)
		os.Exit(1)
	}
}

// run builds both versions in the repository that holds dir, and measures them.
func (j job) run(ctx context.Context, dir string) (err error) {
	set, ok := sets[j.set]
	if !ok {
		return fmt.Errorf("set %.40q, expected one of %v", j.set, setNames())
	}
	if j.rounds < 1 || j.repeat < 1 {
		return fmt.Errorf("%d rounds and %d repetitions, expected one at least", j.rounds, j.repeat)
	}
	temp, err := os.MkdirTemp("", "interleave-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	trees := trees{repository: dir}
	defer func() { err = errors.Join(err, trees.remove()) }()
	old, err := trees.add(ctx, filepath.Join(temp, "old"), j.base)
	if err != nil {
		return err
	}
	fresh := dir
	if j.plant != "" {
		if fresh, err = trees.add(ctx, filepath.Join(temp, "new"), j.base); err != nil {
			return err
		}
		if err := apply(fresh, j.plant); err != nil {
			return err
		}
	}
	m := measurement{rounds: j.rounds, benchtime: j.benchtime, until: time.Now().Add(j.within), log: os.Stdout}
	for at, tree := range []string{old, fresh} {
		if m.sides[at], err = build(ctx, tree, filepath.Join(temp, fmt.Sprint("bin", at)), set); err != nil {
			return err
		}
	}
	for n := range j.repeat {
		out := j.out
		if j.repeat > 1 {
			out = filepath.Join(j.out, fmt.Sprint(n+1))
		}
		if err := m.write(ctx, set, out); err != nil {
			return err
		}
	}
	return nil
}
