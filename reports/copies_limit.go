package reports

import (
	"fmt"

	"i3bench/internal/deliverylines"
	"i3bench/reports/chart"
)

const limitTitle = "Copies sent, against the same loop in C"

// limitSection holds the forms in which we send against the least that they cost.
func limitSection(r *Result) Section {
	sent := newCopiesRun(deliverylines.Sent, true, r.Select(StageCopies, KindCopiesSent))
	s := Section{ID: "limit", Title: limitTitle, Stage: StageCopies}
	if len(sent.limits()) == 0 {
		s.Absent = "No file of another run had these: `make delivery` writes one for `bench micro --from`."
		return s
	}
	s.Text = []string{"Of another run, read from a file. Our sender and a loop in C make the same system calls to a " +
		"device that drops what it gets: trains of datagrams that the kernel cuts, or many datagrams a call (sendmmsg). " +
		"Classes is sendmmsg sorted by ways out of the host."}
	s.Figures = []Figure{sent.limitFigure()}
	return s
}

func (r copiesRun) limitFigure() Figure {
	c := chart.Chart{
		Title: "Share of the C loop's copies a second of processor time",
		Desc: "Our sender's copies for a second of processor time as a share of those of a loop in C, against the number " +
			"of addresses, which is on a logarithmic axis.",
		Y: chart.Axis{Label: "Go / C"},
	}
	var fans []int64
	for _, fan := range r.results.Fans(r.kind) {
		fans = append(fans, int64(fan))
	}
	c.X = fanAxis(fans, "addresses")
	t := Table{Caption: c.Title + ": median (lowest to highest round)", Columns: []Column{text("form")}}
	for _, fan := range fans {
		t.Columns = append(t.Columns, number(count(fan)+" addresses"))
	}
	for i, row := range r.limits() {
		name := fmt.Sprintf("%s, %d B", row.form, row.size)
		series, cells := seriesLook(i, chart.Series{Name: name, Shape: chart.Both, Dashed: true}), []string{name}
		for _, fan := range fans {
			share, cell := r.ofC(row, int(fan)), "-"
			if share.Measured() {
				cell = fmt.Sprintf("%s (%s–%s)", num(share.Median), num(share.Low), num(share.High))
				series.Points = append(series.Points, chart.Point{X: float64(fan), Y: share.Median})
			}
			cells = append(cells, cell)
		}
		c.Series, t.Rows = append(c.Series, series), append(t.Rows, cells)
	}
	return Figure{ID: "limit", Chart: c, Table: t}
}

// fanAxis is a logarithmic axis of receivers or addresses, on whose edge no point stands.
func fanAxis(fans []int64, label string) chart.Axis {
	a := sizeAxis(fans)
	a.Label = label
	a.Min, a.Max = 0.8*float64(fans[0]), 1.6*float64(fans[len(fans)-1])
	return a
}
