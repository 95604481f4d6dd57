package scenario

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"i3bench/loadgen"
)

var update = flag.Bool("update", false, "rewrite docs/scenario.schema.json")

const schemaFile = "../../docs/scenario.schema.json"

// minimal is a scenario with no more than it must have.
const minimal = "name: m\nphases:\n  - for: 1s\n"

// read parses a scenario that names no file.
func read(text string, sets ...string) (*Scenario, error) {
	return parse("s.yaml", []byte(text), sets, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
}

func TestDefaults(t *testing.T) {
	s, err := read(minimal)
	if err != nil {
		t.Fatal(err)
	}
	want := Cluster{
		Nodes: 32, Degree: 4, Standing: 64, Visitors: 48, Anycast: 8, SlowLoss: 0.1, Rate: 150, Size: 256, Search: "lan",
		Heartbeat: time.Second, Timeout: 10 * time.Second,
	}
	if s.Cluster != want || s.World != "udp" || s.Shorten != 1 || s.Phases[0].For != time.Second {
		t.Errorf("%+v", s)
	}
}

// Every default can be decoded: a wrong one would be zero.
func TestDefaultsAreValues(t *testing.T) {
	for _, k := range Keys() {
		if k.Doc == "" || !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s: %q is no sentence", k.Path, k.Doc)
		}
		if k.Default == "" || strings.Contains(k.Path, "mix") {
			continue
		}
		_, err := read(full, concrete(k.Path)+"="+k.Default)
		if err != nil && !strings.Contains(err.Error(), "has no such key") {
			t.Errorf("%s: default %s: %v", k.Path, k.Default, err)
		}
	}
}

// Errors say where and what was expected.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "s.yaml: empty: want a scenario",
		"a: b: c":                           "s.yaml: yaml: mapping values are not allowed",
		"- 1":                               "s.yaml:1:1: a list: want keys and values, of name, about",
		minimal + "---\nname: x":            "s.yaml: more than one document",
		"name: m":                           "s.yaml:1:1: no phases: want one",
		"name: m\nphases: []":               "s.yaml:2:9: phases: an empty list: want at least one phase",
		"name: m\nphases: {}":               "s.yaml:2:9: phases: keys and values: want a list",
		"nam: m\n" + minimal:                `s.yaml:1:1: no key "nam": want one of name, about, seed`,
		minimal + "name: n":                 "s.yaml:4:1: name is there twice",
		minimal + "world: moon":             `s.yaml:4:8: world: "moon": want one of udp, sim`,
		minimal + "seed: -1":                `s.yaml:4:7: seed: "-1": want a whole number from 0`,
		minimal + "shorten: 0":              `s.yaml:4:10: shorten: "0": want a number of at least 0.001`,
		minimal + "shorten: .nan":           `s.yaml:4:10: shorten: ".nan": want a number`,
		minimal + "cluster: 3":              `s.yaml:4:10: cluster: "3": want keys and values, of nodes`,
		minimal + "cluster: {nodes: }":      "s.yaml:4:18: cluster.nodes: nothing: want a whole number",
		minimal + "cluster: {nodes: 1.5}":   `s.yaml:4:18: cluster.nodes: "1.5": want a whole number`,
		minimal + "cluster: {nodes: 0}":     `s.yaml:4:18: cluster.nodes: "0": want a whole number of at least 1`,
		minimal + "cluster: {size: 1201}":   "s.yaml:4:10: cluster: size 1201: want at most 1200",
		minimal + "cluster: {slow: 65}":     "s.yaml:4:10: cluster: slow 65: want no more than the standing receivers, 64",
		minimal + "cluster: {slow_loss: 2}": "s.yaml:4:10: cluster: slow_loss 2: want a share",
		minimal + "cluster: {timeout: 10}":  `s.yaml:4:20: cluster.timeout: "10": want a time above 0 with its unit`,
		"name: m\nphases:\n  - for: 0s":     `s.yaml:3:10: phases.0.for: "0s": want a time above 0`,
		"name: m\nphases:\n  - name: x":     "s.yaml:3:5: phases.0: no for: want one, How long",
		"name: m\nphases:\n  - {name: x, for: 1s}\n  - {name: x, for: 1s}": `s.yaml:1:1: phases: two are named "x"`,

		minimal + "objectives: [{operation: join}]":            "s.yaml:4:14: objectives.0: only the operation: want p50",
		minimal + "objectives: [{operation: jain, p99: 1s}]":   `s.yaml:4:26: objectives.0.operation: "jain": want one`,
		minimal + "objectives: [{operation: join, failed: 2}]": "s.yaml:4:14: objectives.0: failed 2: want a share",
		"a: &a [*a]": `s.yaml:1:1: no key "a"`,
		"name: m\nphases: &a [{for: 1s, load: *a}]": "s.yaml:2:",
	} {
		if _, err := read(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// The same of streams, which are on line 5 from column 9 on.
func TestStreamErrors(t *testing.T) {
	for stream, want := range map[string]string{
		"{rate: 1}":                             "5:9: phases.0.load.0: no schedule: want one",
		"{schedule: ramp, from: 1, to: 2}":      "5:9: phases.0.load.0: no mix: want one, for schedule ramp has",
		"{schedule: trace, file: x, mix: {}}":   "5:41: phases.0.load.0.mix: schedule trace has no such key",
		"{schedule: trace, file: x}":            " phases.0.load.0.file: file does not exist",
		"{schedule: constant, rate: 0, MIX}":    " phases.0.load.0: loadgen: constant profile: rate 0",
		"{schedule: poisson, rate: 1, mix: {}}": " phases.0.load.0: loadgen: mix: weights",

		"{schedule: poisson, rate: 1, mix: {jain: 1}}":  `5:44: phases.0.load.0.mix: no key "jain": want one of join,`,
		"{schedule: poisson, rate: 1, mix: {join: -1}}": `5:50: phases.0.load.0.mix.join: "-1": want a number of`,
	} {
		text := "name: m\nphases:\n  - for: 1s\n    load:\n      - " + strings.Replace(stream, "MIX", "mix: {join: 1}", 1)
		if _, err := read(text); err == nil || !strings.HasPrefix(err.Error(), "s.yaml:"+want) {
			t.Errorf("%q: error %v, want %q", stream, err, want)
		}
	}
}

// full has every key of the first levels, and a stream of each schedule.
const full = `
name: full
phases:
  - name: one
    for: 10s
    load:
      - {schedule: constant, rate: 5, mix: {join: 1, repair: 2}}
      - {schedule: ramp, from: 0, to: 9, mix: {leave: 1}}
      - {schedule: poisson, rate: 5, mix: {crash: 1}}
      - {schedule: steps, from: 1, to: 2, steps: 4, mix: {move: 1}}
      - {schedule: bursts, rate: 0, burst: 10, every: 3s, length: 1s, mix: {packet: 1}}
      - {schedule: diurnal, low: 1, high: 5, period: 8s, mix: {refresh: 1}}
      - {schedule: sessions, rate: 5, typical: 2s, arrivals: constant, distribution: weibull, spread: 0.6}
      - {schedule: sessions, rate: 5, typical: 2s}
objectives:
  - {operation: join, p50: 1s}
`

// concrete returns a path with the places of a key's elements in the scenario full.
func concrete(path string) string {
	path = strings.Replace(path, "phases.*.", "phases.one.", 1)
	path = strings.Replace(path, "objectives.*.", "objectives.join.", 1)
	stream := "0"
	for _, s := range schedules {
		key := path[strings.LastIndexByte(path, '.')+1:]
		if slices.Contains(s.need, key) || slices.Contains(s.may, key) {
			stream = map[string]string{
				"constant": "0", "ramp": "1", "poisson": "2", "steps": "3", "bursts": "4", "diurnal": "5", "sessions": "6",
			}[s.name]
			break
		}
	}
	return strings.Replace(path, "load.*.", "load."+stream+".", 1)
}

// Every key can be set, and the scenario that is described has the new value.
func TestSetEveryKey(t *testing.T) {
	special := map[string]string{
		"world": "sim", "phases.*.load.*.schedule": "poisson", "phases.*.load.*.arrivals": "poisson",
		"phases.*.load.*.distribution": "fixed", "cluster.search": "wide", "objectives.*.operation": "repair",
		"cluster.slow_loss": "0.25", "objectives.*.failed": "0.25", "phases.*.load.*.length": "1.5s",
		"cluster.timeout": "7s", "cluster.size": "77",
	}
	for _, k := range Keys() {
		value := special[k.Path]
		if value == "" {
			value = map[string]string{"time": "7s", "text": "other", "number": "7", "whole number": "7"}[k.Type]
		}
		sets := []string{concrete(k.Path) + "=" + value}
		if k.Path == "phases.*.load.*.file" { // a trace instead of another stream, and there is none
			sets = []string{"phases.one.load.0={schedule: trace, file: other}"}
		}
		s, err := read(full, sets...)
		if k.Path == "phases.*.load.*.file" {
			if err == nil || !strings.Contains(err.Error(), "phases.0.load.0.file: file does not exist") {
				t.Errorf("%s: %v", k.Path, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", k.Path, err)
			continue
		}
		text, err := s.Describe(1)
		path := strings.Replace(concrete(k.Path), "phases.one", "phases.0", 1)
		path = strings.Replace(path, "objectives.join", "objectives.0", 1)
		if err != nil || !hasLine(text, path, value) {
			t.Errorf("%s=%s is not in the plan: %v\n%s", path, value, err, text)
		}
	}
}

func hasLine(text, key, value string) bool {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == key && f[1] == value {
			return true
		}
	}
	return false
}

func TestSetErrors(t *testing.T) {
	for assignment, want := range map[string]string{
		"x":                           "--set x: want key=value",
		"=1":                          "--set =1: want key=value",
		"phases.9.for=1s":             "--set phases.9.for=1s: phases.9: no such element: want 0 to 1, or a name",
		"phases.two.for=1s":           "--set phases.two.for=1s: phases.two: no such element",
		"name.x=1":                    `--set name.x=1: name.x: "full" above it: want keys or a list`,
		"cluster.nodes=many":          `--set cluster.nodes=many: cluster.nodes: "many": want a whole number`,
		"cluster.nod=1":               `--set cluster.nod=1: cluster: no key "nod": want one of nodes`,
		"phases.one.load.0.low=1":     "--set phases.one.load.0.low=1: phases.0.load.0.low: schedule constant has no",
		"phases.one.load.0.mix.x=1":   `--set phases.one.load.0.mix.x=1: phases.0.load.0.mix: no key "x"`,
		"cluster=[":                   "--set cluster=[: yaml: ",
		"phases.one.load.8={rate: 1}": "--set phases.one.load.8={rate: 1}: phases.0.load.8: no schedule",
		"cluster.nodes=":              "--set cluster.nodes=: cluster.nodes: nothing: want a whole number",
	} {
		if _, err := read(full, assignment); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", assignment, err, want)
		}
	}
}

// What an alias refers to does not change with what refers to it.
func TestSetBehindAlias(t *testing.T) {
	s, err := read("name: m\nphases:\n  - &p {for: 1s}\n  - *p\n", "phases.1.for=2s")
	if err != nil || s.Phases[0].For != time.Second || s.Phases[1].For != 2*time.Second {
		t.Errorf("%+v, %v", s, err)
	}
}

// The schema on file is that of the table of keys.
func TestSchemaOnFile(t *testing.T) {
	if *update {
		if err := os.WriteFile(schemaFile, Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(schemaFile); err != nil || !bytes.Equal(data, Schema()) {
		t.Errorf("%s is not what the keys say (%v): go test ./loadgen/scenario -update", schemaFile, err)
	}
}

// asJSON returns a document of YAML as what a JSON decoder would make of it.
func asJSON(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// The schema takes what the decoder takes, and refuses what it refuses.
func TestSchemaAgreesWithDecoder(t *testing.T) {
	schema := compiled(t)
	texts := map[string]bool{
		full: true, minimal: true,
		minimal + "cluster: {nodes: 3.5}":           false,
		minimal + "cluster: {nodes: 0}":             false,
		minimal + "cluster: {nodse: 3}":             false,
		minimal + "world: moon":                     false,
		minimal + "objectives: [{operation: join}]": false,
		"name: m":                         false,
		"name: m\nphases: []":             false,
		"name: m\nphases: [{for: 10}]":    false,
		"name: m\nphases: [{for: 1m30s}]": true,
		"name: m\nphases: [{for: 1s, load: [{schedule: ramp}]}]":                                     false,
		"name: m\nphases: [{for: 1s, load: [{schedule: poisson, rate: 1, mix: {join: 1}}]}]":         true,
		"name: m\nphases: [{for: 1s, load: [{schedule: poisson, rate: 1, mix: {jain: 1}}]}]":         false,
		"name: m\nphases: [{for: 1s, load: [{schedule: poisson, rate: 1, low: 2, mix: {join: 1}}]}]": false,
	}
	for text, ok := range texts {
		_, err := read(text)
		schemaErr := schema.Validate(asJSON(t, []byte(text)))
		if (err == nil) != ok || (schemaErr == nil) != ok {
			t.Errorf("%q: decoder says %v, schema %v, want accepted: %v", text, err, schemaErr, ok)
		}
	}
}

// Every scenario of the library and every example fits the schema, says what it shows, and can be resolved.
func TestLibrary(t *testing.T) {
	schema := compiled(t)
	doc, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		data, err := os.ReadFile(filepath.Join("library", name+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s, err := Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != name || len(s.About) < 50 || len(s.Objectives) == 0 {
			t.Errorf("%s: name %q, about %q, %d objectives", name, s.Name, s.About, len(s.Objectives))
		}
		if !bytes.Contains(doc, []byte("`"+name+"`")) {
			t.Errorf("docs/scenarios.md does not mention %s", name)
		}
	}
	if len(Names()) != 9 {
		t.Errorf("the library has %v", Names())
	}
}

// The library has visitors for all sessions, and some to spare for joins beside them.
func TestLibraryHasVisitors(t *testing.T) {
	for _, name := range Names() {
		s, err := Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		spans, err := s.Resolve(1)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range spans {
			for _, stream := range span.Streams {
				if stream.Title != "sessions" {
					continue
				}
				plan, err := stream.Open()
				if err != nil {
					t.Fatal(err)
				}
				inside, most := 0, 0
				for i := uint64(0); ; i++ {
					if _, ok := plan.At(i); !ok {
						break
					}
					inside += change(plan.Action(i))
					most = max(most, inside)
				}
				if most > s.Cluster.Visitors {
					t.Errorf("%s: %d sessions at a time, %d visitors", name, most, s.Cluster.Visitors)
				}
			}
		}
	}
}

// Every key is in the document.
func TestKeysAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		if key := k.Path[strings.LastIndexByte(k.Path, '.')+1:]; !bytes.Contains(doc, []byte("`"+key+"`")) {
			t.Errorf("docs/scenarios.md does not mention %s", k.Path)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("t.csv", "time,operation,member\n0.5,join,1\n1,leave,1\n9,join,2\n")
	file := write("s.yaml", "name: m\nshorten: 2\nphases:\n  - {for: 4s, load: [{schedule: trace, file: t.csv}]}\n")
	s, err := Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	spans, err := s.Resolve(1)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := spans[0].Streams[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	kinds, last := loadgen.Counts(plan)
	if kinds[Join] != 1 || kinds[Leave] != 1 || last != 500*time.Millisecond {
		t.Errorf("operations %v, the last at %v", kinds, last)
	}
	for name, want := range map[string]string{
		"none":                  `scenario "none": no such file, and none of the library: flash-crowd, `,
		filepath.Join(dir, "."): "read ",
	} {
		if _, err := Load(name, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	write("t.csv", "time,operation,member\n0.5,joyn,1\n")
	_, err = Load(file, nil)
	if err == nil || !strings.Contains(err.Error(), `t.csv:2: operation "joyn": want one of join`) {
		t.Errorf("a wrong trace: %v", err)
	}
}

// Phases follow each other, and shortening divides times but not rates.
func TestResolve(t *testing.T) {
	s, err := read(full+"shorten: 10\n", "phases.1={name: two, for: 5s}")
	if err != nil {
		t.Fatal(err)
	}
	spans, err := s.Resolve(1)
	if err != nil {
		t.Fatal(err)
	}
	if len(spans) != 2 || spans[0].For != time.Second || spans[1].Begin != time.Second || spans[1].Name != "two" {
		t.Fatalf("%+v", spans)
	}
	for i, want := range []uint64{5, 5, 0, 2, 0, 3, 0, 0} {
		plan, err := spans[0].Streams[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		if n := plan.Len(); want > 0 && n != want {
			t.Errorf("stream %d: %d operations, want %d", i, n, want)
		}
	}
	other, _ := s.Resolve(2)
	a, _ := spans[0].Streams[2].Open()
	b, _ := other[0].Streams[2].Open()
	if x, _ := a.At(0); x == first(b) {
		t.Error("another seed gave the same times")
	}
}

func first(p loadgen.Plan) loadgen.Op {
	op, _ := p.At(0)
	return op
}

func FuzzParse(f *testing.F) {
	f.Add(full, "cluster.nodes=3")     // all kinds of streams
	f.Add(minimal, "phases.0.load.0=") // next to nothing
	f.Add("a: &a [*a]", "a.0.0=1")     // an alias that leads into itself
	f.Fuzz(func(t *testing.T, text, assignment string) {
		s, err := read(text, assignment)
		if err == nil && (len(s.Phases) == 0 || s.Cluster.Nodes < 1) {
			t.Errorf("%q was taken for %+v", text, s)
		}
	})
}
