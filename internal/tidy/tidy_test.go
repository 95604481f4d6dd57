package tidy

import (
	"slices"
	"testing"
)

// A rule is one thing that every file or package of the module keeps to.
type rule struct {
	name  string
	check func(*tree) []string // returns one line per finding: file, line, what is wrong
}

// rules are all of them, in the order of CONTRIBUTING.md.
var rules = []rule{
	{"known packages", checkKnown},
	{"imports go down", checkDownward},
	{"test-only packages", checkTestOnly},
	{"pure imports", checkImports},
	{"no goroutines", checkGoroutines},
	{"function length", checkFuncLength},
	{"file length", checkFileLength},
	{"line length", checkLineLength},
	{"package comments", checkPackageComment},
	{"exported comments", checkExported},
	{"unfinished work", checkUnfinished},
	{"silent skips", checkSkips},
	{"markdown links", checkLinks},
}

// TestTree runs every rule over the module.
func TestTree(t *testing.T) {
	loaded := load(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			found := r.check(loaded)
			slices.Sort(found)
			for _, finding := range found {
				t.Error(finding)
			}
		})
	}
	t.Logf("tidy: %d rules over %d Go files in %d packages and %d other files",
		len(rules), len(loaded.goes), len(loaded.packages()), len(loaded.texts))
}
