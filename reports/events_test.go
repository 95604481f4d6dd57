package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// writeEvents writes the Parquet file of samples and returns its directory.
func writeEvents(t testing.TB, samples []Sample) (dir string, file []byte) {
	t.Helper()
	var l loaded
	for _, s := range samples {
		l.add(s)
	}
	var b bytes.Buffer
	if err := WriteEvents(&b, &Result{samples: l.samples}); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	putEvents(t, dir, b.Bytes())
	return dir, b.Bytes()
}

func putEvents(t testing.TB, dir string, file []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, EventsFile), file, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readBack reads the Parquet file of a directory.
func readBack(t testing.TB, dir string) *loaded {
	t.Helper()
	var l loaded
	if err := l.readEvents(dir); err != nil {
		t.Fatal(err)
	}
	return &l
}

// drawSample draws a sample of any kind with any values that it may have.
func drawSample(t *rapid.T) Sample {
	var keys []kindKey
	for k := range kinds {
		if k.stage == "" {
			k.stage = StageDeliver
		}
		keys = append(keys, k)
	}
	sortKinds(keys)
	key := rapid.SampledFrom(keys).Draw(t, "kind")
	spec, _ := lookupKind(key.stage, key.kind)
	s := Sample{Stage: key.stage, Kind: key.kind}
	for c := colSeed; c < numColumns; c++ {
		if spec.columns.has(c) {
			drawField(t, &s, c, spec)
		}
	}
	return s
}

// What is written as Parquet is read again, each kind in its order.
func TestEventsAreReadAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		samples := rapid.SliceOfN(rapid.Custom(drawSample), 0, 40).Draw(rt, "samples")
		var want loaded
		for _, s := range samples {
			want.add(s)
		}
		dir, _ := writeEvents(t, samples)
		got := readBack(t, dir)
		if !reflect.DeepEqual(got.samples, want.samples) || got.count != want.count || len(got.warnings) > 0 {
			rt.Fatalf("%v\nexpected\n%v\nwarnings %v", got.samples, want.samples, got.warnings)
		}
	})
}

// More rows than a page and than a row group hold.
func TestEventsOfManyRows(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: a million rows take a while")
	}
	var want loaded
	for i := range maxGroupRows + 10 {
		want.add(Sample{Stage: StageLoad, Kind: KindJoin, Status: StatusOK, StartNS: int64(i), Value: float64(i % 1000)})
	}
	dir, file := writeEvents(t, want.samples[kindKey{StageLoad, KindJoin}])
	got := readBack(t, dir)
	if !reflect.DeepEqual(got.samples, want.samples) {
		t.Errorf("%d samples, expected %d and the same; warnings %v", got.count, want.count, got.warnings)
	}
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(f.RowGroups()) != 2 {
		t.Errorf("%v, expected two row groups", err)
	}
}

// A column that a kind does not have is null, and not zero.
func TestEventsHaveNulls(t *testing.T) {
	_, file := writeEvents(t, []Sample{{Stage: StageCluster, Kind: KindDepth, Seed: 0, N: 8, Value: 2}})
	rows, err := parquet.Read[eventRow](bytes.NewReader(file), int64(len(file)))
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %d rows", err, len(rows))
	}
	if r := rows[0]; r.Seed == nil || *r.Seed != 0 || r.Start != nil || r.Status != nil || r.Group == nil {
		t.Errorf("%+v, expected a seed, a group, and no start and no status", r)
	}
}

// A file cut off anywhere is named with the offset of its end.
func TestEventsCutOff(t *testing.T) {
	dir, file := writeEvents(t, syntheticSamples(1, 4, 8))
	for cut := 0; cut < len(file); cut += 97 {
		putEvents(t, dir, file[:cut])
		got := readBack(t, dir)
		if got.count != 0 || len(got.warnings) != 1 || !strings.HasPrefix(got.warnings[0], "events.parquet: at offset ") {
			t.Fatalf("cut at %d of %d: %d samples, warnings %q", cut, len(file), got.count, got.warnings)
		}
	}
}

// A page that is damaged costs its row group, that is its stage, and no other.
func TestEventsDamagedPage(t *testing.T) {
	samples := syntheticSamples(2, 8, 20)
	dir, file := writeEvents(t, samples)
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	m := f.Metadata().RowGroups[0]
	at := m.Columns[int(colValue)].MetaData.DataPageOffset
	lost := int(m.NumRows)
	file = bytes.Clone(file)
	file[at+m.Columns[int(colValue)].MetaData.TotalCompressedSize-3] ^= 0x40
	putEvents(t, dir, file)
	got := readBack(t, dir)
	if got.count != len(samples)-lost || got.skipped != lost || len(got.warnings) != 1 {
		t.Errorf("%d samples, %d skipped, warnings %q, expected all but the %d of one stage", got.count, got.skipped,
			got.warnings, lost)
	}
	if w := strings.Join(got.warnings, ""); !strings.Contains(w, "column value of row group 0") {
		t.Errorf("%q, expected the column and the row group", w)
	}
}

// A column with fewer or more values than the row group has rows is refused.
func TestEventsOfWrongLength(t *testing.T) {
	_, file := writeEvents(t, []Sample{{Stage: StageCluster, Kind: KindDepth, N: 8, Value: 2}, {
		Stage: StageCluster, Kind: KindDepth, N: 8, Value: 3,
	}})
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	e := eventReader{texts: make(map[string]string)}
	if err := e.find(f); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 3} {
		err := e.column(f.RowGroups()[0], colValue, make([]Sample, n), make([]columns, n))
		if (err == nil) != (n == 2) {
			t.Errorf("two values for %d rows: %v", n, err)
		}
	}
}

// Whatever bytes are changed, nothing panics, and samples are only lost with a warning.
func TestEventsDamagedAnywhere(t *testing.T) {
	samples := syntheticSamples(1, 4, 8)
	dir, file := writeEvents(t, samples)
	want := readBack(t, dir)
	rapid.Check(t, func(rt *rapid.T) {
		bad := bytes.Clone(file)
		for range rapid.IntRange(1, 3).Draw(rt, "changes") {
			at := rapid.IntRange(0, len(bad)-1).Draw(rt, "at")
			bad[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "change"))
		}
		putEvents(t, dir, bad)
		got := readBack(t, dir)
		if len(got.warnings) == 0 && !reflect.DeepEqual(got.samples, want.samples) {
			rt.Fatalf("%d samples, expected %d, and no warning", got.count, want.count)
		}
	})
}

// Rows that are no samples are named; a file of other columns is refused.
func TestEventsOfOthers(t *testing.T) {
	dir := t.TempDir()
	n, seed := int64(8), uint64(1)
	var b bytes.Buffer
	err := parquet.Write(&b, []eventRow{
		{Stage: StageCluster, Kind: "dpeth", Seed: &seed, N: &n, Value: 2},
		{Stage: StageCluster, Kind: KindDepth, Seed: &seed, Value: 2},
		{Stage: StageCluster, Kind: KindDepth, Seed: &seed, N: &n, Value: -2},
		{Stage: StageCluster, Kind: KindDepth, Seed: &seed, N: &n, Value: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	putEvents(t, dir, b.Bytes())
	got := readBack(t, dir)
	all := strings.Join(got.warnings, "\n")
	for _, want := range []string{
		"row 0 of row group 0: stage and kind", "row 1 of row group 0: n is null", "row 2", "not negative",
	} {
		if got.count != 1 || got.skipped != 3 || !strings.Contains(all, want) {
			t.Errorf("%d samples, %d skipped, warnings %q, expected %q", got.count, got.skipped, all, want)
		}
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"no column stage": func(b *bytes.Buffer) error {
			return parquet.Write(b, []struct{ Kind, Value string }{{"a", "b"}})
		},
		"value is of type BYTE_ARRAY": func(b *bytes.Buffer) error {
			return parquet.Write(b, []struct {
				Stage string `parquet:"stage"`
				Kind  string `parquet:"kind"`
				Value string `parquet:"value"`
			}{{"cluster", "depth", "two"}})
		},
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		putEvents(t, dir, b.Bytes())
		if got := readBack(t, dir); got.count != 0 || !strings.Contains(strings.Join(got.warnings, ""), name) {
			t.Errorf("%d samples, warnings %q, expected %q", got.count, got.warnings, name)
		}
	}
}

// No bytes make the reader panic.
func FuzzEvents(f *testing.F) {
	_, file := writeEvents(f, syntheticSamples(1, 2, 2))
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, file []byte) {
		putEvents(t, dir, file)
		readBack(t, dir)
	})
}
