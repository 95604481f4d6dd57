package reports

import (
	"fmt"
	"math"
)

// scaleKinds are the columns of the table of large groups.
var scaleKinds = []struct {
	kind, column, unit string
	write              func(float64) string
}{
	{KindThreads, "threads", "", num},
	{KindEvents, "events", "", whole},
	{KindEventsPerSecond, "events/s", "events/s", whole},
	{KindWallSeconds, "wall clock", "", seconds},
	{KindSimSeconds, "virtual time", "", seconds},
	{KindPeakBytes, "peak memory", "peak-B", bytesText},
	{KindBytesPerReceiver, "per receiver", "B/receiver", bytesText},
}

// A ScaleRow is what runs of one name and size cost; NaN where it was not
// measured.
type ScaleRow struct {
	Name      string
	Receivers int64
	Seeds     int
	Cost      []Estimate // by scaleKinds
}

// SummarizeScale collects the costs of runs, by name and size. curves holds the
// curves of each of scaleKinds.
func SummarizeScale(curves [][]SizeCurve) []ScaleRow {
	type key struct {
		name string
		n    int64
	}
	var order []Sample // only to sort names and sizes
	seen := make(map[key]bool)
	for _, list := range curves {
		for _, c := range list {
			for _, row := range c.Rows {
				if k := (key{c.Group, row.N}); !seen[k] {
					seen[k] = true
					order = append(order, Sample{Group: k.name, N: k.n})
				}
			}
		}
	}
	var out []ScaleRow
	names, groups := grouped(order, byGroup)
	for _, name := range names {
		sizes, _ := grouped(groups[name], byN)
		for _, n := range sizes {
			row := ScaleRow{Name: name, Receivers: n}
			for _, list := range curves {
				e := findCurve(list, name).at(n).Estimate
				row.Seeds = max(row.Seeds, e.Seeds)
				row.Cost = append(row.Cost, e)
			}
			out = append(out, row)
		}
	}
	return out
}

const scaleTitle = "Large groups in the simulator"

func scaleSection(r *Result) Section {
	var curves [][]SizeCurve
	s := Section{
		ID: "scale", Title: scaleTitle, Stage: StageScale,
		Text: []string{"What a run of the simulator costs. Times and memory are of the machine that the run is from; " +
			"memory is the peak of the whole process."},
	}
	for _, k := range scaleKinds {
		c := SummarizeBySize(r.Select(StageScale, k.kind))
		curves = append(curves, c)
		if k.unit != "" {
			s.Bench = append(s.Bench, sizeBench("Sim/scale/kind="+k.kind, k.unit, c)...)
		}
	}
	owed := SummarizeOwed(r.Select(StageScale, KindDelivered), func(*Sample) int64 { return 0 })
	rows := SummarizeScale(curves)
	s.Findings = []Finding{owedFinding(StageScale, owed)}
	if len(rows) == 0 && len(owed) == 0 {
		return absent(s.ID, s.Title, s.Stage, s.Findings...)
	}
	if len(rows) > 0 {
		s.Tables = append(s.Tables, scaleTable(rows))
	}
	if len(owed) > 0 {
		s.Tables = append(s.Tables, scaleOwedTable(owed))
	}
	return s
}

func scaleTable(rows []ScaleRow) Table {
	t := Table{
		Caption: "Cost of runs; " + cellNote,
		Columns: []Column{text("run"), number("receivers"), number("seeds")},
	}
	for _, k := range scaleKinds {
		t.Columns = append(t.Columns, number(k.column))
	}
	for _, row := range rows {
		cells := []string{variantName(row.Name), count(row.Receivers), count(row.Seeds)}
		for i, e := range row.Cost {
			cells = append(cells, e.cell(scaleKinds[i].write))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func scaleOwedTable(rows []OwedRow) Table {
	t := Table{Caption: "Packets owed and delivered", Columns: []Column{
		text("run"), number("seeds"), number("owed"), number("delivered exactly once"), number("missing"), text("verdict"),
	}}
	for _, row := range rows {
		t.Rows = append(t.Rows, []string{
			variantName(row.Group), count(row.Seeds), count(row.Owed), count(row.Delivered), count(row.Missing),
			row.verdict().Text,
		})
	}
	return t
}

// seconds writes seconds in the unit that fits them.
func seconds(s float64) string { return duration(1e9 * s) }

// bytesText writes an amount of memory in the binary unit that fits it.
func bytesText(b float64) string {
	for _, unit := range []string{"B", "KiB", "MiB"} {
		if !(b >= 1023.5) { // NaN stays in the first
			return fmt.Sprintf("%s %s", num(b), unit)
		}
		b /= 1024
	}
	return num(b) + " GiB"
}

// whole writes a large number in full.
func whole(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return count(int64(v + 0.5))
}
