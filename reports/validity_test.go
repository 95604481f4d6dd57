package reports

import (
	"slices"
	"strings"
	"testing"
)

// saysInvalid checks that every form of a report says at its top that the run is invalid, and why.
func saysInvalid(t *testing.T, r *Result, reason string) {
	t.Helper()
	page := mustHTML(t, r)
	at, verdict := strings.Index(page, "<strong>INVALID</strong>"), strings.Index(page, `<section id="verdict"`)
	if at < 0 || at > verdict || !strings.Contains(page[at:verdict], reason) {
		t.Errorf("the page does not say above its verdict that %q", reason)
	}
	if text := Text(r); !strings.HasPrefix(text, "INVALID: ") || !strings.Contains(text, reason) {
		t.Errorf("the text begins with %.200q, expected %q", text, reason)
	}
	if text := Markdown(r); !strings.HasPrefix(text, "**INVALID**: ") || !strings.Contains(text, reason) {
		t.Errorf("the Markdown begins with %.200q, expected %q", text, reason)
	}
}

// What a run is told to be invalid for is in its manifest once, and in every form of its report.
func TestInvalidate(t *testing.T) {
	dir := t.TempDir()
	run := create(t, dir)
	for _, reason := range []string{"agent 3 was lost", "agent 5 was lost", "agent 3 was lost"} {
		run.Invalidate(reason)
	}
	if err := run.Close(Complete, nil); err != nil {
		t.Fatal(err)
	}
	run.Invalidate("too late")
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"agent 3 was lost", "agent 5 was lost"}; !slices.Equal(r.Manifest.Invalid, want) {
		t.Errorf("invalid because of %q, expected %q", r.Manifest.Invalid, want)
	}
	saysInvalid(t, r, "agent 5 was lost")
}

// A generator that was late makes the run invalid when it is closed, whoever runs it; --late says what is late.
func TestLateGeneratorInvalidates(t *testing.T) {
	for late, want := range map[string]string{
		"": "the load generator was the limit: p99 lateness 30.0 ms, allowed 25 ms", "1s": "",
	} {
		dir := t.TempDir()
		m := syntheticManifest()
		m.Parameters[ParamLate], m.Stages = late, nil
		run, err := Create(dir, m)
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(10) {
			run.Sample(Sample{Stage: StageLoad, Kind: KindLate, Group: KindJoin, StartNS: i, Value: 3e7})
			run.Sample(Sample{Stage: StageLoad, Kind: KindJoin, StartNS: i, Value: 4e7, ServiceNS: 1e7, Status: StatusOK})
		}
		if err := run.Close(Complete, nil); err != nil {
			t.Fatal(err)
		}
		r, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.Manifest.Invalid, "; "); got != want {
			t.Errorf("--late %q: invalid because of %q, expected %q", late, got, want)
		}
		if want != "" {
			saysInvalid(t, r, want)
		}
	}
}

// A valid run says nothing of the kind.
func TestValidRun(t *testing.T) {
	r := synthetic(t)
	if got := r.Invalid(); len(got) > 0 {
		t.Errorf("invalid because of %q", got)
	}
	if strings.Contains(mustHTML(t, r), `class="invalid"`) || strings.Contains(Text(r)+Markdown(r), "INVALID") {
		t.Error("a valid run is said to be invalid")
	}
}
