package main

import (
	"strings"
	"testing"
)

const profile = `mode: set
m/i3/id.go:1.1,2.2 8 1
m/i3/id.go:3.1,4.2 2 0
m/i3/node/node.go:1.1,2.2 79 0
m/i3/node/node.go:1.1,2.2 79 1
m/i3/node/node.go:3.1,4.2 21 0
`

func TestJudge(t *testing.T) {
	shares, err := read(strings.NewReader(profile))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name     string
		floor    float64
		packages []string
		ok       bool
		want     string
	}{
		{"at the floor", 80, []string{"m/i3"}, true, "80.0 % of 10 statements\n"},
		{"below it", 80, []string{"m/i3", "m/i3/node"}, false, "79.0 % of 100 statements, below 80 %"},
		{"merged", 79, []string{"m/i3/node"}, true, "79.0 % of 100 statements\ncovered: node 79.0 %; floor 79 %\n"},
		{"not measured", 80, []string{"m/i3", "m/i3/host"}, false, "not in the profile"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if ok := judge(&out, shares, c.floor, c.packages); ok != c.ok {
				t.Errorf("coverfloor: judged %t, want %t", ok, c.ok)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("coverfloor: %q is missing from\n%s", c.want, &out)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ profile, want string }{
		{"mode: set\nm/a.go:1.1,2.2 1\n", "line 2: \"m/a.go:1.1,2.2 1\" has 2 fields"},
		{"mode: set\nm/a.go:1.1,2.2 one 1\n", "line 2: statements \"one\", want a number"},
	} {
		if _, err := read(strings.NewReader(c.profile)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("coverfloor: error %v, want one with %q", err, c.want)
		}
	}
}
