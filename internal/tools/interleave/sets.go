package main

import (
	"maps"
	"slices"
)

// A bench is benchmarks of one package.
type bench struct {
	pkg, run string
	exact    bool // the same in every run: two are enough, of one iteration each
}

// join is what the simulator counts.
var join = bench{"testbed", "^BenchmarkCounts$", true}

// lookup is what a look-up costs.
var lookup = bench{pkg: "matcher", run: "^BenchmarkMatch$/^n=(1e3|1e5)$/^hit=100$/^keys=uniform$"}

// sets are what may be measured, by name.
var sets = map[string][]bench{
	"gate": {
		join,
		lookup,
		{pkg: "i3", run: "^BenchmarkCodec$"},
		{pkg: "i3/node", run: "^BenchmarkForward$/^target=host$/^D=8$/^batch=64$"},
		{pkg: "sim", run: "^BenchmarkEngine$/^processes=16384$/^engine=windows$/^workers=1$"},
	},
	"counts": {join},
	"lookup": {lookup},
}

func setNames() []string { return slices.Sorted(maps.Keys(sets)) }
