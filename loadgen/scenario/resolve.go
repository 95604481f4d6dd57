package scenario

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"i3bench/internal/prng"
	"i3bench/loadgen"
)

// A Span is a phase with its times resolved.
type Span struct {
	Name    string
	Begin   time.Duration // since the first operation may be due
	For     time.Duration
	Streams []*Planned
}

// A Planned is a stream whose plan can be opened. It may be shared; plans may not.
type Planned struct {
	// Title says the schedule and the kinds in a few words.
	Title string
	// Kinds are those of which there are operations.
	Kinds []string
	open  func() (loadgen.Plan, error)
}

// Open returns a plan of the stream, whose times count from the begin of its phase.
// It does not fail on what [Scenario.Resolve] returned.
func (p *Planned) Open() (loadgen.Plan, error) { return p.open() }

// Resolve returns the phases with their plans, from a seed that is used if the
// scenario has none of its own. All plans were opened once to be checked.
func (s *Scenario) Resolve(seed uint64) ([]Span, error) {
	if s.Seed != 0 {
		seed = s.Seed
	}
	var spans []Span
	at := time.Duration(0)
	for i, p := range s.Phases {
		span := Span{Name: p.Name, Begin: at, For: s.short(p.For)}
		if span.Name == "" {
			span.Name = fmt.Sprint(i)
		}
		for k := range p.Load {
			planned := s.plan(&p.Load[k], span.For, prng.Hash3(seed, uint64(i), uint64(k), 0))
			if _, err := planned.Open(); err != nil {
				return nil, fmt.Errorf("phases.%s.load.%d: %w", span.Name, k, err)
			}
			span.Streams = append(span.Streams, planned)
		}
		at += span.For
		spans = append(spans, span)
	}
	return spans, nil
}

// short returns a time of the scenario as it is carried out.
func (s *Scenario) short(d time.Duration) time.Duration {
	return max(1, time.Duration(float64(d)/s.Shorten))
}

// plan resolves a stream.
func (s *Scenario) plan(st *Stream, length time.Duration, seed uint64) *Planned {
	if st.Schedule == "trace" {
		return &Planned{Title: "trace " + st.File, Kinds: Kinds(), open: func() (loadgen.Plan, error) {
			t, err := loadgen.ReadTrace(st.File, bytes.NewReader(st.trace), Kinds())
			if err != nil {
				return nil, err
			}
			return t.Faster(s.Shorten).Before(length), nil
		}}
	}
	if st.Schedule == "sessions" {
		var arrivals loadgen.Profile = loadgen.Poisson{Rate: st.Rate, For: length, Seed: prng.Hash3(seed, 1, 0, 0)}
		if st.Arrivals == "constant" {
			arrivals = loadgen.Constant{Rate: st.Rate, For: length}
		}
		sessions := loadgen.Sessions{
			Arrivals: arrivals, Join: Join, Leave: Leave, For: length, Seed: seed,
			Length: loadgen.Lengths{
				Distribution: loadgen.Distribution(st.Distribution), Typical: s.short(st.Typical), Spread: st.Spread,
			},
		}
		return &Planned{Title: "sessions", Kinds: []string{Join, Leave}, open: sessions.Open}
	}
	mix := loadgen.Mix{Profile: s.profile(st, length, seed), Seed: seed, Members: uint64(s.Cluster.Standing)}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(st.Mix)) {
		if st.Mix[kind] > 0 {
			kinds = append(kinds, kind)
		}
		mix.Weights = append(mix.Weights, loadgen.Weight{Kind: kind, Weight: st.Mix[kind]})
	}
	return &Planned{Title: st.Schedule + " of " + strings.Join(kinds, " "), Kinds: kinds, open: mix.Open}
}

// profile returns the times of a stream with a mix. Rates are not shortened: a
// shortened scenario offers the same load for less time.
func (s *Scenario) profile(st *Stream, length time.Duration, seed uint64) loadgen.Profile {
	switch st.Schedule {
	case "ramp":
		return loadgen.Ramp{From: st.From, To: st.To, For: length}
	case "poisson":
		return loadgen.Poisson{Rate: st.Rate, For: length, Seed: prng.Hash3(seed, 1, 0, 0)}
	case "steps":
		return loadgen.Steps{From: st.From, To: st.To, Steps: st.Steps, For: length}
	case "bursts":
		return loadgen.Bursts{
			Rate: st.Rate, Burst: st.Burst, Every: s.short(st.Every), Length: s.short(st.Length), For: length,
		}
	case "diurnal":
		return loadgen.Diurnal{Low: st.Low, High: st.High, Period: s.short(st.Period), For: length}
	}
	return loadgen.Constant{Rate: st.Rate, For: length}
}
