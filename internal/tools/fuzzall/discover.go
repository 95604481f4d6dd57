package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

// A target is one fuzz function of a package.
type target struct {
	pkg  string // import path
	name string
}

func (t target) String() string { return t.pkg + " " + t.name }

// A listed package is what go list -json says of one, with the fields used here.
type listed struct {
	Dir          string
	ImportPath   string
	TestGoFiles  []string
	XTestGoFiles []string
}

// discover returns the fuzz targets of the packages that match the patterns, in the order of go list.
func discover(patterns []string) ([]target, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=Dir,ImportPath,TestGoFiles,XTestGoFiles"}, patterns...)...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages %q: %w: %s", patterns, err, strings.TrimSpace(complaint.String()))
	}
	var targets []target
	packages := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			return targets, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		for _, file := range append(p.TestGoFiles, p.XTestGoFiles...) {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, 0)
			if err != nil {
				return nil, fmt.Errorf("read a test file: %w", err)
			}
			for _, name := range fuzzFuncs(parsed) {
				targets = append(targets, target{p.ImportPath, name})
			}
		}
	}
}

// fuzzFuncs returns the names of the fuzz functions of a test file, as go test recognizes them.
func fuzzFuncs(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") && len(fn.Type.Params.List) == 1 {
			names = append(names, fn.Name.Name)
		}
	}
	return names
}
