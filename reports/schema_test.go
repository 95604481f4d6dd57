package reports

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../docs/run.schema.json"

func readSchema(t testing.TB) any {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// valid validates a manifest against the published schema.
func valid(t testing.TB, manifest []byte) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaFile, readSchema(t)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(manifest))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

// Manifests of running and finished runs, and of the schema before, are valid.
func TestManifestsAreValid(t *testing.T) {
	dir := t.TempDir()
	check := func(what, dir string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, ManifestFile))
		if err == nil {
			err = valid(t, text)
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	run, err := Create(dir, Manifest{Command: []string{"bench"}, Seed: 1<<64 - 1})
	if err != nil {
		t.Fatal(err)
	}
	check("at the start", dir)
	if err := run.Stage(Stage{Name: StageLoad, Status: Running}); err != nil {
		t.Fatal(err)
	}
	check("in a stage", dir)
	run.Sample(Sample{Stage: StageCluster, Kind: KindDepth, Seed: 1, N: 8, Value: 2})
	if err := run.Close(Failed, os.ErrDeadlineExceeded); err != nil {
		t.Fatal(err)
	}
	check("at the end", dir)
	check("made up", syntheticDir)
	check("of schema 1", "testdata/schema1")
}

// The schema refuses what is no manifest of its version.
func TestSchemaRefuses(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata/schema1", ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"schema": 1`, `"schema": 3`},
		{`"schema": 1`, `"schema": 1, "samples": 5`},
		{`"seed": 7`, `"seed": -7`},
		{`"seed": 7,`, ``},
		{`"status": "complete"`, `"status": "done"`},
		{`"status": "complete"`, `"status": "running"`}, // and stopped
		{`"cores": 2`, `"cores": 0`},
		{`"dirty": true`, `"dirty": "yes"`},
		{`"stopped": "`, `"stopped": "on `},
	} {
		bad := strings.Replace(string(text), change[0], change[1], 1)
		if bad == string(text) {
			t.Fatalf("no %q in the manifest", change[0])
		}
		if err := valid(t, []byte(bad)); err == nil {
			t.Errorf("%s instead of %s is valid", change[1], change[0])
		}
	}
}

// The page about results names every file, column and query.
func TestDocumentNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("sql/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Concat(columnNames[:], []string{
		ManifestFile, SamplesFile, EventsFile, LatencyFile, BenchFile, HTMLFile, "cpu.pprof", "cpu-NAME.pprof",
	})
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	for _, name := range names {
		if !strings.Contains(string(text), "| `"+name+"`") && !strings.Contains(string(text), ", `"+name+"`") {
			t.Errorf("docs/results.md has no row of %s", name)
		}
	}
}

// The schema has exactly the keys of the manifest, each with a description.
func TestSchemaHasEveryKey(t *testing.T) {
	top := readSchema(t).(map[string]any)
	properties := func(of map[string]any) map[string]any { return of["properties"].(map[string]any) }
	all := properties(top)
	stage := all["stages"].(map[string]any)["items"].(map[string]any)
	for _, c := range []struct {
		of   reflect.Type
		keys map[string]any
	}{
		{reflect.TypeFor[Manifest](), all},
		{reflect.TypeFor[MachineInfo](), properties(all["machine"].(map[string]any))},
		{reflect.TypeFor[Stage](), properties(stage)},
	} {
		var want []string
		for i := range c.of.NumField() {
			name, _, _ := strings.Cut(c.of.Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(c.keys)); !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %q, expected %q", c.of, got, want)
		}
		for name, p := range c.keys {
			if text, _ := p.(map[string]any)["description"].(string); text == "" {
				t.Errorf("%s: %s has no description", c.of, name)
			}
		}
	}
}
