package coord

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"i3bench/internal/hist"
)

// A Member is an agent of a run.
type Member struct {
	Host string
	PID  int
	CPUs int
	// Clock is how far its clock is ahead of the coordinator's, and ClockError how far that may be off.
	Clock, ClockError time.Duration

	id     string
	state  State
	cause  string // of Failed
	missed int    // beats since its last report
	lost   bool
}

// String says where it is.
func (m Member) String() string { return fmt.Sprintf("%s pid %d", m.Host, m.PID) }

// A roster is what is known of the agents of a run. It reads no clock and is not safe for concurrent use.
type roster struct {
	version string
	want    int
	patient int // beats until a silent agent is lost; 0: as long as it takes
	members []*Member
	refused map[string]string // why an agent cannot take part, by its name
	live    map[string]*hist.Histogram
	bad     int // reports that made no sense
}

// hear takes a report.
func (r *roster) hear(rep report) {
	m := r.find(rep.Agent)
	if m == nil {
		if m = r.admit(rep); m == nil {
			return
		}
	}
	if m.lost {
		return // it was given up, and the run with it
	}
	m.missed, m.state, m.cause = 0, rep.State, rep.Error
	if len(rep.Live) > maxKinds {
		r.bad++
		return
	}
	for kind, data := range rep.Live {
		h, err := hist.Parse(data)
		if err != nil || r.live[kind] == nil && len(r.live) == maxKinds {
			r.bad++
			continue
		}
		if r.live[kind] == nil {
			r.live[kind] = new(hist.Histogram)
		}
		r.live[kind].Merge(h)
	}
}

// admit takes in an agent that is free, as long as there is room, or returns nil.
func (r *roster) admit(rep report) *Member {
	switch {
	case rep.Agent == "" || rep.State != Idle || len(r.members) >= r.want:
		return nil
	case rep.Version != r.version:
		if len(r.refused) < maxAgents {
			r.refused[rep.Agent] = fmt.Sprintf("agent on %s pid %d is of version %.40q, want %.40q", rep.Host, rep.PID,
				rep.Version, r.version)
		}
		return nil
	}
	m := &Member{Host: rep.Host, PID: rep.PID, CPUs: rep.CPUs, id: rep.Agent}
	r.members = append(r.members, m)
	return m
}

func (r *roster) find(id string) *Member {
	if i := slices.IndexFunc(r.members, func(m *Member) bool { return m.id == id }); i >= 0 {
		return r.members[i]
	}
	return nil
}

// beat counts a beat of the coordinator's. Before anybody has a part, who is silent is forgotten.
func (r *roster) beat(assigned bool) {
	for _, m := range r.members {
		m.missed++
		m.lost = m.lost || assigned && m.missed > r.patient
	}
	if !assigned {
		r.members = slices.DeleteFunc(r.members, func(m *Member) bool { return m.missed > r.patient })
	}
}

// reached reports whether all agents are in a state, or what keeps one from it: it is lost, or failed.
func (r *roster) reached(s State) (bool, error) {
	all := true
	var errs []error
	for i, m := range r.members {
		switch {
		case m.lost:
			errs = append(errs, fmt.Errorf("%w: agent %d (%v) was silent", ErrLost, i, m))
		case m.state == Failed:
			errs = append(errs, fmt.Errorf("%w: agent %d (%v): %s", ErrFailed, i, m, m.cause))
		case m.state != s:
			all = false
		}
	}
	return all && errs == nil, errors.Join(errs...)
}
