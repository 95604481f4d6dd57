package profile

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"i3bench/cluster"
)

// root is the folder of the module.
const root = "../.."

// Every rule decides about what it names: a stack whose innermost function with a rule is that belongs to its stage,
// whatever called it and whatever it calls.
func TestEveryRuleWorks(t *testing.T) {
	for _, r := range rules {
		if top, below := strings.CutSuffix(r.pkg, "/..."); below {
			r.pkg = top + "/some/below"
		}
		prefix := module
		if r.pkg == "runtime" || r.pkg == "runtime/pprof" || r.pkg == "main" {
			prefix = ""
		}
		var names []string
		for f := range strings.FieldsSeq(r.funcs) {
			names = append(names, prefix+r.pkg+"."+f, prefix+r.pkg+"."+f+".func1")
		}
		for f := range strings.FieldsSeq(r.files) {
			names = append(names, prefix+r.pkg+".(*Of).aFile@/src/"+r.pkg+"/"+f, prefix+r.pkg+`.f@C:\src\`+f)
		}
		if len(names) == 0 {
			names = []string{prefix + r.pkg + ".anything", prefix + r.pkg + ".(*T[go.shape.int]).m"}
		}
		for _, name := range names {
			p := read(t, call{frames: []string{
				"i3bench/experiments.Load.Run", name, "i3bench/i3.ParseID", "runtime.mallocgc+runtime.nextFreeFast",
			}, samples: 3})
			if c := p.Stages()[r.stage]; c.Samples != 3 {
				t.Errorf("%s belongs to %v, expected %v", name, p.Stages(), r.stage)
			}
		}
	}
}

// A name that only begins like one of a rule is another.
func TestRulesAreExact(t *testing.T) {
	for name, want := range map[string]Stage{
		"i3bench/matcher.(*Table).Match":             Match,
		"i3bench/matcher.(*Table).MatchBatch":        Match,
		"i3bench/matcher.(*Table).Matching":          Other,
		"i3bench/matcher.(*Table).Insert":            Other, // a part of the request
		"i3bench/matcherx.(*Table).Match":            Other,
		"i3bench/loadgen.(*Pacer).Run":               Bench,
		"i3bench/loadgen/scenario.Load":              Bench,
		"i3bench/loadgens.f":                         Other,
		"other/matcher.(*Table).Match":               Other,
		"i3bench/i3.ParseID":                         Other,
		"i3bench/i3/node.(*Node).packet":             Receive,
		"i3bench/i3/node.(*Node).packets":            Triggers,
		"runtime.gcBgMarkWorker.func2":               Collector,
		"runtime.mallocgc":                           Other,
		"slices.SortFunc[go.shape.[]i3bench/sim.x]":  Other,
		"i3bench/sim.(*Engine[go.shape.a/b.c]).step": Simulator,
		"": Other,
	} {
		got := Other
		if r := ruleOf(name, ""); r != nil {
			got = r.stage
		}
		if got != want {
			t.Errorf("%q belongs to %v, expected %v", name, got, want)
		}
	}
}

// silent are the files of the protocol's packages that have no rule, with the reason.
var silent = map[string]string{
	"i3/host/host.go":          "what sends belongs to who wants it; what receives is named by function",
	"i3/host/task.go":          "the same",
	"i3/multicast/config.go":   "runs once",
	"i3/multicast/profile.go":  "runs once",
	"i3/multicast/core.go":     "messages of every stage",
	"i3/multicast/message.go":  "messages of every stage",
	"i3/multicast/ids.go":      "identifiers of every stage",
	"i3/multicast/guard.go":    "tags of every message",
	"i3/multicast/gauge.go":    "measures what comes",
	"i3/multicast/stream.go":   "the cache: kept as data, asked for by repairs",
	"i3/multicast/window.go":   "times of packets",
	"i3/multicast/touch.go":    "reads ahead for the simulator",
	"i3/multicast/source.go":   "named by function",
	"i3/multicast/receiver.go": "the entrances, named by function",
}

// The table speaks of packages, files and functions that there are, and every file of the protocol has a rule or a
// reason to have none: who adds or renames one has to say where its time belongs.
func TestRulesNameWhatThereIs(t *testing.T) {
	sources := make(map[string]*folder)
	for _, r := range rules {
		if r.pkg == "runtime" || r.pkg == "runtime/pprof" || r.pkg == "main" {
			continue
		}
		r.pkg = strings.TrimSuffix(r.pkg, "/...")
		if sources[r.pkg] == nil {
			sources[r.pkg] = readFolder(t, r.pkg)
		}
		for f := range strings.FieldsSeq(r.files) {
			if !slices.Contains(sources[r.pkg].files, f) {
				t.Errorf("a rule names %s/%s, which is not there", r.pkg, f)
			}
		}
		for f := range strings.FieldsSeq(r.funcs) {
			if !sources[r.pkg].funcs[f] {
				t.Errorf("a rule names %s.%s, which is not there", r.pkg, f)
			}
		}
	}
	for _, pkg := range []string{"i3/node", "i3/host", "i3/multicast", "i3/chord"} {
		for _, f := range sources[pkg].files {
			_, excused := silent[pkg+"/"+f]
			if has := ruleOf(module+pkg+".f", f) != nil; has == excused && f != "doc.go" {
				t.Errorf("%s/%s: has a rule %v, and is excused %v; expected one of the two", pkg, f, has, excused)
			}
		}
	}
}

// A folder is what a package has.
type folder struct {
	files []string
	funcs map[string]bool // as they stand behind the package's name
}

func readFolder(t *testing.T, pkg string) *folder {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, pkg, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files of %s (%v)", pkg, err)
	}
	f := &folder{funcs: make(map[string]bool)}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f.files = append(f.files, filepath.Base(name))
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				f.funcs[receiver(fn)+fn.Name.Name] = true
			}
		}
	}
	return f
}

// receiver returns what stands before a method's name.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	switch x := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := x.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")."
		}
	case *ast.Ident:
		return x.Name + "."
	}
	return "?."
}

// The labels are those that drivers set.
func TestLabelsAreThoseOfDrivers(t *testing.T) {
	if labelKey != cluster.LabelKey {
		t.Errorf("the label is %q, drivers set %q", labelKey, cluster.LabelKey)
	}
	for value, want := range map[string]Stage{
		cluster.LabelReceive: Receive, cluster.LabelReplicate: Replicate, cluster.LabelSend: Send,
	} {
		if got := labelled[value]; got != want {
			t.Errorf("label %q says %v, expected %v", value, got, want)
		}
	}
	if s, ok := labelled[cluster.LabelMachine]; ok {
		t.Errorf("label %q says %v, but functions know more", cluster.LabelMachine, s)
	}
}

// The document says of each stage of the protocol what its table says here.
func TestStagesAreInTheDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "profile.md"))
	if err != nil {
		t.Fatal(err)
	}
	for s := range Stage(NumStages) {
		row := "| " + s.String() + " | " + s.Doc() + " |"
		if s.Protocol() != strings.Contains(string(text), row) && s != Other {
			t.Errorf("of the protocol: %v, row %q in the document: %v", s.Protocol(), row, !s.Protocol())
		}
	}
}
