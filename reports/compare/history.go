package compare

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"i3bench/reports"
)

// A Run is one run of a history.
type Run struct {
	Dir    string    `json:"dir"`
	When   time.Time `json:"when"`
	Commit string    `json:"commit"`
	side   *Side
}

// A Track is one row over the runs that have it, oldest first.
type Track struct {
	Key
	Points  []Point       `json:"points"`
	Changes []ChangePoint `json:"changes"`

	unit  string
	exact bool
}

// A Point is the median of a row in a run.
type Point struct {
	Run   int    `json:"run"` // index into the history's runs
	Value Figure `json:"value"`
}

// A ChangePoint is where a track changes.
type ChangePoint struct {
	Point  int    `json:"point"`  // index of the first point after it
	Before Figure `json:"before"` // median of the segment that ends here
	After  Figure `json:"after"`  // of that which begins
}

// A History is runs over time and how each row went.
type History struct {
	Runs   []Run   `json:"runs"`
	Tracks []Track `json:"tracks"`
	Alpha  float64 `json:"alpha"`  // of each split
	Effect float64 `json:"effect"` // least change that counts
}

// NewHistory reads result directories and looks for changes; zero options mean an
// alpha of 0.01 and an effect of 0.05. Rows that cannot vary change wherever they
// differ from the run before. It returns an error that names the first directory
// that cannot be read.
func NewHistory(dirs []string, alpha, effect float64) (*History, error) {
	h := &History{Alpha: alpha, Effect: effect}
	if alpha == 0 {
		h.Alpha = 0.01
	}
	if effect == 0 {
		h.Effect = 0.05
	}
	for _, dir := range dirs {
		r, err := reports.Open(dir)
		if err != nil {
			return nil, err
		}
		side, err := Read(dir)
		if err != nil {
			return nil, err
		}
		h.Runs = append(h.Runs, Run{Dir: dir, When: r.Manifest.Started, Commit: r.Manifest.Commit, side: side})
	}
	slices.SortStableFunc(h.Runs, func(a, b Run) int { return a.When.Compare(b.When) })
	h.track()
	return h, nil
}

// track makes the tracks, those with changes first.
func (h *History) track() {
	at := make(map[Key]int)
	for i := range h.Runs {
		for _, row := range h.Runs[i].side.rows {
			if _, ok := at[row.key]; !ok {
				at[row.key] = len(h.Tracks)
				h.Tracks = append(h.Tracks, Track{Key: row.key, unit: row.unit, exact: row.kind.exact})
			}
			t := &h.Tracks[at[row.key]]
			t.Points = append(t.Points, Point{i, newSample(row.values).Median})
		}
	}
	for i := range h.Tracks {
		h.Tracks[i].change(h.Alpha, h.Effect)
	}
	slices.SortStableFunc(h.Tracks, func(a, b Track) int {
		return cmp.Compare(min(len(b.Changes), 1), min(len(a.Changes), 1))
	})
}

// change looks for the changes of a track.
func (t *Track) change(alpha, effect float64) {
	values := make([]float64, len(t.Points))
	for i, p := range t.Points {
		values[i] = float64(p.Value)
	}
	cuts := steps(values)
	if !t.exact {
		cuts = Changes(values, alpha, effect)
	}
	t.Changes = []ChangePoint{}
	for i, cut := range cuts {
		before, after := around(values, 0, cuts, i)
		t.Changes = append(t.Changes, ChangePoint{cut, Figure(before), Figure(after)})
	}
}

// name says which run this is.
func (r *Run) name() string {
	return fmt.Sprintf("%s %.12s", r.When.UTC().Format(time.DateOnly), r.Commit)
}
