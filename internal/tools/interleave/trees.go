package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// trees are working trees that are removed in the end.
type trees struct {
	repository string
	added      []string
}

// add checks a commit out into a new folder, and returns the folder.
func (t *trees) add(ctx context.Context, dir, commit string) (string, error) {
	if err := run(ctx, t.repository, "git", "worktree", "add", "--quiet", "--detach", dir, commit); err != nil {
		return "", fmt.Errorf("check out %.60q: %w", commit, err)
	}
	t.added = append(t.added, dir)
	return dir, nil
}

// remove removes the folders, even after an interrupt.
func (t *trees) remove() (err error) {
	for _, dir := range t.added {
		err = errors.Join(err, run(context.Background(), t.repository, "git", "worktree", "remove", "--force", dir))
	}
	return err
}

// run runs a command in a folder and shows what it prints.
func run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %.200v in %s: %w", name, args, dir, err)
	}
	return nil
}

// A side is a version that is built.
type side struct {
	tree     string
	binaries map[string]string // by package
}

// build builds the benchmarks of a version. Paths are trimmed, so that equal code gives equal programs.
func build(ctx context.Context, tree, bin string, set []bench) (side, error) {
	tree, err := filepath.Abs(tree)
	if err != nil {
		return side{}, err
	}
	s := side{tree: tree, binaries: make(map[string]string)}
	for _, b := range set {
		if _, err := os.Stat(filepath.Join(tree, b.pkg)); err != nil {
			continue // a version without this package: its rows will be on one side only
		}
		to := filepath.Join(bin, filepath.Base(b.pkg)+".test")
		if err := run(ctx, tree, "go", "test", "-c", "-trimpath", "-buildvcs=false", "-o", to, "./"+b.pkg); err != nil {
			return s, err
		}
		s.binaries[b.pkg] = to
	}
	return s, nil
}
