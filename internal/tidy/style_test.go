package tidy

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The sizes that keep a file on a few screens and a function on one.
const (
	maxFuncLines     = 70
	maxFileLines     = 500
	maxTestFileLines = 800
	maxColumns       = 120
)

// checkFuncLength finds functions that no longer fit on a screen.
func checkFuncLength(t *tree) []string {
	var found []string
	for _, s := range t.written() {
		for _, decl := range s.file.Decls {
			lines := s.line(decl.End()) - s.line(decl.Pos()) + 1
			if fn, ok := decl.(*ast.FuncDecl); ok && lines > maxFuncLines {
				found = append(found, fmt.Sprintf("%s:%d: function %s has %d lines, at most %d",
					s.path, s.line(fn.Pos()), fn.Name.Name, lines, maxFuncLines))
			}
		}
	}
	return found
}

// checkFileLength finds files that hold more than one thing.
func checkFileLength(t *tree) []string {
	var found []string
	for _, s := range t.written() {
		limit := maxFileLines
		if s.test {
			limit = maxTestFileLines
		}
		if lines := strings.Count(s.text, "\n"); lines > limit {
			found = append(found, fmt.Sprintf("%s:%d: file has %d lines, at most %d", s.path, limit+1, lines, limit))
		}
	}
	return found
}

// checkLineLength finds lines of code and scripts that run off the screen. A tab counts as one column, as every
// line-length tool for Go counts it, because its width is the reader's choice. Prose in markdown wraps by itself.
func checkLineLength(t *tree) []string {
	var found []string
	check := func(name, text string) {
		number := 0
		for line := range strings.Lines(text) {
			number++
			if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > maxColumns {
				found = append(found,
					fmt.Sprintf("%s:%d: line is %d columns wide, at most %d", name, number, width, maxColumns))
			}
		}
	}
	for _, s := range t.written() {
		check(s.path, s.text)
	}
	for name, text := range t.texts {
		if path.Ext(name) != ".md" {
			check(name, text)
		}
	}
	return found
}

// unfinished matches the words people leave where work is missing. They are written in halves, so that this file
// passes its own rule.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`)

// checkUnfinished finds marks of unfinished work, which belong in an issue.
func checkUnfinished(t *tree) []string {
	var found []string
	check := func(name, text string) {
		for _, at := range unfinished.FindAllStringIndex(text, -1) {
			line := 1 + strings.Count(text[:at[0]], "\n")
			found = append(found, fmt.Sprintf("%s:%d: %s marks unfinished work", name, line, text[at[0]:at[1]]))
		}
	}
	for _, s := range t.written() {
		check(s.path, s.text)
	}
	for name, text := range t.texts {
		check(name, text)
	}
	return found
}

// testers are the usual names of a testing.TB in a test.
var testers = map[string]bool{"t": true, "b": true, "f": true, "tb": true}

// checkSkips finds skipped tests that do not say why, because a skip nobody can explain is a test nobody runs.
func checkSkips(t *tree) []string {
	var found []string
	for _, s := range t.written() {
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok && skipsSilently(call) {
				found = append(found, fmt.Sprintf("%s:%d: a skipped test says why", s.path, s.line(call.Pos())))
			}
			return true
		})
	}
	return found
}

// skipsSilently reports whether call skips a test without a reason.
func skipsSilently(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if x, ok := sel.X.(*ast.Ident); !ok || !testers[x.Name] {
		return false
	}
	switch sel.Sel.Name {
	case "SkipNow":
		return true
	case "Skip", "Skipf":
		if len(call.Args) == 0 {
			return true
		}
		reason, literal := call.Args[0].(*ast.BasicLit)
		return literal && strings.Trim(reason.Value, "\"` ") == ""
	}
	return false
}
