package live

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Widths.
const (
	mostWidth  = 132 // of a screen; more is not used
	sparkWidth = 16  // of a history
)

// A screen draws snapshots as text. It keeps the last percentiles of each kind of operation.
type screen struct {
	width int
	color bool
	past  map[string][]float64 // p99 of the last snapshots, by kind
}

// The colours of a screen.
const (
	plain = ""
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	green = "\x1b[32m"
	red   = "\x1b[31m"
	reset = "\x1b[0m"
)

// A cell is a piece of a line in one colour.
type cell struct{ text, color string }

// note keeps what is drawn of a snapshot beside later ones.
func (s *screen) note(snap Snapshot) {
	if snap.Load == nil {
		s.past = nil
		return
	}
	if snap.Load.Over {
		return // its percentiles are of all
	}
	if s.past == nil {
		s.past = make(map[string][]float64)
	}
	for _, o := range snap.Load.Operations {
		p := append(s.past[o.Kind], float64(o.Recent.P99))
		s.past[o.Kind] = p[max(0, len(p)-sparkWidth):]
	}
}

// draw returns the lines of a snapshot, none wider than the screen.
func (s *screen) draw(snap Snapshot) []string {
	lines := [][]cell{s.head(snap)}
	if l := snap.Load; l != nil {
		lines = append(lines, s.table(operationColumns(l.Operations, s.past))...)
		lines = append(lines, s.table(levelColumns(l.Levels))...)
		lines = append(lines, s.items("refresh", refreshItems(l.Refresh))...)
		lines = append(lines, s.items("generator", generatorItems(l.Generator))...)
		lines = append(lines, s.items("nodes", nodeItems(l.Nodes))...)
	}
	if snap.Ended != "" {
		lines = append(lines, []cell{{"run " + snap.Ended, bold}, {"  report: " + snap.Report, plain}})
	}
	text := make([]string, len(lines))
	for i, l := range lines {
		text[i] = s.line(l)
	}
	return text
}

// head is the first line: what is run, how far it is, and whether it is valid.
func (s *screen) head(snap Snapshot) []cell {
	l := snap.Load
	if l == nil {
		return []cell{{snap.Title, bold}, {"  " + snap.Doing, plain}}
	}
	color := green
	if l.Generator.Verdict != "VALID" {
		color = red
	}
	verdict, _, _ := strings.Cut(l.Generator.Verdict, ":")
	phase := "  " + snap.Phase
	if snap.Phase == snap.Title {
		phase = ""
	}
	return []cell{
		{snap.Title, bold}, {phase, plain}, {"  " + clock(l.At) + " / " + clock(l.For) + "  ", plain}, {verdict, color},
	}
}

// line writes cells, cut at the screen's edge.
func (s *screen) line(cells []cell) string {
	var b strings.Builder
	left := s.wide()
	for _, c := range cells {
		text := cut(c.text, left)
		left -= utf8.RuneCountInString(text)
		if s.color && c.color != "" && text != "" {
			text = c.color + text + reset
		}
		b.WriteString(text)
	}
	return strings.TrimRight(b.String(), " ")
}

// wide is the width that is used.
func (s *screen) wide() int { return min(max(s.width, 1), mostWidth) }

// cut returns the first n characters of a text; what no terminal should see is a question mark.
func cut(text string, n int) string {
	count := 0
	return strings.Map(func(r rune) rune {
		count++
		switch {
		case count > n:
			return -1
		case !strconv.IsPrint(r):
			return '?'
		}
		return r
	}, text)
}

// A column is one of a table: the head and a text for each row. The first is aligned to the left.
type column struct {
	head  string
	cells []string
	color string // of cells that are not 0
}

// width is that of the widest text.
func (c column) width() (w int) {
	for _, text := range append(c.cells, c.head) {
		w = max(w, utf8.RuneCountInString(text))
	}
	return w
}

// table lays out columns, as many of the first as there is room for.
func (s *screen) table(columns []column) [][]cell {
	if len(columns) == 0 {
		return nil
	}
	lines := make([][]cell, 1+len(columns[0].cells))
	used := 0
	for i, c := range columns {
		w := c.width()
		if used += w + 2; used-2 > s.wide() {
			break
		}
		for row := range lines {
			text, color := c.head, dim
			if row > 0 {
				text, color = c.cells[row-1], c.color
			}
			if text == "0" {
				color = plain
			}
			pad := strings.Repeat(" ", w-utf8.RuneCountInString(text))
			if i == 0 {
				text += pad
			} else {
				text = "  " + pad + text
			}
			lines[row] = append(lines[row], cell{text, color})
		}
	}
	return lines
}

// operationColumns is the table of operations: what matters most first.
func operationColumns(ops []Operation, past map[string][]float64) []column {
	columns := []column{
		{head: "operation"}, {head: "offered/s"}, {head: "done/s"}, {head: "p50"}, {head: "p99"},
		{head: "in flight"}, {head: "failed", color: red}, {head: "p99 by and by"}, {head: "sent/s"}, {head: "p99.9"},
		{head: "max"}, {head: "p99 so far"}, {head: "done"},
	}
	for _, o := range ops {
		r := o.Recent
		for i, text := range []string{
			o.Kind, digits(o.OfferedRate), digits(o.DoneRate), r.text(r.P50), r.text(r.P99), whole(o.InFlight), whole(o.Failed),
			fmt.Sprintf("%*s", sparkWidth, sparkline(past[o.Kind])), digits(o.SentRate), r.text(r.P999), r.text(r.Max),
			o.Overall.text(o.Overall.P99), whole(o.Done),
		} {
			columns[i].cells = append(columns[i].cells, text)
		}
	}
	return columns
}

// text writes a percentile, if there is one.
func (l Latency) text(ns int64) string {
	if l.Count == 0 {
		return "-"
	}
	return duration(ns)
}

// levelColumns is the table of levels, one in each column.
func levelColumns(levels []Level) []column {
	columns := []column{{head: "level", cells: []string{"receivers", "queries/join", "messages/s"}}}
	for _, v := range levels {
		head := strconv.Itoa(v.Level)
		if v.Level == 0 {
			head = "none"
		}
		columns = append(columns, column{head: head, cells: []string{
			strconv.Itoa(v.Receivers), digits(v.PerJoin), digits(v.Rate),
		}})
	}
	return columns
}

// items lays out pieces of text behind a name, in as many lines as they need.
func (s *screen) items(name string, texts []string) [][]cell {
	const indent = 11
	var lines [][]cell
	used := 0
	for _, text := range texts {
		n := utf8.RuneCountInString(text)
		if len(lines) == 0 || used+2+n > s.wide() {
			head := ""
			if len(lines) == 0 {
				head = name
			}
			lines = append(lines, []cell{{fmt.Sprintf("%-*s", indent, head), dim}, {text, plain}})
			used = indent + n
			continue
		}
		last := len(lines) - 1
		lines[last] = append(lines[last], cell{"  " + text, plain})
		used += 2 + n
	}
	return lines
}

func refreshItems(r Refresh) []string {
	return []string{
		digits(r.PerTrigger) + " per trigger and T (" + digits(r.Lifetime) + " s)",
		digits(r.AtNodes) + " with other re-insertions", digits(r.Acks) + " acks per receiver and s",
	}
}

func generatorItems(g Generator) []string {
	items := []string{
		"late p99 " + duration(g.LateRecent), whole(g.Unsent) + " not sent", "GC " + duration(int64(g.GC*1e9)),
		"CPU " + percent(g.CPU),
	}
	if g.Steal != nil {
		items = append(items, "steal "+percent(*g.Steal))
	}
	if g.Verdict != "VALID" && g.Verdict != "" {
		items = append(items, g.Verdict)
	}
	return items
}

func nodeItems(n Nodes) []string {
	items := []string{fmt.Sprintf("%d with %s triggers", n.Nodes, whole(uint64(n.Triggers)))}
	if n.In != nil && n.Out != nil {
		items = append(items, "datagrams "+digits(*n.In)+"/s in, "+digits(*n.Out)+"/s out")
	}
	items = append(items, "packets "+digits(n.Packets)+"/s, copies "+digits(n.Copies)+"/s")
	if n.HottestOver > 0 {
		items = append(items, fmt.Sprintf("hottest %s x the mean (node %d)", digits(n.HottestOver), n.Hottest))
	}
	if n.Kernel != nil {
		items = append(items, whole(*n.Kernel)+" lost in UDP sockets of the machine")
	}
	items = append(items, digits(n.DropRate)+" drops/s")
	for _, cause := range slices.Sorted(maps.Keys(n.Drops)) {
		items = append(items, cause+" "+whole(n.Drops[cause]))
	}
	return items
}
