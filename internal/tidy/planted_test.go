package tidy

import (
	"strings"
	"testing"
)

// A planted case is a small module in which one thing is wrong, or which comes close to wrong and is not.
type planted struct {
	name  string
	rule  string
	files map[string]string
	want  string // part of the only finding; empty where the rule must stay silent
}

// long repeats line n times.
func long(line string, n int) string { return strings.Repeat(line+"\n", n) }

var layerCases = []planted{
	{"stranger", "known packages", map[string]string{"i4/a.go": "package i4"}, "i4/a.go: package is not in"},
	{"internal", "known packages", map[string]string{"internal/wheel/a.go": "package wheel"}, ""},
	{"upward", "imports go down", map[string]string{
		"i3/a.go": "package i3\n\nimport _ \"i3bench/sim\"",
	}, "i3/a.go:3: layer 0 imports sim of layer 7"},
	{"sideways", "imports go down", map[string]string{
		"i3/node/a.go": "package node\n\nimport _ \"i3bench/i3/host\"",
	}, "layer 5 imports i3/host of layer 5"},
	{"unknown", "imports go down", map[string]string{
		"cmd/bench/a.go": "package main\n\nimport _ \"i3bench/i4\"",
	}, "imports i4"},
	{"behind a tag", "imports go down", map[string]string{
		"i3/a.go": "//go:build arm64 && purego\n\npackage i3\n\nimport _ \"i3bench/sim\"",
	}, "i3/a.go:5: layer 0 imports sim"},
	{"leaf", "imports go down", map[string]string{
		"internal/wheel/a.go": "package wheel\n\nimport _ \"i3bench/i3\"",
	}, "internal/wheel/a.go:3: a package under internal/ is a leaf, but imports i3"},
	{"leaf on a leaf", "imports go down", map[string]string{
		"internal/wheel/a.go": "package wheel\n\nimport _ \"i3bench/internal/axle\"",
	}, "internal/wheel/a.go:3: a package under internal/ is a leaf, but imports internal/axle"},
	{"tool", "imports go down", map[string]string{
		"internal/tools/saw/a.go": "package main\n\nimport _ \"i3bench/internal/wheel\"",
	}, ""},
	{"tool on a tool", "imports go down", map[string]string{
		"internal/tools/saw/a.go": "package main\n\nimport _ \"i3bench/internal/tools/file\"",
	}, "internal/tools/saw/a.go:3: a package under internal/ is a leaf, but imports internal/tools/file"},
	{"tool above", "imports go down", map[string]string{
		"internal/tools/saw/a.go": "package main\n\nimport _ \"i3bench/i3\"",
	}, "internal/tools/saw/a.go:3: a package under internal/ is a leaf, but imports i3"},
	{"downward", "imports go down", map[string]string{
		"sim/a.go": "package sim\n\nimport _ \"i3bench/i3\"\nimport _ \"time\"\n" +
			"import _ \"i3bench/internal/wheel\"",
		"i3/a_test.go": "package i3_test\n\nimport _ \"i3bench/sim\"",
	}, ""},
	{"oracle", "test-only packages", map[string]string{
		"cluster/a.go":      "package cluster\n\nimport _ \"i3bench/matcher/naive\"",
		"cluster/a_test.go": "package cluster\n\nimport _ \"i3bench/matcher/naive\"",
	}, "cluster/a.go:3: only tests may import matcher/naive"},
}

var purityCases = []planted{
	{"clock", "pure imports", map[string]string{
		"i3/a.go": "package i3\n\nimport _ \"time\"",
	}, "i3/a.go:3: import of time"},
	{"below a banned one", "pure imports", map[string]string{
		"matcher/a.go": "package matcher\n\nimport _ \"net/http\"",
	}, "import of net/http below the drivers"},
	{"version 2", "pure imports", map[string]string{
		"i3/host/a.go": "package host\n\nimport _ \"math/rand/v2\"",
	}, "import of math/rand/v2"},
	{"through a leaf", "pure imports", map[string]string{
		"i3/a.go":             "package i3\n\nimport _ \"i3bench/internal/wheel\"",
		"internal/wheel/a.go": "package wheel\n\nimport _ \"sync\"",
	}, "internal/wheel/a.go:3: import of sync below"},
	{"harmless", "pure imports", map[string]string{
		"i3/a.go":             "package i3\n\nimport _ \"net/netip\"\nimport _ \"sync/atomic\"\nimport _ \"math/bits\"",
		"i3/a_test.go":        "package i3\n\nimport _ \"time\"",
		"sim/a.go":            "package sim\n\nimport _ \"time\"\nimport _ \"i3bench/internal/clock\"",
		"internal/clock/a.go": "package clock\n\nimport _ \"time\"",
	}, ""},
	{"goroutine", "no goroutines", map[string]string{
		"i3/node/a.go": "package node\n\nfunc f() {\n\tfunc() {\n\t\tgo f()\n\t}()\n}",
	}, "i3/node/a.go:5: goroutine below the drivers"},
	{"goroutines above", "no goroutines", map[string]string{
		"cluster/a.go":      "package cluster\n\nfunc f() { go f() }",
		"i3/node/a_test.go": "package node\n\nfunc f() { go f() }",
	}, ""},
}

var sizeCases = []planted{
	{"function", "function length", map[string]string{
		"i3/a.go": "package i3\n\nfunc f() {\n" + long("\tprintln()", 69) + "}\n",
	}, "i3/a.go:3: function f has 71 lines, at most 70"},
	{"function that fits", "function length", map[string]string{
		"i3/a.go": "package i3\n\nfunc f() {\n" + long("\tprintln()", 68) + "}\n",
		"i3/b.go": generated + "package i3\n\nfunc g() {\n" + long("\tprintln()", 90) + "}\n",
	}, ""},
	{"file", "file length", map[string]string{
		"i3/a.go": "package i3\n" + long("//", 500),
	}, "file has 501 lines, at most 500"},
	{"test file", "file length", map[string]string{
		"i3/a_test.go": "package i3\n" + long("//", 800),
	}, "file has 801 lines, at most 800"},
	{"file that fits", "file length", map[string]string{
		"i3/a.go": "package i3\n" + long("//", 499), "i3/a_test.go": "package i3\n" + long("//", 799),
	}, ""},
	{"line", "line length", map[string]string{
		"i3/a.go": "package i3\n\n// " + strings.Repeat("x", 118) + "\n",
	}, "i3/a.go:3: line is 121 columns wide"},
	{"not Go", "line length", map[string]string{
		"Makefile": "\t" + strings.Repeat("x", 120),
	}, "Makefile:1: line is 121"},
	{"line that fits", "line length", map[string]string{
		"i3/a.go":   "package i3\n\n// " + strings.Repeat("é", 117) + "\n",
		"README.md": strings.Repeat("word ", 100),
	}, ""},
}

// generated marks a file that style does not apply to.
const generated = "// Code generated by a tool. DO NOT EDIT.\n\n"

// twoSentences is a package comment that passes.
const twoSentences = "// Package i3 holds values, e.g. identifiers. It does no I/O.\npackage i3\n"

var docCases = []planted{
	{"no comment", "package comments", map[string]string{"i3/doc.go": "package i3"}, "package has no comment"},
	{"elsewhere", "package comments", map[string]string{
		"i3/id.go": twoSentences,
	}, "i3/doc.go:1: package has no comment"},
	{"one sentence", "package comments", map[string]string{
		"i3/doc.go": "// Package i3 holds values, e.g. identifiers.\npackage i3",
	}, "package comment is one sentence"},
	{"two sentences", "package comments", map[string]string{
		"i3/doc.go":         twoSentences,
		"cmd/bench/main.go": "// Bench runs it. It does not read it.\npackage main",
	}, ""},
	{"function", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\n// It parses.\nfunc Parse() {}\n",
	}, "i3/a.go:4: exported Parse"},
	{"other name", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\n// ParseID parses.\nfunc Parse() {}\n",
	}, "exported Parse"},
	{"method", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\nfunc (l *List[T, U]) Len() int { return 0 }\n",
	}, "exported Len"},
	{"type", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\n// Holds.\ntype ID int\n",
	}, "exported ID"},
	{"type in a group", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\n// Types.\ntype (\n\tID int\n)\n",
	}, "i3/a.go:5: exported ID"},
	{"constant", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\nconst Size = 1\n",
	}, "exported Size"},
	{"variable in a group", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\nvar (\n\t// ErrA is one.\n\tErrA = 1\n\tErrB = 2\n)\n",
	}, "i3/a.go:6: exported ErrB"},
	{"documented", "exported comments", map[string]string{
		"i3/a.go": "package i3\n\n// An ID names.\ntype ID int\n\n// The Stack holds.\ntype Stack int\n\n" +
			"// String writes.\nfunc (id ID) String() string { return \"\" }\n\n" +
			"// Sizes in bytes.\nconst (\n\tA = 1\n\tB = 2\n)\n\n// X and Y are places.\nvar X, Y int\n\n" +
			"func (h hidden) Len() int { return 0 }\n\ntype hidden int\n",
		"i3/a_test.go": "package i3\n\nfunc TestA(t *testing.T) {}\n",
		"i3/b.go":      generated + "package i3\n\nfunc Bare() {}\n",
	}, ""},
}

var wordCases = []planted{
	{"in code", "unfinished work", map[string]string{
		"i3/a.go": "package i3\n\n// TO" + "DO: later\n",
	}, "i3/a.go:3: TO" + "DO marks unfinished work"},
	{"in prose", "unfinished work", map[string]string{"docs/a.md": "FIX" + "ME"}, "docs/a.md:1: FIX" + "ME marks"},
	{"in a script", "unfinished work", map[string]string{"Makefile": "# X" + "XX\n"}, "Makefile:1: X" + "XX marks"},
	{"inside a word", "unfinished work", map[string]string{"i3/a.go": "package i3\n\nconst a = \"TO" + "DOS\"\n"}, ""},
	{"bare skip", "silent skips", map[string]string{
		"i3/a_test.go": "package i3\n\nfunc TestA(t *testing.T) {\n\tt.Skip()\n}\n",
	}, "i3/a_test.go:4: a skipped test says why"},
	{"SkipNow", "silent skips", map[string]string{
		"i3/a_test.go": "package i3\n\nfunc FuzzA(f *testing.F) { f.SkipNow() }\n",
	}, "a skipped test says why"},
	{"empty reason", "silent skips", map[string]string{
		"i3/a_test.go": "package i3\n\nfunc BenchmarkA(b *testing.B) { b.Skipf(\" \") }\n",
	}, "a skipped test says why"},
	{"reasons", "silent skips", map[string]string{
		"i3/a_test.go": "package i3\n\nfunc TestA(t *testing.T) {\n" +
			"\tt.Skip(\"no tshark\")\n\tt.Skip(why)\n\td.Skip()\n}\n",
	}, ""},
	{"dead link", "markdown links", map[string]string{
		"README.md": "See [wire](docs/wire.md#top).",
	}, "link to docs/wire.md#top"},
	{"dead reference", "markdown links", map[string]string{"docs/a.md": "[w]: ../wire.md\n"}, "link to ../wire.md"},
	{"dead picture", "markdown links", map[string]string{"a.md": "![p](p.svg \"a title\")"}, "link to p.svg"},
	{"live links", "markdown links", map[string]string{
		"README.md": "[a](docs/a.md) [b](https://example.org/x) [c](#part) `[d](e)`\n```\n[f](g.md)\n```\n",
		"docs/a.md": "[up](../README.md)\n",
	}, ""},
}

// TestPlanted runs the rules over small modules with a planted fault and requires the one finding it is worth, and
// over modules that only look like faults and requires none.
func TestPlanted(t *testing.T) {
	caught := make(map[string]int)
	for _, cases := range [][]planted{layerCases, purityCases, sizeCases, docCases, wordCases} {
		for _, c := range cases {
			t.Run(c.rule+"/"+c.name, func(t *testing.T) {
				if c.want != "" {
					caught[c.rule]++
				}
				c.run(t)
			})
		}
	}
	for _, r := range rules {
		if caught[r.name] == 0 {
			t.Errorf("tidy: no planted fault shows that rule %q can fail", r.name)
		}
	}
}

// run applies the case's rule to its files and compares the findings.
func (c planted) run(t *testing.T) {
	for _, r := range rules {
		if r.name != c.rule {
			continue
		}
		found := r.check(plant(t, c.files))
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("tidy: rule %q found %q where nothing is wrong", c.rule, found)
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)):
			t.Errorf("tidy: rule %q found %q, want one finding with %q", c.rule, found, c.want)
		}
		return
	}
	t.Fatalf("tidy: there is no rule %q", c.rule)
}
