package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A plant is a change for the worse, which proves that the gate sees one.
type plant struct{ file, old, new string }

// plants are the changes, by name. None is no change.
var plants = map[string]plant{
	"none": {},
	// Six look-ups of each batch of 256 are done twice, which costs a tenth: a small batch is a slow one.
	"slower-lookup": {
		"matcher/batch.go",
		"\tfor len(ids) > 0 {\n\t\tn := min(len(ids), asm.MaxBatch)\n\t\tt.matchIn(",
		"\tt.matchIn(t.view.Load(), ids[:min(len(ids), asm.MaxBatch)/40], now, m)\n\tm.Reset()\n" +
			"\tfor len(ids) > 0 {\n\t\tn := min(len(ids), asm.MaxBatch)\n\t\tt.matchIn(",
	},
	// Each join asks once more for the children of the root.
	"extra-message": {
		"i3/multicast/join.go",
		"Join(now machine.Time, out *machine.Outbox) {\n\tif r.state != idle {\n\t\treturn\n\t}\n",
		"Join(now machine.Time, out *machine.Outbox) {\n\tif r.state != idle {\n\t\treturn\n\t}\n" +
			"\tr.host.Probe([]i3.ID{JoinSet(r.cfg.root)}, out)\n",
	},
}

func plantNames() []string { return slices.Sorted(maps.Keys(plants)) }

// apply changes a working tree.
func apply(tree, name string) error {
	p, ok := plants[name]
	if !ok {
		return fmt.Errorf("plant %.40q, expected one of %v", name, plantNames())
	}
	if p.file == "" {
		return nil
	}
	path := filepath.Join(tree, filepath.FromSlash(p.file))
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := strings.Count(string(text), p.old); n != 1 {
		return fmt.Errorf("plant %s: %q stands %d times in %s, expected once", name, p.old, n, p.file)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), p.old, p.new, 1)), 0o644)
}
