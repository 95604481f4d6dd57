package reports

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Resume goes on with a run that was cut off: it opens its directory for more
// samples and returns the keys of the jobs that it has finished, those of its
// samples of kind [KindRun]. What comes after the last of them is of jobs that it
// has not finished, and is dropped. The manifest must be that of the same run: its
// seed, and its parameters but those in may, have to be equal.
func Resume(dir string, m Manifest) (*Run, map[string]bool, error) {
	old, err := readManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	if what := differs(old, m); what != "" {
		return nil, nil, fmt.Errorf("reports: resume %s: %s, expected the same as before", dir, what)
	}
	path := filepath.Join(dir, SamplesFile)
	done, end, err := finished(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reports: resume %s: %w", dir, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("reports: resume %s: %w", dir, err)
	}
	if err := f.Truncate(end); err == nil {
		_, err = f.Seek(end, 0)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("reports: resume %s: %w", path, err)
	}
	m.Started, m.Stages = old.Started, old.Stages
	m.fill()
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

// mayDiffer are the parameters that decide nothing about the samples.
var mayDiffer = []string{"resume", "progress", "out", "beside", "workers"}

// differs says in which parameter two runs differ, or nothing.
func differs(old, m Manifest) string {
	if old.Seed != m.Seed {
		return fmt.Sprintf("seed %d, before %d", m.Seed, old.Seed)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Parameters)) {
		if v := m.Parameters[name]; v != old.Parameters[name] && !slices.Contains(mayDiffer, name) {
			return fmt.Sprintf("--%s %s, before %s", name, v, old.Parameters[name])
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
