package tidy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A source is one Go file, parsed, with what the rules ask about it.
type source struct {
	path      string // slash-separated, relative to the root of the module
	text      string
	fset      *token.FileSet
	file      *ast.File
	test      bool // its name ends in _test.go
	generated bool // it carries the "Code generated ... DO NOT EDIT." line
}

// dir returns the folder of s, which names its package in the layer table.
func (s *source) dir() string { return path.Dir(s.path) }

// line returns the line on which pos lies.
func (s *source) line(pos token.Pos) int { return s.fset.Position(pos).Line }

// A tree is everything the rules look at: the module on disk, or a few planted files.
type tree struct {
	module string            // the module's path, the first part of every import path of ours
	goes   []*source         // Go files, in the order of their paths
	texts  map[string]string // other text written by hand: markdown, shell, make, Lua
	exists func(string) bool // reports whether a path names a file or a folder
}

// written returns the Go files a person wrote, which are the ones that style applies to.
func (t *tree) written() []*source {
	return slices.DeleteFunc(slices.Clone(t.goes), func(s *source) bool { return s.generated })
}

// packages returns the files of each folder that holds at least one Go file.
func (t *tree) packages() map[string][]*source {
	byDir := make(map[string][]*source)
	for _, s := range t.goes {
		byDir[s.dir()] = append(byDir[s.dir()], s)
	}
	return byDir
}

// add parses text as the file at path and appends it to the tree.
func (t *tree) add(name, text string) error {
	if !strings.HasSuffix(name, ".go") {
		t.texts[name] = text
		return nil
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.goes = append(t.goes, &source{
		path: name, text: text, fset: fset, file: file,
		test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(file),
	})
	return nil
}

// plant returns a tree of the files given by name, for the tests of the rules.
func plant(t *testing.T, files map[string]string) *tree {
	t.Helper()
	planted := &tree{module: "i3bench", texts: make(map[string]string)}
	planted.exists = func(name string) bool { _, ok := files[name]; return ok }
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := planted.add(name, files[name]); err != nil {
			t.Fatalf("tidy: plant %s: %v", name, err)
		}
	}
	return planted
}

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)

// root is the folder of go.mod, seen from this package.
const root = "../.."

// load reads the module from disk. Every Go file is parsed whatever its build constraints are, so that a rule cannot
// be escaped by a tag or a platform that the test does not run on.
func load(t *testing.T) *tree {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatalf("tidy: find the module's root: %v", err)
	}
	name := moduleLine.FindStringSubmatch(string(mod))
	if name == nil {
		t.Fatalf("tidy: go.mod has no module line: %.60q", mod)
	}
	loaded := &tree{module: name[1], texts: make(map[string]string)}
	loaded.exists = func(name string) bool { _, err := os.Stat(filepath.Join(root, name)); return err == nil }
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(file, root+string(filepath.Separator)))
		if entry.IsDir() {
			if leftOut(rel, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !isText(rel) || !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return loaded.add(rel, string(text))
	})
	if err != nil {
		t.Fatalf("tidy: read the module: %v", err)
	}
	return loaded
}

// leftOut reports whether a folder is none of the rules' business: the tools module, data of tests, generators, what
// a build or a run leaves behind, and hidden folders other than .ci.
func leftOut(rel, base string) bool {
	switch {
	case rel == root || rel == ".ci":
		return false
	case rel == "tools" || rel == "bin" || rel == "bench-out":
		return true
	}
	return base == "testdata" || strings.HasPrefix(base, "_") || strings.HasPrefix(base, ".")
}

// isText reports whether a file holds text that people of the project write.
func isText(rel string) bool {
	switch path.Ext(rel) {
	case ".go", ".md", ".lua", ".sh", ".yaml", ".yml":
		return true
	}
	return rel == "Makefile" || strings.HasPrefix(rel, ".ci/")
}
