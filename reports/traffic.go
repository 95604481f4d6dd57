package reports

import (
	"fmt"

	"i3bench/reports/chart"
)

// trafficClasses are what packets are for, in the order of the report.
var trafficClasses = []string{TrafficData, TrafficRefresh, TrafficHeartbeat, TrafficRepair, TrafficOther}

// A TrafficRow says what the packets of a group at rest are for.
type TrafficRow struct {
	Rate      int   // packets that the source sends per second
	Receivers int64 // of the group
	Seconds   float64
	Packets   map[string]float64 // by class
	Bytes     map[string]float64
}

// SummarizeTraffic computes the rows from samples of [KindPackets] and [KindBytes],
// ascending by rate.
func SummarizeTraffic(packets, bytes []Sample) (rows []TrafficRow) {
	rates, groups := grouped(packets, byLevel)
	_, sizes := grouped(bytes, byLevel)
	for _, rate := range rates {
		first := groups[rate][0]
		row := TrafficRow{Rate: rate, Receivers: first.N, Seconds: float64(first.StartNS) / 1e9}
		row.Packets, row.Bytes = sumByGroup(groups[rate]), sumByGroup(sizes[rate])
		rows = append(rows, row)
	}
	return rows
}

// sumByGroup sums values.
func sumByGroup(samples []Sample) map[string]float64 {
	sums := make(map[string]float64)
	for i := range samples {
		sums[samples[i].Group] += samples[i].Value
	}
	return sums
}

// classShare returns the part of the sum that is of a class.
func classShare(sums map[string]float64, class string) float64 {
	all := 0.0
	for _, v := range sums {
		all += v
	}
	return sums[class] / all
}

func trafficSection(r *Result) Section {
	s := Section{ID: "traffic", Title: "How much of the traffic is refresh", Stage: StageTraffic}
	rows := SummarizeTraffic(r.Select(StageTraffic, KindPackets), r.Select(StageTraffic, KindBytes))
	if len(rows) == 0 {
		return absent(s.ID, s.Title, s.Stage)
	}
	s.Text = []string{"Every packet that a node or a host of a group at rest receives, in virtual time: nobody joins or " +
		"leaves, and nothing is lost. Refresh is what hosts ask of nodes to keep triggers alive, the answers, and the news " +
		"down the tree that spares others the same refresh. Their number does not depend on the data: what share they are " +
		"is a matter of how much is sent."}
	s.Tables = []Table{trafficTable(rows)}
	s.Figures = []Figure{trafficChart(rows)}
	for _, row := range rows {
		s.Findings = append(s.Findings, Finding{
			ID: "traffic", What: fmt.Sprintf("share of refreshes in the packets, at %d/s", row.Rate), Paper: "-",
			Ours: percent(classShare(row.Packets, TrafficRefresh)), Verdict: Verdict{NotJudged, "shown"},
		})
		all := 0.0
		for _, v := range row.Packets {
			all += v
		}
		s.Bench = append(s.Bench, BenchLine{fmt.Sprintf("Traffic/rate=%d", row.Rate), int(all), []BenchValue{
			{classShare(row.Packets, TrafficRefresh), "refresh-share"},
			{row.Packets[TrafficRefresh] / row.Seconds / float64(row.Receivers), "refresh/receiver-s"},
		}})
	}
	return s
}

func trafficTable(rows []TrafficRow) Table {
	t := Table{Caption: "What packets are for, by packets that the source sends per second", Columns: []Column{
		text("packets/s sent"), number("receivers"), number("packets/s received"),
	}}
	for _, class := range trafficClasses {
		t.Columns = append(t.Columns, number(class))
	}
	t.Columns = append(t.Columns, number("refresh, of bytes"), number("refreshes a receiver and s"))
	for _, row := range rows {
		all := 0.0
		for _, v := range row.Packets {
			all += v
		}
		cells := []string{count(row.Rate), count(row.Receivers), num(all / row.Seconds)}
		for _, class := range trafficClasses {
			cells = append(cells, percent(classShare(row.Packets, class)))
		}
		t.Rows = append(t.Rows, append(cells, percent(classShare(row.Bytes, TrafficRefresh)),
			num(row.Packets[TrafficRefresh]/row.Seconds/float64(row.Receivers))))
	}
	return t
}

func trafficChart(rows []TrafficRow) Figure {
	c := chart.Chart{
		Title: "Share of refreshes in the traffic",
		Desc: "Part of the packets, and of their bytes, that keeps triggers alive, against the packets that the source " +
			"sends per second.",
		X: chart.Axis{Label: "packets sent per second", Scale: chart.Log},
		Y: shareAxis("traffic"),
	}
	t := Table{Caption: "Share of refreshes", Columns: []Column{
		text("packets/s sent"), number("of packets"), number("of bytes"),
	}}
	packets := chart.Series{Name: "of packets", Ink: ink(0), Shape: chart.Both}
	bytes := chart.Series{Name: "of bytes", Ink: ink(1), Shape: chart.Both, Dashed: true}
	for _, row := range rows {
		p, b := classShare(row.Packets, TrafficRefresh), classShare(row.Bytes, TrafficRefresh)
		packets.Points = append(packets.Points, chart.Point{X: float64(row.Rate), Y: p})
		bytes.Points = append(bytes.Points, chart.Point{X: float64(row.Rate), Y: b})
		t.Rows = append(t.Rows, []string{count(row.Rate), percent(p), percent(b)})
	}
	c.Series = []chart.Series{packets, bytes}
	return Figure{ID: "traffic-chart", Chart: c, Table: t}
}
