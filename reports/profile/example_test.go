package profile_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	pprof "github.com/google/pprof/profile"

	"i3bench/reports/profile"
)

// A directory of profiles is read as one, and its time belongs to stages.
func ExampleRead() {
	dir, err := os.MkdirTemp("", "profiles")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for node, seen := range map[string]int64{"n1": 30, "n2": 50} {
		if err := os.WriteFile(filepath.Join(dir, "cpu-"+node+".pprof"), taken(seen), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	p, err := profile.Read(dir)
	if err != nil {
		log.Fatal(err)
	}
	for s, cost := range p.Stages() {
		if cost.Samples > 0 {
			fmt.Printf("%v: %d samples, %.0f %%\n", profile.Stage(s), cost.Samples, 100*p.Share(cost))
		}
	}
	// Output: match: 80 samples, 100 %
}

// taken returns the profile of a program that did nothing but look identifiers up.
func taken(samples int64) []byte {
	f := &pprof.Function{ID: 1, Name: "i3bench/matcher.(*Table).MatchBatch"}
	l := &pprof.Location{ID: 1, Line: []pprof.Line{{Function: f}}}
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		Function:   []*pprof.Function{f}, Location: []*pprof.Location{l},
		Sample: []*pprof.Sample{{Location: []*pprof.Location{l}, Value: []int64{samples, samples * 1e7}}},
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}
