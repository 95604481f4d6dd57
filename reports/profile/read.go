package profile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/pprof/profile"
)

// Bounds of what is read. A profile of a run of ten seconds has 20 KB, unpacked 100.
const (
	MaxFile   = 4 << 20 // bytes of a file
	MaxPacked = 8 << 20 // bytes of what is packed in it, which may take a hundred times as much memory
	MaxFiles  = 4096    // merged
	MaxStacks = 1 << 18 // different ones, of all files together
	MaxTime   = 1 << 50 // ns of processor time in a file, 13 days: no sum overflows
)

// labelKey is the pprof label that names a stage, cluster.LabelKey.
const labelKey = "stage"

// ErrNone is why a directory was left out that has no profile.
var ErrNone = errors.New("a directory without cpu*.pprof")

// A problem is why a file was left out, by name.
type problem struct {
	path string
	err  error
}

// Read merges profiles. A path is a file, or a directory, which stands for its files cpu*.pprof. What cannot be read
// is left out and named in Problems; it is an error if nothing is left.
func Read(paths ...string) (*Profile, error) {
	r := reader{stacks: MaxStacks}
	for _, path := range paths {
		r.add(path)
	}
	if r.merged == nil {
		if len(r.problems) == 0 {
			return nil, errors.New("profile: nothing to read: want files of CPU profiles or directories with cpu*.pprof")
		}
		return nil, errors.Join(r.errors()...)
	}
	p := newProfile(r.merged)
	p.Files = r.files
	for _, err := range r.errors() {
		p.Problems = append(p.Problems, err.Error())
	}
	return p, nil
}

// A reader merges one file after the other.
type reader struct {
	stacks   int // the most of all files
	merged   *profile.Profile
	files    []string
	problems []problem
}

func (r *reader) errors() (list []error) {
	for _, p := range r.problems {
		list = append(list, fmt.Errorf("profile: %s: %w", p.path, p.err))
	}
	return list
}

// add merges a file, or those of a directory.
func (r *reader) add(path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		r.problems = append(r.problems, problem{path, errors.Unwrap(err)})
	case info.IsDir():
		r.addAll(path)
	default:
		r.merge(path)
	}
}

// addAll merges the profiles of a directory.
func (r *reader) addAll(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.problems = append(r.problems, problem{dir, errors.Unwrap(err)})
		return
	}
	found := false
	for _, e := range entries {
		if is, _ := filepath.Match("cpu*.pprof", e.Name()); is && !e.IsDir() {
			found = true
			r.merge(filepath.Join(dir, e.Name()))
		}
	}
	if !found {
		r.problems = append(r.problems, problem{dir, ErrNone})
	}
}

// merge adds a file to what there is.
func (r *reader) merge(path string) {
	p, err := r.read(path)
	if err == nil && r.merged != nil {
		p, err = profile.Merge([]*profile.Profile{r.merged, p})
	}
	if err == nil && len(p.Sample) > r.stacks {
		err = fmt.Errorf("%d stacks, with those before: want at most %d", len(p.Sample), r.stacks)
	}
	if err != nil {
		r.problems = append(r.problems, problem{path, err})
		return
	}
	r.merged = p
	r.files = append(r.files, path)
}

// read reads a file.
func (r *reader) read(path string) (*profile.Profile, error) {
	if len(r.files) == MaxFiles {
		return nil, fmt.Errorf("want at most %d files", MaxFiles)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	data, err := atMost(f, MaxFile, "a file")
	if err != nil {
		return nil, err
	}
	return decode(data)
}

// decode returns a profile with what is needed of it.
func decode(data []byte) (*profile.Profile, error) {
	data, err := unpack(data)
	if err != nil {
		return nil, err
	}
	p, err := profile.ParseUncompressed(data)
	if err == nil {
		err = p.CheckValid()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: want a CPU profile in the format of pprof", err)
	}
	if err := reduce(p); err != nil {
		return nil, err
	}
	return profile.Merge([]*profile.Profile{p})
}

// unpack returns what is in a gzip file, or data that is in none.
func unpack(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = atMost(z, MaxPacked, "what is packed")
	}
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return data, nil
}

func atMost(r io.Reader, most int64, what string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s has more than %d bytes", what, most)
	}
	return data, err
}

// reduce leaves of a profile how often and how long each stack was seen, and the label of the stage. Profiles of
// different programs can be merged then.
func reduce(p *profile.Profile) error {
	count, cpu := -1, -1
	for i, t := range p.SampleType {
		switch {
		case t.Type == "samples" && t.Unit == "count":
			count = i
		case t.Type == "cpu" && t.Unit == "nanoseconds":
			cpu = i
		}
	}
	if count < 0 || cpu < 0 {
		return fmt.Errorf("it has %s: want samples/count and cpu/nanoseconds", types(p))
	}
	var times, ns int64
	for _, s := range p.Sample {
		s.Value = []int64{s.Value[count], s.Value[cpu]}
		for i, sum := range []*int64{&times, &ns} {
			if s.Value[i] < 0 || s.Value[i] > MaxTime {
				return fmt.Errorf("a stack that was seen %d times, for %d ns: want 0 to 2^50", s.Value[0], s.Value[1])
			}
			if *sum += s.Value[i]; *sum > MaxTime {
				return errors.New("stacks that were seen for more than 2^50 ns together, 13 days")
			}
		}
		stage := s.Label[labelKey]
		s.Label, s.NumLabel, s.NumUnit = nil, nil, nil
		if len(stage) > 0 {
			s.Label = map[string][]string{labelKey: stage[:1]}
		}
	}
	for _, l := range p.Location {
		l.Mapping = nil
	}
	p.SampleType = []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}
	p.PeriodType = &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}
	p.Mapping, p.Comments, p.DropFrames, p.KeepFrames = nil, nil, "", ""
	return p.Aggregate(true, true, true, false, false, false)
}

// types names what a profile counts.
func types(p *profile.Profile) string {
	var b bytes.Buffer
	for i, t := range p.SampleType {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.30s/%.30s", t.Type, t.Unit)
	}
	return b.String()
}
