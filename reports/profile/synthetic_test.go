package profile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/pprof/profile"
)

// A call is a stack of a synthetic profile: functions from the outermost to the innermost, each "name" or "name@file",
// those joined by "+" inlined into the first, with a label if it is not empty.
type call struct {
	frames  []string
	label   string
	samples int64
}

// tick is what a sample of a synthetic profile takes, in ns.
const tick = 10_000_000

// made returns a profile of some calls.
func made(calls ...call) *profile.Profile {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: tick,
	}
	functions := make(map[string]*profile.Function)
	function := func(text string) *profile.Function {
		f := functions[text]
		if f == nil {
			name, file, _ := bytes.Cut([]byte(text), []byte("@"))
			f = &profile.Function{ID: uint64(len(functions) + 1), Name: string(name), Filename: string(file)}
			functions[text] = f
			p.Function = append(p.Function, f)
		}
		return f
	}
	for _, c := range calls {
		s := &profile.Sample{Value: []int64{c.samples, c.samples * tick}}
		if c.label != "" {
			s.Label = map[string][]string{labelKey: {c.label}, "other": {"x"}}
		}
		for _, text := range c.frames {
			l := &profile.Location{ID: uint64(len(p.Location) + 1), Address: uint64(len(p.Location))}
			for _, part := range bytes.Split([]byte(text), []byte("+")) {
				l.Line = append([]profile.Line{{Function: function(string(part))}}, l.Line...)
			}
			p.Location = append(p.Location, l)
			s.Location = append([]*profile.Location{l}, s.Location...)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

// written puts a profile into a file of a new directory, and returns the file's name.
func written(t *testing.T, p *profile.Profile) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return file(t, b.Bytes())
}

func file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cpu.pprof")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// read reads a profile of some calls.
func read(t *testing.T, calls ...call) *Profile {
	t.Helper()
	p, err := Read(written(t, made(calls...)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
