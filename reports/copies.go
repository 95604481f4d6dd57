package reports

import (
	"slices"
	"strings"

	"i3bench/internal/deliverylines"
)

// A copiesRun is what one run of the data path's measurements has of one kind. Only those of a run are compared.
type copiesRun struct {
	kind      deliverylines.Kind
	elsewhere bool
	results   deliverylines.Results
	who       []string // in the order in which they were measured
}

// newCopiesRun collects samples, whose rounds are in order. One in which nothing arrived has no rate to be compared.
func newCopiesRun(kind deliverylines.Kind, elsewhere bool, samples []Sample) copiesRun {
	r := copiesRun{kind: kind, elsewhere: elsewhere, results: make(deliverylines.Results)}
	for _, s := range samples {
		if s.Value <= 0 {
			continue
		}
		row := deliverylines.Row{Kind: kind, Who: s.Group, Fan: int(s.N), Size: s.Level}
		r.results[row] = append(r.results[row], s.Value)
		if !slices.Contains(r.who, s.Group) {
			r.who = append(r.who, s.Group)
		}
	}
	return r
}

// of returns the rate of one who was measured.
func (r copiesRun) of(who string, fan, size int) deliverylines.Spread {
	return r.results.Of(deliverylines.Row{Kind: r.kind, Who: who, Fan: fan, Size: size})
}

// ahead returns how many times as much one delivers as another.
func (r copiesRun) ahead(ours, other string, fan, size int) deliverylines.Spread {
	return r.results.Ratio(deliverylines.Row{Kind: r.kind, Who: ours, Fan: fan, Size: size},
		deliverylines.Row{Kind: r.kind, Who: other, Fan: fan, Size: size})
}

// ourCopies is whom others are compared with: our node with receivers of ours.
const ourCopies = deliverylines.Node + deliverylines.GRO

// copiesName names one who was measured as people read it.
func copiesName(who string, elsewhere bool) string {
	base, gro := strings.CutSuffix(who, deliverylines.GRO)
	name, known := map[string]string{
		deliverylines.Node: "node", "node-shared": "node without trains", deliverylines.Single: "node with single datagrams",
		deliverylines.Plain: "Go write per copy", deliverylines.Batch: "x/net sendmmsg", deliverylines.NATS: "NATS",
		deliverylines.NATSDeep: "NATS with deep queue",
	}[base]
	if !known {
		name = base
	}
	if gro {
		name += " → GRO"
	}
	if elsewhere {
		name += " (other run)"
	}
	return name
}

// A limitRow is a form in which we send packets of one size.
type limitRow struct {
	form string
	size int
}

// limits returns what was held against the same loop in C.
func (r copiesRun) limits() (out []limitRow) {
	for _, who := range r.who {
		if strings.Contains(who, " ") { // another's
			continue
		}
		for _, size := range r.results.Sizes(r.kind) {
			row := limitRow{who, size}
			if slices.ContainsFunc(r.results.Fans(r.kind), func(fan int) bool { return r.ofC(row, fan).Measured() }) {
				out = append(out, row)
			}
		}
	}
	return out
}

// ofC returns the share of the same loop in C that a form reaches.
func (r copiesRun) ofC(row limitRow, fan int) deliverylines.Spread {
	return r.ahead(row.form, row.form+deliverylines.OfC, fan, row.size)
}
