package compare

import "strings"

// A Direction says which way a unit is better.
type Direction int

// The directions.
const (
	Lower   Direction = -1
	Unknown Direction = 0
	Higher  Direction = 1
)

// A kind is what is known of a unit.
type kind struct {
	better Direction
	exact  bool // cannot vary between runs of one program
}

// known are the units that no rule below covers, in the form that the reader of
// benchmarks gives them: time in seconds. Files may say more of their units, or
// other things, in lines such as "Unit msgs better=lower assume=exact".
var known = map[string]kind{
	"B/op":           {better: Lower},
	"allocs/op":      {better: Lower},
	"B/process":      {better: Lower},
	"B/receiver":     {better: Lower},
	"sim-datagrams":  {Lower, true},
	"sim-packets":    {Lower, true},
	"sim-events":     {Lower, true},
	"sim-queries":    {Lower, true},
	"sim-depth":      {Lower, true},
	"sim-trace-hash": {Unknown, true},
}

// kindOf returns what is known of a unit: by the table, or since times are better
// short and rates high.
func kindOf(unit string) kind {
	if k, ok := known[unit]; ok {
		return k
	}
	amount, per, _ := strings.Cut(unit, "/")
	switch {
	case per == "s" || per == "sec" || per == "cpu-s":
		return kind{better: Higher}
	case amount == "sec" || strings.HasSuffix(amount, "-sec"):
		return kind{better: Lower}
	}
	return kind{}
}

// isTime reports whether values of a unit are seconds.
func isTime(unit string) bool {
	amount, _, _ := strings.Cut(unit, "/")
	return amount == "sec" || strings.HasSuffix(amount, "-sec")
}
