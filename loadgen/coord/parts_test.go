package coord

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"i3bench/internal/hist"
)

// The true offset lies within the error that is stated, whatever the delays on both ways.
func TestOffset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ahead := rapid.Int64Range(-1e12, 1e12).Draw(t, "ahead")
		var rs []reading
		now, fastest := int64(1e18), int64(1e18)
		for range rapid.IntRange(1, clockQuestions).Draw(t, "questions") {
			there, back := rapid.Int64Range(0, 1e9).Draw(t, "there"), rapid.Int64Range(0, 1e9).Draw(t, "back")
			rs = append(rs, reading{now, now + there + ahead, now + there + back})
			now += there + back + 1
			fastest = min(fastest, there+back)
		}
		got, off := offset(rs)
		if wrong := int64(got) - ahead; wrong > int64(off) || -wrong > int64(off) {
			t.Fatalf("%v ahead was taken for %v ± %v", time.Duration(ahead), got, off)
		}
		if int64(off) > (fastest+1)/2 {
			t.Fatalf("error %v, but one question took %v", off, time.Duration(fastest))
		}
	})
}

func newRoster(want int) *roster {
	return &roster{want: want, patient: 5, refused: map[string]string{}, live: map[string]*hist.Histogram{}}
}

// Silence is counted in beats: who reports between them is never lost, who does not is after so many.
func TestRosterCountsBeats(t *testing.T) {
	r := newRoster(2)
	r.hear(report{Agent: "a", State: Idle})
	r.hear(report{Agent: "b", State: Idle})
	r.hear(report{Agent: "c", State: Idle})
	if len(r.members) != 2 {
		t.Fatalf("%d members, want 2", len(r.members))
	}
	for range 5 {
		r.beat(true)
		r.hear(report{Agent: "a", State: Ready})
	}
	if _, err := r.reached(Ready); err != nil {
		t.Fatalf("after 5 beats: %v", err)
	}
	r.beat(true)
	if _, err := r.reached(Ready); !errors.Is(err, ErrLost) {
		t.Fatalf("after 6 beats: %v", err)
	}
	r.hear(report{Agent: "b", State: Ready}) // too late
	if _, err := r.reached(Ready); !errors.Is(err, ErrLost) || r.members[0].lost {
		t.Fatalf("one that came back is not lost any more: %v", err)
	}
}

// Before anybody has a part, who has gone makes room.
func TestRosterForgets(t *testing.T) {
	r := newRoster(1)
	r.hear(report{Agent: "a", State: Idle})
	for range 6 {
		r.beat(false)
	}
	r.hear(report{Agent: "b", State: Running}) // busy with something else
	r.hear(report{Agent: "c", State: Idle})
	if len(r.members) != 1 || r.members[0].id != "c" {
		t.Fatalf("members %v", r.members)
	}
}

// Histograms that make no sense, or are too many, are counted and change nothing.
func TestRosterRefusesHistograms(t *testing.T) {
	r := newRoster(1)
	r.hear(report{Agent: "a", State: Idle, Live: map[string][]byte{"x": {1, 2, 3}}})
	many := map[string][]byte{}
	for i := range maxKinds + 1 {
		many[string(rune('a'+i))] = nil
	}
	r.hear(report{Agent: "a", State: Idle, Live: many})
	if r.bad != 2 || len(r.live) != 0 {
		t.Fatalf("%d bad reports, %d histograms", r.bad, len(r.live))
	}
}

// A subscriber that is too slow loses what is beyond its queue, which is counted; nobody waits for it.
func TestMemoryDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		hold, seen := make(chan bool), 0
		cancel, err := m.Subscribe("s", func(Message) { <-hold; seen++ })
		if err != nil {
			t.Fatal(err)
		}
		m.Publish("s", nil)
		synctest.Wait() // it is in the call now
		for range QueueLength + 3 {
			m.Publish("s", nil)
		}
		if m.Dropped() != 3 {
			t.Errorf("%d were dropped, want 3", m.Dropped())
		}
		close(hold)
		synctest.Wait()
		if seen != QueueLength+1 {
			t.Errorf("%d were seen", seen)
		}
		cancel()
		cancel()
		if _, err := m.Request(t.Context(), "s", nil); !errors.Is(err, ErrNobody) {
			t.Errorf("a request to nobody: %v", err)
		}
		if err := m.Publish("s", make([]byte, MaxMessage+1)); err == nil {
			t.Error("a message that is too long was taken")
		}
	})
}

// A request ends with its context if nobody answers.
func TestMemoryRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory()
		cancel, _ := m.Subscribe("s", func(Message) {})
		defer cancel()
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if _, err := m.Request(ctx, "s", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}
