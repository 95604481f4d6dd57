package reports

import "fmt"

const nodesTitle = "What the nodes of a group have to do"

// nodesSection shows the figures from which bench plan scales up.
func nodesSection(r *Result) Section {
	s := Section{ID: "nodes", Title: nodesTitle, Stage: StageNodes}
	if len(r.Select(StageNodes, KindDepthMean)) == 0 {
		return absent(s.ID, s.Title, s.Stage)
	}
	s.Text = []string{
		"Counted in virtual time, for bench plan. Local: the share of the ways from an identifier to one below it that " +
			"stay in a node. Busiest: copies of the busiest node over the mean. At rest: for each receiver and second. A " +
			"join: packets and copies of nodes for a receiver that joins and leaves, beside what is done at rest.",
	}
	type key struct {
		group    string
		n, nodes int64
	}
	rows, keys := make(map[key]map[string][]float64), []key(nil)
	for _, kind := range nodesKinds {
		for _, x := range r.Select(StageNodes, kind) {
			k := key{x.Group, x.N, int64(x.Host)}
			if rows[k] == nil {
				rows[k] = make(map[string][]float64)
				keys = append(keys, k)
			}
			rows[k][kind] = append(rows[k][kind], x.Value)
		}
	}
	t := Table{
		Caption: nodesTitle + ": " + cellNote,
		Columns: []Column{
			text("group"), number("receivers"), number("nodes"), number("level"), number("local"), number("busiest"),
			number("triggers"), number("requests at rest"), number("copies at rest"), number("a join"),
		},
	}
	for _, k := range keys {
		row := []string{k.group, count(k.n), count(k.nodes)}
		for _, kind := range nodesKinds {
			row = append(row, NewEstimate(rows[k][kind]).cell(num))
		}
		t.Rows = append(t.Rows, row)
		name := fmt.Sprintf("Nodes/group=%s/receivers=%d/nodes=%d", pathPart(k.group), k.n, k.nodes)
		s.Bench = append(s.Bench, BenchLine{name, len(rows[k][KindHottest]), []BenchValue{
			{Mean(rows[k][KindHottest]), "busiest/mean"}, {Mean(rows[k][KindRestCopies]), "rest-copies/s"},
			{Mean(rows[k][KindJoinPackets]), "packets/join"},
		}})
	}
	s.Tables = []Table{t}
	return s
}
