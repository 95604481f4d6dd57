package profile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// join and sendPath are two stacks, of which the second is labelled by its driver.
func join(n int64) call {
	return call{[]string{"i3bench/cluster.(*shard).run", "i3bench/i3/multicast.(*Receiver).Join@/x/join.go"}, "machine", n}
}

func sendPath(n int64) call {
	return call{[]string{"i3bench/cluster.(*shard).run", "syscall.Syscall"}, "send", n}
}

// A label goes before the table, but for that of a machine, of which functions know more; what neither knows is other.
func TestAttribution(t *testing.T) {
	machine := []string{"i3bench/i3/multicast.(*Receiver).Join@/x/join.go", "runtime.mallocgc"}
	for _, c := range []struct {
		frames []string
		label  string
		want   Stage
	}{
		{machine, "", Join},
		{machine, "machine", Join},
		{machine, "of somebody else", Join},
		{machine, "receive", Receive},
		{machine, "replicate", Replicate},
		{machine, "send", Send},
		{[]string{"main.unknown.(*T).f", "os.Open"}, "", Bench},
		{[]string{"example.org/x.f", "os.Open"}, "", Other},
		{[]string{"example.org/x.f", "os.Open"}, "machine", Other},
		{[]string{"example.org/x.f", "os.Open"}, "send", Send},
		{[]string{"i3bench/i3/node.(*Node).Receive+i3bench/matcher.(*Table).MatchBatch", "x.f"}, "", Match}, // inlined
		{[]string{"i3bench/matcher.(*Table).MatchBatch+i3bench/i3/node.(*Node).request@r.go", "x.f"}, "", Triggers},
		{nil, "", Other},
	} {
		p := read(t, call{c.frames, c.label, 7})
		if got := p.Stages()[c.want]; got != (Cost{7, 7 * tick}) || p.Total != got {
			t.Errorf("%v labelled %q: %v, expected all in %v", c.frames, c.label, p.Stages(), c.want)
		}
	}
	p := read(t, join(3), sendPath(1))
	if got := p.Labelled(); got.Samples != 1 || p.Share(got) != 0.25 {
		t.Errorf("%v was labelled, expected one sample of four", got)
	}
}

// Profiles of several processes add up, whatever the order, and the same stack is one.
func TestMerge(t *testing.T) {
	dir := t.TempDir()
	for name, p := range map[string]*profile.Profile{
		"cpu.pprof": made(join(3), sendPath(4)), "cpu-n1.pprof": made(join(10)), "cpu-n2.pprof": made(sendPath(100)),
		"other.pprof": made(join(1000)),
	} {
		if err := os.Rename(written(t, p), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	stages := p.Stages()
	if len(p.Files) != 3 || stages[Join].Samples != 13 || stages[Send].Samples != 104 || len(p.stacks) != 2 {
		t.Errorf("%v: %v in %d stacks, expected 13 of join and 104 of send in 2, of three files",
			p.Files, stages, len(p.stacks))
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	again, err := Read(in("cpu-n2.pprof"), in("cpu-n1.pprof"), in("cpu.pprof"))
	if err != nil || again.Stages() != stages {
		t.Errorf("one by one: %v, %v, expected the same", again.Stages(), err)
	}
}

// broken are files that are no CPU profile, and what their errors say.
func broken(t testing.TB) map[string]struct {
	data []byte
	says string
} {
	var whole, huge bytes.Buffer
	if err := made(join(3), sendPath(4)).Write(&whole); err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(&huge)
	if _, err := z.Write(make([]byte, MaxPacked+1)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	plain := func(p *profile.Profile) []byte {
		var b bytes.Buffer
		if err := p.WriteUncompressed(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	heap, negative, long := made(join(1)), made(join(1)), made(join(1))
	heap.SampleType[1].Type, heap.SampleType[1].Unit = "inuse_space", "bytes"
	negative.Sample[0].Value[1] = -5
	long.Sample[0].Value[1] = MaxTime + 1
	sum := made(join(1), sendPath(1))
	sum.Sample[0].Value[1], sum.Sample[1].Value[1] = MaxTime, 1
	return map[string]struct {
		data []byte
		says string
	}{
		"empty":        {nil, "want a CPU profile"},
		"text":         {[]byte("no profile at all"), "want a CPU profile"},
		"cut off":      {whole.Bytes()[:whole.Len()/2], "unpack: unexpected EOF"},
		"gzip of zero": {huge.Bytes(), fmt.Sprintf("what is packed has more than %d bytes", MaxPacked)},
		"large":        {make([]byte, MaxFile+1), fmt.Sprintf("a file has more than %d bytes", MaxFile)},
		"no header":    {[]byte{0x1f, 0x8b, 0}, "unpack"},
		"of memory":    {plain(heap), "it has samples/count, inuse_space/bytes: want samples/count and cpu/nanoseconds"},
		"negative":     {plain(negative), "for -5 ns: want 0 to 2^50"},
		"too long":     {plain(long), "want 0 to 2^50"},
		"sum too long": {plain(sum), "more than 2^50 ns together"},
		"half plain":   {plain(made(join(1)))[:40], "want a CPU profile"},
	}
}

// What cannot be read is named with what was expected, and the rest is merged all the same; if nothing is left it is
// an error.
func TestBroken(t *testing.T) {
	good := written(t, made(join(3)))
	for name, c := range broken(t) {
		bad := file(t, c.data)
		_, err := Read(bad)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s alone: %v, expected an error with %q and the file's name", name, err, c.says)
		}
		p, err := Read(bad, good)
		if err != nil || p.Total.Samples != 3 || len(p.Files) != 1 || len(p.Problems) != 1 ||
			!strings.Contains(p.Problems[0], c.says) {
			t.Errorf("%s beside a good one: %v, %+v, expected the good one and a problem with %q", name, err, p, c.says)
		}
	}
}

func TestNothingToRead(t *testing.T) {
	if _, err := Read(); err == nil || !strings.Contains(err.Error(), "nothing to read") {
		t.Errorf("%v, expected an error", err)
	}
	dir := t.TempDir()
	if _, err := Read(dir); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v, expected that %s has none", err, dir)
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, expected that it does not exist", err)
	}
}

// There is a bound to the number of files.
func TestTooManyFiles(t *testing.T) {
	r := reader{files: make([]string, MaxFiles)}
	r.merge(written(t, made(join(1))))
	if len(r.problems) != 1 || !strings.Contains(r.problems[0].err.Error(), "at most 4096 files") {
		t.Errorf("%v, expected a problem", r.problems)
	}
}

// There is a bound to the number of stacks, of a file and of all together; what is beyond it is left out whole.
func TestTooManyStacks(t *testing.T) {
	two := made(join(1), sendPath(1))
	r := reader{stacks: 3}
	for _, p := range []*profile.Profile{
		two, made(call{[]string{"a"}, "", 1}, call{[]string{"b"}, "", 1}), made(join(1)),
		made(call{[]string{"c"}, "", 1}), made(call{[]string{"d"}, "", 1}),
	} {
		r.merge(written(t, p))
	}
	if len(r.files) != 3 || len(r.problems) != 2 || len(r.merged.Sample) != 3 {
		t.Errorf("%d files, %v, %d stacks; expected three files with three", len(r.files), r.problems, len(r.merged.Sample))
	}
	for _, p := range r.problems {
		if want := "4 stacks, with those before: want at most 3"; p.err.Error() != want {
			t.Errorf("%v, expected %q", p.err, want)
		}
	}
	r = reader{stacks: 1}
	if r.merge(written(t, two)); len(r.problems) != 1 || r.merged != nil {
		t.Errorf("%v, expected that a file alone is refused, too", r.problems)
	}
}

// Names of a file cannot break what they are printed on, nor flood it.
func TestNamesAreClean(t *testing.T) {
	p := read(t, call{[]string{
		"a\x1b[31m\n\u202e", strings.Repeat("x", 5000), "f[go.shape.struct { a/b.c }].func1",
	}, "", 1})
	for _, name := range p.names {
		if strings.ContainsAny(name, "\x1b\n\u202e") || len(name) > maxName+4 {
			t.Errorf("name %q is not clean", name)
		}
	}
	if got := p.names[0]; got != "f[…].func1" {
		t.Errorf("the innermost function is %q, expected f[…].func1", got)
	}
}

// Whatever a file has: an error, or a profile whose parts add up.
func FuzzDecode(f *testing.F) {
	for _, c := range broken(f) {
		if len(c.data) < 1<<16 {
			f.Add(c.data)
		}
	}
	var b bytes.Buffer
	if err := made(join(3), sendPath(4), call{[]string{"a+b", "c"}, "receive", 2}).WriteUncompressed(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		merged, err := decode(data)
		if err != nil {
			return
		}
		p := newProfile(merged)
		var sum Cost
		for _, c := range p.Stages() {
			sum.add(c)
		}
		tree := Tree(p, p)
		if sum != p.Total || tree.Cost != sum || tree.Base != sum || p.Total.CPU < 0 {
			t.Errorf("total %v, stages %v, tree %v and %v, expected the same", p.Total, sum, tree.Cost, tree.Base)
		}
		p.Functions()
	})
}
