package tidy

import (
	"go/ast"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// fuzzTargets returns "import-path Function" for every fuzz target in the tree, whatever its build constraints.
func fuzzTargets(t *tree) []string {
	var found []string
	for _, s := range t.goes {
		for _, decl := range s.file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || !s.test || fn.Recv != nil || len(fn.Type.Params.List) != 1 {
				continue
			}
			if strings.HasPrefix(fn.Name.Name, "Fuzz") {
				found = append(found, t.module+"/"+s.dir()+" "+fn.Name.Name)
			}
		}
	}
	slices.Sort(found)
	return found
}

// missing returns the elements of want that are not in have.
func missing(want, have []string) []string {
	return slices.DeleteFunc(slices.Clone(want), func(w string) bool { return slices.Contains(have, w) })
}

// TestMakeFuzzesEveryTarget compares the fuzz targets in the sources with those that make fuzz would run.
func TestMakeFuzzesEveryTarget(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("tidy: make is not installed, so its list of fuzz targets cannot be asked for")
	}
	list := exec.Command("make", "-s", "fuzz-list")
	list.Dir = root
	// A make above this test would pass its flags down, and print the folders it enters.
	list.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=")
	})
	out, err := list.Output()
	if err != nil {
		t.Fatalf("tidy: make fuzz-list: %v", err)
	}
	listed := strings.Split(strings.TrimSpace(string(out)), "\n")
	declared := fuzzTargets(load(t))
	for _, target := range missing(declared, listed) {
		t.Errorf("tidy: make fuzz does not find %s", target)
	}
	t.Logf("tidy: make fuzz finds %d of %d fuzz targets", len(declared)-len(missing(declared, listed)), len(declared))
}

// TestFuzzTargetsCanBeMissed plants a target that the list does not have.
func TestFuzzTargetsCanBeMissed(t *testing.T) {
	planted := plant(t, map[string]string{
		"i3/id_test.go":    "//go:build arm64\n\npackage i3\n\nfunc FuzzID(f *testing.F) {}\n",
		"i3/id.go":         "package i3\n\nfunc FuzzNotATest() {}\n",
		"i3/wire_test.go":  "package i3\n\nfunc FuzzWire(f *testing.F) {}\nfunc TestWire(t *testing.T) {}\n",
		"i3/other_test.go": "package i3\n\nfunc (s suite) FuzzMethod() {}\n",
	})
	declared := fuzzTargets(planted)
	if want := []string{"i3bench/i3 FuzzID", "i3bench/i3 FuzzWire"}; !slices.Equal(declared, want) {
		t.Errorf("tidy: declared targets are %q, want %q", declared, want)
	}
	if got := missing(declared, []string{"i3bench/i3 FuzzWire"}); !slices.Equal(got, []string{"i3bench/i3 FuzzID"}) {
		t.Errorf("tidy: missing targets are %q, want only FuzzID", got)
	}
}
