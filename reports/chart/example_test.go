package chart_test

import (
	"fmt"
	"strings"

	"i3bench/reports/chart"
)

// A chart is data; SVG draws it.
func Example() {
	c := chart.Chart{
		Title: "Latency by percentile",
		Desc:  "Latency in milliseconds up to the 99.9th percentile.",
		X:     chart.Axis{Label: "percentile", Scale: chart.Nines},
		Y:     chart.Axis{Label: "latency (ms)", Scale: chart.Log},
		Series: []chart.Series{{Name: "join", Ink: chart.Blue, Points: []chart.Point{
			{X: 0, Y: 1}, {X: 0.5, Y: 2}, {X: 0.99, Y: 7}, {X: 0.999, Y: 40},
		}}},
	}
	svg, err := c.SVG("latency")
	fmt.Println(strings.HasPrefix(svg, "<svg "), strings.Contains(svg, ">0.99</text>"), err)
	// Output: true true <nil>
}
