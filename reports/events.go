package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// maxGroupRows bounds the rows of a row group of events.parquet: what its reader
// has in memory at a time besides the samples. A stage with more has several; a
// file with larger ones was not written here and is refused.
const maxGroupRows = 1 << 20

// An eventRow is a line of events.parquet. A column that the kind of the sample
// does not have is null. The tags name the columns as samples.csv does.
type eventRow struct {
	Stage   string  `parquet:"stage,dict"`
	Kind    string  `parquet:"kind,dict"`
	Seed    *uint64 `parquet:"seed,optional,dict"`
	Group   *string `parquet:"group,optional,dict"`
	Host    *int    `parquet:"host,optional,dict"`
	Level   *int    `parquet:"level,optional,dict"`
	N       *int64  `parquet:"n,optional"`
	Value   float64 `parquet:"value"`
	Start   *int64  `parquet:"start_ns,optional"`
	Service *int64  `parquet:"service_ns,optional"`
	Status  *string `parquet:"status,optional,dict"`
}

// rowOf is a sample as a row, which points into the sample.
func rowOf(s *Sample, k kindSpec) eventRow {
	return eventRow{
		s.Stage, s.Kind,
		has(k, colSeed, &s.Seed), has(k, colGroup, &s.Group), has(k, colHost, &s.Host), has(k, colLevel, &s.Level),
		has(k, colN, &s.N), s.Value,
		has(k, colStart, &s.StartNS), has(k, colService, &s.ServiceNS), has(k, colStatus, &s.Status),
	}
}

// has returns the value of a column, or null if the kind does not have it.
func has[T any](k kindSpec, c column, v *T) *T {
	if k.columns.has(c) {
		return v
	}
	return nil
}

// WriteEvents writes the samples of a result as a Parquet file: a row each, by
// stage and kind, and those of one kind in the order in which they were recorded.
// A row group is of one stage.
func WriteEvents(w io.Writer, r *Result) error {
	out := parquet.NewGenericWriter[eventRow](w, parquet.Compression(&parquet.Zstd),
		parquet.MaxRowsPerRowGroup(maxGroupRows), parquet.DefaultEncodingFor(parquet.Int64, &parquet.DeltaBinaryPacked),
		parquet.CreatedBy("i3bench", "", ""),
		parquet.KeyValueMetadata("i3bench.schema", strconv.Itoa(Schema)))
	stage := ""
	for _, k := range r.kindsByName() {
		if k.stage != stage && stage != "" {
			if err := out.Flush(); err != nil {
				return fmt.Errorf("reports: write %s: %w", EventsFile, err)
			}
		}
		stage = k.stage
		if err := writeKind(out, r.samples[k]); err != nil {
			return fmt.Errorf("reports: write %s: %w", EventsFile, err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("reports: write %s: %w", EventsFile, err)
	}
	return nil
}

// writeKind writes samples of one kind.
func writeKind(out *parquet.GenericWriter[eventRow], samples []Sample) error {
	var rows [512]eventRow
	for part := range slices.Chunk(samples, len(rows)) {
		for i := range part {
			k, _ := lookupKind(part[i].Stage, part[i].Kind)
			rows[i] = rowOf(&part[i], k)
		}
		if _, err := out.Write(rows[:len(part)]); err != nil {
			return err
		}
	}
	return nil
}

// kindsByName lists the kinds of which there are samples, by stage and kind.
func (r *Result) kindsByName() []kindKey {
	out := make([]kindKey, 0, len(r.samples))
	for k := range r.samples {
		out = append(out, k)
	}
	sortKinds(out)
	return out
}

// sortKinds sorts kinds by stage and kind.
func sortKinds(list []kindKey) {
	slices.SortFunc(list, func(a, b kindKey) int {
		return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.kind, b.kind))
	})
}

// set stores a value of a column, which is not null, in a sample.
func (s *Sample) set(c column, v parquet.Value, texts map[string]string) error {
	if want := kindOfColumn(c); v.Kind() != want {
		return fmt.Errorf("%s is of type %s, expected %s", columnNames[c], v.Kind(), want)
	}
	switch c {
	case colStage:
		s.Stage = intern(texts, v.ByteArray())
	case colKind:
		s.Kind = intern(texts, v.ByteArray())
	case colGroup:
		s.Group = intern(texts, v.ByteArray())
	case colStatus:
		s.Status = intern(texts, v.ByteArray())
	case colSeed:
		s.Seed = v.Uint64()
	case colHost:
		s.Host = int(v.Int64())
	case colLevel:
		s.Level = int(v.Int64())
	case colN:
		s.N = v.Int64()
	case colValue:
		s.Value = v.Double()
	case colStart:
		s.StartNS = v.Int64()
	case colService:
		s.ServiceNS = v.Int64()
	}
	return nil
}

// kindOfColumn is the physical type of a column.
func kindOfColumn(c column) parquet.Kind {
	switch c {
	case colStage, colKind, colGroup, colStatus:
		return parquet.ByteArray
	case colValue:
		return parquet.Double
	}
	return parquet.Int64
}

// validRead returns what keeps a row from being a sample; got are the columns that
// were not null.
func (s *Sample) validRead(got columns) error {
	k, ok := lookupKind(s.Stage, s.Kind)
	if !ok {
		return fmt.Errorf("stage and kind %.40q, expected a known pair such as %q", s.Stage+","+s.Kind, "wan,stretch")
	}
	for c := colSeed; c < numColumns; c++ {
		if k.needed.has(c) && !got.has(c) {
			return fmt.Errorf("%s is null, expected a value for %s/%s", columnNames[c], s.Stage, s.Kind)
		}
	}
	_, err := s.check()
	return err
}
