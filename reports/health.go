package reports

// Limits of the platform's and the runtime's health.
const (
	// stealLimit and dropLimit are where a run is worth a second look. They make none
	// INVALID: what stolen time does to the figures shows in lateness and hiccups, and
	// datagrams are lost in sockets of the system, too, which is a result.
	stealLimit = 0.05
	dropLimit  = 0.001
)

// A Health says how platform and runtime behaved while load was offered; by group of
// [KindHealth].
type Health map[string]HealthValue

// A HealthValue is one figure of a [Health].
type HealthValue struct {
	N     int64 // how often it was looked at
	Value float64
}

// health returns that of a stage; empty if the run did not watch it.
func (r *Result) health(stage string) Health {
	h := make(Health)
	for _, s := range r.Select(stage, KindHealth) {
		h[s.Group] = HealthValue{s.N, s.Value}
	}
	return h
}

// A healthCheck is one line of the self-check.
type healthCheck struct {
	name, group string
	limit       float64
	write       func(v HealthValue) string
	limitText   string
	fatal       bool // beyond the limit the run is INVALID
}

// checks are those of a generator that may be so late, in nanoseconds.
func (h Health) checks(late float64) []healthCheck {
	ns := func(v HealthValue) string { return duration(v.Value) }
	part := func(v HealthValue) string { return percent(v.Value) }
	lateText := plain(late/1e6) + " ms"
	return []healthCheck{
		{"platform hiccups, p99", HealthHiccupP99, late, ns, lateText, true},
		{"platform hiccups, longest", HealthHiccupMax, 10 * late, ns, plain(late/1e5) + " ms", false},
		{"longest pause of the collector", HealthPause, late, ns, lateText, false},
		{"processor time stolen", HealthSteal, stealLimit, part, percent(stealLimit), false},
		{"datagrams lost in sockets", HealthDrops, dropLimit, func(v HealthValue) string {
			return count(int64(v.Value)) + " of " + count(v.N)
		}, percent(dropLimit), false},
	}
}

// beyond reports whether a figure is beyond the limit of its check.
func (c healthCheck) beyond(v HealthValue) bool {
	if c.group == HealthDrops {
		return v.Value > c.limit*float64(v.N)
	}
	return v.Value > c.limit
}

// invalid says what of the platform makes the run say nothing about the system, or
// nothing.
func (h Health) invalid(late float64) string {
	for _, c := range h.checks(late) {
		if v, ok := h[c.group]; ok && c.fatal && c.beyond(v) {
			return c.name + " " + c.write(v) + ", allowed " + c.limitText
		}
	}
	return ""
}

// rows are the lines of the self-check about platform and runtime. What judges a run
// of load only asks for a second look at a search, whose trials are judged one by one.
func (h Health) rows(late float64, search bool) (rows [][]string) {
	for _, c := range h.checks(late) {
		v, ok := h[c.group]
		verdict := "ok"
		switch {
		case !ok:
			continue
		case c.beyond(v) && c.fatal && !search:
			verdict = "INVALID"
		case c.beyond(v):
			verdict = "look twice"
		}
		rows = append(rows, []string{c.name, c.write(v), "≤ " + c.limitText, verdict})
	}
	return rows
}

// checkTable is the table of a self-check.
func checkTable(rows [][]string) Table {
	return Table{
		Caption: "Self-check of generator and platform",
		Columns: []Column{text("what"), number("measured"), number("limit"), text("verdict")},
		Rows:    rows,
	}
}

// healthText says how to read what is said of the platform.
const healthText = "Hiccups are how late sleeps of a millisecond ended on a thread that does nothing else: a " +
	"stall of the machine shows there, one of the system does not. A p99 of the hiccups above the limit of the lateness " +
	"makes the run INVALID; the other limits ask for a second look. One process has one clock: there is no offset."
