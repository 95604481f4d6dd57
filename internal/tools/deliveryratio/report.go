package main

import (
	"fmt"
	"strings"

	"i3bench/internal/deliverylines"
)

// titles say what is counted.
var titles = map[deliverylines.Kind]string{
	deliverylines.Delivered: "delivered for a second of the sender's processor time, on loopback",
	deliverylines.Sent:      "sent to a device that drops, for a second of processor time",
}

// report returns a table for each kind: a line for each comparison and size of payload, a column for each number of
// receivers.
func report(r deliverylines.Results) string {
	var out strings.Builder
	for _, kind := range []deliverylines.Kind{deliverylines.Delivered, deliverylines.Sent} {
		fans := r.Fans(kind)
		if len(fans) == 0 {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "%s:\n%-44s", titles[kind], "  ratio of medians (lowest-highest round)")
		for _, fan := range fans {
			fmt.Fprintf(&out, " %18s", fmt.Sprintf("fan=%d", fan))
		}
		out.WriteString("\n")
		for _, c := range deliverylines.Comparisons() {
			if c.Kind == kind {
				compare(&out, r, c, fans)
			}
		}
	}
	return out.String()
}

// compare writes the lines of a comparison, but not of sizes of which nothing was measured.
func compare(out *strings.Builder, r deliverylines.Results, c deliverylines.Comparison, fans []int) {
	for _, size := range r.Sizes(c.Kind) {
		line, empty := fmt.Sprintf("%-44s", fmt.Sprintf("%s, %d B", c.Name, size)), true
		for _, fan := range fans {
			s := r.At(c, fan, size)
			empty = empty && !s.Measured()
			line += fmt.Sprintf(" %18s", cell(s))
		}
		if !empty {
			fmt.Fprintln(out, line)
		}
	}
}

func cell(s deliverylines.Spread) string {
	if !s.Measured() {
		return "-"
	}
	digits := 2
	if s.High >= 10 {
		digits = 1
	}
	return fmt.Sprintf("%.*f (%.*f-%.*f)", digits, s.Median, digits, s.Low, digits, s.High)
}
