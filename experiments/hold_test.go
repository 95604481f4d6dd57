package experiments

import (
	"errors"
	"testing"
	"time"

	"i3bench/reports"
	"i3bench/testbed"
)

func smallHold(t *testing.T, lifetime, hold time.Duration) (Hold, *Field) {
	t.Helper()
	c := FieldConfig{
		Nodes: 4, Degree: 4, PerSecond: 5, Size: 64, Seed: 3, Lifetime: lifetime, Search: Policies["draw"],
	}
	f, err := NewField(c)
	if err != nil {
		t.Fatal(err)
	}
	return Hold{FieldConfig: c, Field: f, Members: 300, Joins: 1000, Under: 64, For: hold}, f
}

// Some hundred members are held for three of their triggers' lifetimes: all triggers stay, refreshes are as many as
// they should be, and every packet arrives.
func TestHold(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: six seconds on sockets")
	}
	h, f := smallHold(t, 2*time.Second, 6*time.Second)
	defer f.Close()
	var all recorder
	if err := h.Run(t.Context(), &all, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	value := func(kind, group string) float64 {
		for _, s := range all.samples {
			if s.Stage == reports.StageHold && s.Kind == kind && (group == "" || s.Group == group) {
				return s.Value
			}
		}
		t.Fatalf("no sample %s %s", kind, group)
		return 0
	}
	if n := value(reports.KindCount, reports.HoldLeast); n < 4*300+2 {
		t.Errorf("%v triggers, want %d", n, 4*300+2)
	}
	if n := value(reports.KindRefreshMean, ""); n < 1.4 || n > 3 {
		t.Errorf("%v refreshes per trigger and T, want about 2", n)
	}
	if n := value(reports.KindBytesPerReceiver, ""); n < 500 || n > 64<<10 {
		t.Errorf("%v bytes for a member", n)
	}
	if n := value(reports.KindDelivered, ""); n < 300*20 {
		t.Errorf("%v packets delivered, want 300 a packet", n)
	}
}

// A trigger that expired is said.
func TestHoldSeesWhatExpired(t *testing.T) {
	h, f := smallHold(t, 30*time.Second, 100*time.Millisecond)
	defer f.Close()
	h.Members = 20
	counts := 0
	h.Field = stealing{f, &counts}
	if err := h.Run(t.Context(), new(recorder), func(int, int, string) {}); !errors.Is(err, ErrMissing) {
		t.Errorf("error %v, want that triggers are missing", err)
	}
}

// stealing is a field of which a trigger expires each time that it is asked.
type stealing struct {
	*Field
	times *int
}

func (f stealing) Ground() testbed.Ground { return f.Field.Ground() }

func (f stealing) Counts() (FieldCounts, error) {
	c, err := f.Field.Counts()
	*f.times++
	c.Expired += uint64(*f.times)
	return c, err
}
