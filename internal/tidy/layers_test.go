package tidy

import (
	"fmt"
	"go/ast"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers says on which layer each package stands. A package imports only what stands on a lower layer, so the module
// has no cycles of intent: what a file may know about is read off this table. A package that is not in the table is a
// finding; to add one is a decision about the architecture and belongs in ARCHITECTURE.md too.
//
// Packages under internal/ are not listed: each stands on layer 0 and imports nothing of ours. Those under
// internal/tools are commands, and may use the others.
var layers = map[string]int{
	"i3":             0,
	"asm":            1,
	"matcher":        2,
	"replicate":      2,
	"matcher/naive":  3, // above the table it is compared with; only tests may import it, see testOnly
	"matcher/peer":   3, // a module of its own, which has only tests
	"replicate/peer": 3, // the same
	"i3/machine":     3,
	"i3/chord":       4,
	"i3/node":        5,
	"i3/host":        5,
	"i3/multicast":   6,
	"sim":            7,
	"sim/topology":   7,
	"cluster":        8,
	"replicate/udp":  7,
	"testbed":        8,

	"cluster/senders":   9, // processes that are measured
	"matcher/lookups":   8, // of the matcher, but it has a clock and memory of its own
	"gateway":           9,
	"loadgen":           8, // with no driver in it
	"loadgen/scenario":  9,
	"loadgen/live":      9,
	"loadgen/live/page": 10,
	"loadgen/find":      6, // pure, and used by reports
	"reports/chart":     8,
	"reports":           9,
	"reports/compare":   10,
	"verify":            9,
	"daemon":            9,
	"experiments":       10,
	"cmd/bench":         11,
	"cmd/analyze":       11,

	// Programs to read.
	"examples/anycast": 10,
	"examples/chain":   10,
	"examples/chat":    10,
	"examples/gateway": 10,
	"examples/ring":    10,
}

// driverLayer is the lowest layer that owns a clock, sockets and goroutines. Everything below it is a pure state
// machine or a value: time and randomness arrive as arguments, which is what makes a run repeat for a seed.
const driverLayer = 7

// testOnly lists the packages that exist to be compared with and that no program may depend on.
var testOnly = []string{"matcher/naive", "matcher/peer", "replicate/peer"}

// layerOf returns the layer of the package in dir, and whether the table knows it.
func layerOf(dir string) (int, bool) {
	if strings.HasPrefix(dir, "internal/") {
		return 0, true
	}
	layer, ok := layers[dir]
	return layer, ok
}

// An edge is one import of a package of ours by a non-test file of ours.
type edge struct {
	from *source
	line int
	to   string // folder of the imported package
}

// edges returns the imports among our own packages, test files left out.
func (t *tree) edges() []edge {
	var found []edge
	for _, s := range t.goes {
		for _, imp := range s.file.Imports {
			dir, ours := strings.CutPrefix(importPath(imp), t.module+"/")
			if ours && !s.test {
				found = append(found, edge{s, s.line(imp.Pos()), dir})
			}
		}
	}
	return found
}

// importPath returns the path of an import without its quotes.
func importPath(imp *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(imp.Path.Value)
	if err != nil {
		return imp.Path.Value
	}
	return unquoted
}

// checkKnown finds packages that the layer table does not know.
func checkKnown(t *tree) []string {
	var found []string
	for dir, files := range t.packages() {
		if _, ok := layerOf(dir); !ok {
			found = append(found, fmt.Sprintf("%s: package is not in the layer table", files[0].path))
		}
	}
	return found
}

// tools is the folder of the project's own tools.
const tools = "internal/tools/"

// isLeaf reports whether a package is a leaf that others use.
func isLeaf(dir string) bool {
	return strings.HasPrefix(dir, "internal/") && !strings.HasPrefix(dir, tools)
}

// checkDownward finds imports that do not go strictly down, and internal packages that are not leaves.
func checkDownward(t *tree) []string {
	var found []string
	for _, e := range t.edges() {
		from, _ := layerOf(e.from.dir())
		to, known := layerOf(e.to)
		at := fmt.Sprintf("%s:%d", e.from.path, e.line)
		switch {
		case strings.HasPrefix(e.from.dir(), tools) && isLeaf(e.to):
			// What a command of ours and one of the project's tools share.
		case strings.HasPrefix(e.from.dir(), "internal/"):
			found = append(found, fmt.Sprintf("%s: a package under internal/ is a leaf, but imports %s", at, e.to))
		case strings.HasPrefix(e.to, "internal/"):
			// Leaves serve every layer, the lowest too.
		case !known || from <= to:
			found = append(found, fmt.Sprintf("%s: layer %d imports %s of layer %d; imports go strictly down",
				at, from, e.to, to))
		}
	}
	return found
}

// checkTestOnly finds programs that depend on what is meant for tests.
func checkTestOnly(t *tree) []string {
	var found []string
	for _, e := range t.edges() {
		if slices.Contains(testOnly, e.to) {
			found = append(found, fmt.Sprintf("%s:%d: only tests may import %s", e.from.path, e.line, e.to))
		}
	}
	return found
}

// pure returns the non-test files that must be free of I/O, clocks, goroutines and global randomness: those of the
// layers below the drivers, and of the internal packages that they lean on.
func (t *tree) pure() []*source {
	leanedOn := make(map[string]bool)
	below := func(dir string) bool {
		layer, known := layerOf(dir)
		return known && layer < driverLayer && !strings.HasPrefix(dir, "internal/")
	}
	for _, e := range t.edges() {
		if below(e.from.dir()) {
			leanedOn[e.to] = true
		}
	}
	var found []*source
	for _, s := range t.goes {
		if !s.test && s.dir() != system && (below(s.dir()) || strings.HasPrefix(s.dir(), "internal/") && leanedOn[s.dir()]) {
			found = append(found, s)
		}
	}
	return found
}

// system is the one package below the drivers that may make a system call: the matcher's memory. It reads nothing
// that could differ between two runs.
const system = "internal/mem"

// impure lists what a pure file must not import, each with everything below it.
var impure = []string{
	"net", "os", "time", "sync", "syscall", "log", "math/rand", "crypto/rand", "hash/maphash",
	"golang.org/x/net", "golang.org/x/sys/unix",
}

// harmless lists packages below the impure ones that do no I/O and hold no lock.
var harmless = []string{"net/netip", "sync/atomic"}

// checkImports finds I/O, clocks, locks and global randomness below the drivers.
func checkImports(t *tree) []string {
	var found []string
	for _, s := range t.pure() {
		for _, imp := range s.file.Imports {
			name := importPath(imp)
			banned := slices.ContainsFunc(impure, func(p string) bool {
				return name == p || strings.HasPrefix(name, p+"/")
			})
			if banned && !slices.Contains(harmless, name) {
				at := fmt.Sprintf("%s:%d", s.path, s.line(imp.Pos()))
				found = append(found, fmt.Sprintf("%s: import of %s below the drivers", at, name))
			}
		}
	}
	return found
}

// checkGoroutines finds go statements below the drivers.
func checkGoroutines(t *tree) []string {
	var found []string
	for _, s := range t.pure() {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if stmt, ok := n.(*ast.GoStmt); ok {
				found = append(found, fmt.Sprintf("%s:%d: goroutine below the drivers", s.path, s.line(stmt.Pos())))
			}
			return true
		})
	}
	return found
}

// TestTreeIsWhole compares the packages this test has read with those the go command knows, so that a folder cannot
// be missed by a mistake in the walk.
func TestTreeIsWhole(t *testing.T) {
	loaded := load(t)
	list := exec.Command("go", "list", "-e", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("tidy: go list: %v", err)
	}
	walked := loaded.packages()
	for name := range strings.FieldsSeq(string(out)) {
		if dir := strings.TrimPrefix(name, loaded.module+"/"); walked[dir] == nil {
			t.Errorf("tidy: go list knows %s, the walk did not reach it", name)
		}
	}
}
