package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Resume goes on with a run that was cut off: it opens its directory for more
// samples and returns the keys of the jobs that it has finished, those of its
// samples of kind [KindRun]. What comes after the last of them is of jobs that it
// has not finished, and is dropped. The manifest must be that of the same run: its
// seed, its commit, and its parameters, but those that decide nothing about the
// samples, have to be equal. Nothing else may be writing to the directory.
func Resume(dir string, m Manifest) (*Run, map[string]bool, error) {
	old, err := readManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	m.fill()
	if what := differs(old, m); what != "" {
		return nil, nil, fmt.Errorf("reports: resume %s: %s, expected the same as before", dir, what)
	}
	path := filepath.Join(dir, SamplesFile)
	done, end, err := finished(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reports: resume %s: %w", dir, err)
	}
	if err := dropDerived(dir); err != nil {
		return nil, nil, fmt.Errorf("reports: resume %s: %w", dir, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("reports: resume %s: %w", dir, err)
	}
	if err = f.Truncate(end); err == nil {
		_, err = f.Seek(end, 0)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("reports: resume %s: %w", path, err)
	}
	m.Command, m.Started, m.Stages = old.Command, old.Started, old.Stages
	if err := m.write(dir); err != nil {
		f.Close()
		return nil, nil, err
	}
	var begin string
	if end == 0 {
		begin = header()
	}
	return newRun(dir, m, f, begin), done, nil
}

// dropDerived removes what an earlier end of the run made of its journal, which is
// about to change. Where it has all that is left of the journal, it returns an error.
func dropDerived(dir string) error {
	events := filepath.Join(dir, EventsFile)
	if _, err := os.Stat(filepath.Join(dir, SamplesFile)); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(events); err == nil {
			return fmt.Errorf("%s is not there, but %s of a run that ended; expected the former", SamplesFile, EventsFile)
		}
	}
	for _, path := range []string{events, filepath.Join(dir, LatencyFile)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// mayDiffer are the parameters that decide nothing about the samples.
var mayDiffer = []string{"resume", "progress", "out", "beside", "workers", "profile"}

// differs says in what two runs differ, or nothing.
func differs(old, m Manifest) string {
	switch {
	case old.Seed != m.Seed:
		return fmt.Sprintf("--seed %d, before %d", m.Seed, old.Seed)
	case old.Commit != m.Commit:
		return fmt.Sprintf("commit %.12q, before %.12q", m.Commit, old.Commit)
	}
	all := maps.Clone(m.Parameters)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, old.Parameters)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		now, before := m.Parameters[name], old.Parameters[name]
		if now != before && !slices.Contains(mayDiffer, name) {
			return fmt.Sprintf("--%s %q, before %q", name, now, before)
		}
	}
	return ""
}

// finished returns the keys of the finished jobs in a samples file and where the
// samples of the last of them end.
func finished(path string) (done map[string]bool, end int64, err error) {
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, 0, err
	}
	done = make(map[string]bool)
	p := parser{strings: make(map[string]string)}
	p.canonical()
	at := int64(0)
	for rest := data; ; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole {
			return done, end, nil
		}
		rest = after
		at += int64(len(line)) + 1
		if s, err := p.sample(line); err == nil && s.Kind == KindRun {
			done[s.Group], end = true, at
		}
	}
}
