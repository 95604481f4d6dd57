package reports

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"i3bench/internal/tablelines"
)

// A MicroRow is what a look-up cost in one table of one size, over rounds.
type MicroRow struct {
	Group     string // as in the samples
	Elsewhere bool   // the row is of another run
	N         int64  // identifiers in the table
	Hit       int    // percent of look-ups that found something
	Times     []float64
	Busy      int // measurements that do not count, left out of Times
}

// Median returns the middle of the rounds that count, NaN if there is none.
func (m MicroRow) Median() float64 {
	if len(m.Times) == 0 {
		return math.NaN()
	}
	return tablelines.Median(m.Times)
}

// half is the larger of the distances from the median to the highest and to the lowest.
func (m MicroRow) half() float64 {
	return max(m.Times[len(m.Times)-1]-m.Median(), m.Median()-m.Times[0])
}

// SummarizeMicro collects the rounds of each row from samples of kind [KindLookup] and [KindLookupElsewhere]: ours in
// the order in which they were measured, then those of another run by name, and each of them by size.
func SummarizeMicro(own, elsewhere []Sample) []MicroRow {
	others := collectMicro(elsewhere)
	slices.SortStableFunc(others, func(a, b MicroRow) int { return cmp.Compare(a.Group, b.Group) })
	for i := range others {
		others[i].Elsewhere = true
	}
	return append(collectMicro(own), others...)
}

// collectMicro returns rows in the order in which those measured come up first, and of each many hits before few.
func collectMicro(samples []Sample) (out []MicroRow) {
	type key struct {
		group string
		n     int64
		hit   int
	}
	rows, first := make(map[key]int), make(map[string]int)
	for _, s := range samples {
		at := key{s.Group, s.N, s.Level}
		i, known := rows[at]
		if !known {
			i = len(out)
			rows[at] = i
			out = append(out, MicroRow{Group: s.Group, N: s.N, Hit: s.Level})
		}
		if _, known := first[s.Group]; !known {
			first[s.Group] = i
		}
		if s.Status == StatusBusy {
			out[i].Busy++
		} else {
			out[i].Times = append(out[i].Times, s.Value)
		}
	}
	for _, row := range out {
		slices.Sort(row.Times)
	}
	slices.SortFunc(out, func(a, b MicroRow) int {
		return cmp.Or(cmp.Compare(first[a.Group], first[b.Group]), cmp.Compare(b.Hit, a.Hit), cmp.Compare(a.N, b.N))
	})
	return out
}

// A microWho is one who was measured: a line of the tables and a series of the chart.
type microWho struct {
	group     string
	elsewhere bool
}

// String names who was measured as people read it.
func (w microWho) String() string {
	switch kernel, ours := strings.CutPrefix(w.group, GroupKernel); {
	case w.elsewhere:
		return w.group + " (other run)"
	case ours:
		return "matcher " + kernel
	case w.group == GroupMap:
		return "Go map"
	}
	return w.group
}

func (w microWho) isKernel() bool { return !w.elsewhere && strings.HasPrefix(w.group, GroupKernel) }

func (w microWho) isLimit() bool { return !w.elsewhere && w.group == GroupLimit }

// A microView is the rows of one share of hits.
type microView struct {
	hit  int
	rows []MicroRow
}

// microViews parts rows by their share of hits, the largest first.
func microViews(rows []MicroRow) (views []microView) {
	for _, row := range rows {
		i := slices.IndexFunc(views, func(v microView) bool { return v.hit == row.Hit })
		if i < 0 {
			i = len(views)
			views = append(views, microView{hit: row.Hit})
		}
		views[i].rows = append(views[i].rows, row)
	}
	slices.SortFunc(views, func(a, b microView) int { return cmp.Compare(b.hit, a.hit) })
	return views
}

// who returns who was measured, in the order of the rows.
func (v microView) who() (out []microWho) {
	for _, row := range v.rows {
		if w := (microWho{row.Group, row.Elsewhere}); !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// ours is the matcher with the best kernels, which are measured first; the zero value if it was not.
func (v microView) ours() microWho {
	for _, w := range v.who() {
		if w.isKernel() {
			return w
		}
	}
	return microWho{}
}

// sizes returns the numbers of identifiers, ascending.
func (v microView) sizes() (out []int64) {
	for _, row := range v.rows {
		out = append(out, row.N)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// at returns the row of one table of one size, without a time if there is none.
func (v microView) at(w microWho, n int64) MicroRow {
	for _, row := range v.rows {
		if (microWho{row.Group, row.Elsewhere}) == w && row.N == n {
			return row
		}
	}
	return MicroRow{Group: w.group, Elsewhere: w.elsewhere, N: n, Hit: v.hit}
}

// ratio returns how many times as long as ours one takes, NaN if either was not measured.
func (v microView) ratio(w microWho, n int64) float64 {
	return v.at(w, n).Median() / v.at(v.ours(), n).Median()
}

// span returns the smallest and the largest number of identifiers at which ours was measured.
func (v microView) span() (small, large int64) {
	for _, n := range v.sizes() {
		if math.IsNaN(v.at(v.ours(), n).Median()) {
			continue
		}
		if small == 0 {
			small = n
		}
		large = n
	}
	return small, large
}
