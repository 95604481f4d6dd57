package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// exactRounds is how often that is run which is the same in every run.
const exactRounds = 2

// A measurement is that of two versions, the old one first.
type measurement struct {
	sides     [2]side
	rounds    int
	benchtime string
	until     time.Time
	log       io.Writer
}

// fileNames are those of the results, by side.
var fileNames = [2]string{"old.txt", "new.txt"}

// write measures both versions in turns and writes the results into a folder. It fails if there was no time for a
// single round.
func (m *measurement) write(ctx context.Context, set []bench, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var results [2]bytes.Buffer
	begun, done := time.Now(), 0
	for ; done < m.rounds && time.Now().Before(m.until); done++ {
		for _, b := range set {
			if b.exact && done >= exactRounds {
				continue
			}
			for turn := range 2 {
				which := (turn + done) % 2
				text, err := m.sides[which].measure(ctx, b, m.benchtime)
				if err != nil {
					return err
				}
				results[which].Write(text)
			}
		}
	}
	fmt.Fprintf(m.log, "%s: %d of %d rounds in %v\n", dir, done, m.rounds, time.Since(begun).Round(time.Second))
	if done == 0 {
		return errors.New("no time left for a round")
	}
	for i, name := range fileNames {
		if err := os.WriteFile(filepath.Join(dir, name), results[i].Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// measure runs benchmarks of one version once. One that the version does not have leaves nothing.
func (s side) measure(ctx context.Context, b bench, benchtime string) ([]byte, error) {
	binary, ok := s.binaries[b.pkg]
	if !ok {
		return nil, nil
	}
	count, memory := tries, "-test.benchmem"
	if b.exact {
		count, benchtime, memory = 1, "1x", "-test.benchmem=false" // allocations of a single iteration do vary
	}
	cmd := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench="+b.run, "-test.benchtime="+benchtime,
		fmt.Sprint("-test.count=", count), memory, "-test.timeout=2m")
	cmd.Dir = filepath.Join(s.tree, b.pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("benchmarks of %s in %s: %w\n%.2000s", b.pkg, s.tree, err, out)
	}
	return best(out), nil
}
