package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"i3bench/cluster"
	"i3bench/reports"
)

// profiled carries out stages, with a CPU profile of them if that is asked for.
func (s *session) profiled(run *reports.Run, stages func() error) error {
	if !s.cli.Profile {
		return stages()
	}
	stop, err := startProfile(run.Dir())
	if err != nil {
		return err
	}
	begin := time.Now()
	err = stages()
	if failed := stop(); failed != nil {
		return errors.Join(err, failed)
	}
	return errors.Join(err, run.Stage(reports.Stage{
		Name: reports.StageProfile, Status: reports.Complete, Seconds: time.Since(begin).Seconds(),
		Note: "a sample for each 10 ms of processor time",
	}))
}

// startProfile begins the CPU profile of a run and returns the function that ends it and puts it into the result
// directory: under its name only when it is whole, since the profiler writes most of it at the end.
func startProfile(dir string) (stop func() error, err error) {
	path := freeProfile(dir)
	f, err := os.CreateTemp(dir, ".cpu-*")
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	end, err := cluster.StartProfile(f)
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return func() error {
		err := errors.Join(end(), f.Chmod(0o644), f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			return fmt.Errorf("profile %s: %w", path, errors.Join(err, os.Remove(f.Name())))
		}
		return nil
	}, nil
}

// freeProfile returns the name of a profile that is not there yet: a run that is gone on with has one already.
func freeProfile(dir string) string {
	path := filepath.Join(dir, reports.ProfileFile)
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); err != nil {
			return path
		}
		path = filepath.Join(dir, fmt.Sprintf("cpu-part%d.pprof", n))
	}
}
