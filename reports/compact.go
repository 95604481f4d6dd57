package reports

import (
	"cmp"
	"slices"
	"strings"
)

// A Spot is where a finding stands in a compact table: those of one quantity in a
// row, what it was measured with in columns.
type Spot struct {
	Quantity string
	Variant  string // the way to build and repair the tree, or a setting; empty: no spot
	Net      string // of a simulated tree
	N        int64  // receivers; zero: the quantity or the cell says
	Cell     string // the value with its spread
}

// spotOf is the spot of a figure of the group "variant/net".
func spotOf(quantity, group string, n int64, cell string) Spot {
	variant, net, _ := strings.Cut(group, "/")
	return Spot{quantity, variant, net, n, cell}
}

// spotOfScheme is the spot of a figure of the group "scheme/variant/net".
func spotOfScheme(quantity, group string, n int64, cell string) Spot {
	scheme, rest := splitScheme(group)
	return spotOf(quantity+", "+scheme, rest, n, cell)
}

// mark is the verdict as a sign behind a cell.
func (v Verdict) mark() string {
	sign := map[State]string{Pass: "✓", Miss: "✗"}[v.State]
	if sign != "" && strings.HasSuffix(v.Text, unsettled) {
		sign = "(" + sign + ")"
	}
	return sign
}

// cell is a value with the mark of its verdict.
func (v Verdict) cell(value string) string { return strings.TrimSpace(value + " " + v.mark()) }

// markNote explains the cells of compact tables.
const markNote = "✓ meets the paper's figure, ✗ misses it, in brackets where the limit lies inside the interval; " +
	"without either a cell is not judged: the group is smaller than the paper's, or the protocol is not the paper's. A " +
	"cell is the mean over seeds: ± half its 95 % interval (Student's t) of three seeds or more, [range] of two, alone " +
	"of one."

// A grid makes a compact table of findings with spots.
type grid struct {
	row      func(Spot) string // what a row is of
	column   func(Spot) string // and a column
	findings []Finding
}

// A gridRow is a row under way.
type gridRow struct {
	of    [4]string // figure, what, receivers, the paper's figure
	cells map[string]string
}

// table lists the findings: the columns in the given order, the rows in that of
// the findings. The receivers have a column if any row is of so many.
func (g grid) table(caption string, columns []string) Table {
	var rows []gridRow
	sized := false
	for _, f := range g.findings {
		of := [4]string{f.ID, g.row(f.Spot), "-", f.Paper}
		if f.Spot.N > 0 {
			of[2], sized = count(f.Spot.N), true
		}
		i := slices.IndexFunc(rows, func(r gridRow) bool { return r.of == of })
		if i < 0 {
			i, rows = len(rows), append(rows, gridRow{of, make(map[string]string)})
		}
		rows[i].cells[g.column(f.Spot)] = f.Verdict.cell(f.Spot.Cell)
	}
	t := Table{Caption: caption, Columns: []Column{
		text("figure"), text("what"), number("receivers"), number("paper's figure"),
	}}
	for _, c := range columns {
		t.Columns = append(t.Columns, number(c))
	}
	for _, r := range rows {
		line := r.of[:]
		for _, c := range columns {
			line = append(line, cmp.Or(r.cells[c], "-"))
		}
		t.Rows = append(t.Rows, line)
	}
	if !sized {
		t = t.without(2)
	}
	return t
}

// without returns the table without a column.
func (t Table) without(i int) Table {
	t.Columns = slices.Delete(slices.Clone(t.Columns), i, i+1)
	for k, row := range t.Rows {
		t.Rows[k] = slices.Delete(slices.Clone(row), i, i+1)
	}
	return t
}

// Names of parameters in the manifest that list networks: those that were
// simulated in full, and those that were looked at besides.
const (
	ParamNets   = "nets"
	ParamOthers = "others"
)

// list returns the words of a parameter that is a list.
func (m *Manifest) list(name string) []string {
	return strings.Fields(strings.Trim(m.Parameters[name], "[]"))
}

// compactTables are the tables of findings with spots: of the variants on the
// networks that were simulated in full, of those on others, and of settings that
// have no network.
func (r *Result) compactTables(all []Finding) (out []Table) {
	quantity := func(s Spot) string { return s.Quantity }
	withVariant := func(s Spot) string { return s.Quantity + ", " + s.Variant }
	variant := func(s Spot) string { return s.Variant }
	net := func(s Spot) string { return s.Net }
	both := func(s Spot) string { return s.Variant + ", " + s.Net }
	order := slices.Concat(r.Manifest.list(ParamNets), r.Manifest.list(ParamOthers))
	full, other, set := r.byNetwork(all)
	for _, g := range []struct {
		caption string
		grid
	}{
		{mainCaption, grid{quantity, both, full}},
		{"Simulated trees on other networks", grid{withVariant, net, other}},
		{"Table 2, the cluster in virtual time. " + jitterChoice, grid{quantity, variant, set}},
	} {
		if len(g.findings) > 0 {
			out = append(out, g.table(g.caption, g.columns(order)))
		}
	}
	return out
}

// mainCaption names the main table of the simulations.
const mainCaption = "Simulated trees, by variant and network"

// byNetwork parts findings with spots by their table.
func (r *Result) byNetwork(all []Finding) (full, other, set []Finding) {
	others := r.Manifest.list(ParamOthers)
	for _, f := range all {
		switch {
		case f.Spot.Variant == "":
		case f.Spot.Net == "":
			set = append(set, f)
		case slices.Contains(others, f.Spot.Net):
			other = append(other, f)
		default:
			full = append(full, f)
		}
	}
	return full, other, set
}

// columns returns the columns of a grid: the paper's variant first, networks as
// they were asked for.
func (g grid) columns(nets []string) (out []string) {
	rank := func(variant string) string {
		if variant == literalVariant || variant == JitterNone {
			return ""
		}
		return variant
	}
	sorted := slices.Clone(g.findings)
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(rank(a.Spot.Variant), rank(b.Spot.Variant)),
			cmp.Compare(slices.Index(nets, a.Spot.Net), slices.Index(nets, b.Spot.Net)),
			cmp.Compare(a.Spot.Net, b.Spot.Net),
		)
	})
	for _, f := range sorted {
		if c := g.column(f.Spot); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}
