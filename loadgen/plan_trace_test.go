package loadgen

import (
	"strings"
	"testing"
	"time"
)

func TestTrace(t *testing.T) {
	const text = "time,operation,member\n# a note\n0,join,1\n1.5,join,7\n1500ms,leave,1\n2s,leave,7\n"
	trace, err := ReadTrace("t", strings.NewReader(text), []string{"join", "leave"})
	if err != nil {
		t.Fatal(err)
	}
	want := []deed{
		{Op{0, 0}, Action{"join", 1, true}},
		{Op{1, 1500 * time.Millisecond}, Action{"join", 7, true}},
		{Op{2, 1500 * time.Millisecond}, Action{"leave", 1, true}},
		{Op{3, 2 * time.Second}, Action{"leave", 7, true}},
	}
	for i, d := range deeds(trace) {
		if d != want[i] {
			t.Errorf("operation %d is %+v, want %+v", i, d, want[i])
		}
	}
	faster := trace.Faster(2)
	if op, _ := faster.At(3); op.At != time.Second || faster.Len() != 4 {
		t.Errorf("twice as fast: %+v of %d", op, faster.Len())
	}
	if n := faster.Before(750 * time.Millisecond).Len(); n != 1 {
		t.Errorf("%d operations before 750 ms, want 1", n)
	}
}

func TestTraceErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                "t: EOF: want a line time,operation,member",
		"time,what,member\n":                              "t:1: ",
		"time,operation,member\n1,join\n":                 "t:2: 2 values: want time,operation,member",
		"time,operation,member\nx,join,1\n":               `t:2: time "x": want seconds from 0`,
		"time,operation,member\n-1,join,1\n":              `t:2: time "-1": want seconds from 0`,
		"time,operation,member\nNaN,join,1\n":             `t:2: time "NaN": want seconds from 0`,
		"time,operation,member\n1,joyn,1\n":               `t:2: operation "joyn": want one of join`,
		"time,operation,member\n1,join,-1\n":              `t:2: member "-1": want a whole number from 0`,
		"time,operation,member\n\n1,join,1\n0.5,join,1\n": "t:4: time 0.5: want none before that of the line above, 1s",
		"time,operation,member\n\"1,join,1\n":             "t: ",
	} {
		if _, err := ReadTrace("t", strings.NewReader(text), []string{"join"}); err == nil ||
			!strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzReadTrace(f *testing.F) {
	f.Add("time,operation,member\n0,join,1\n1.5,leave,1\n") // a trace
	f.Add("time,operation,member\n1e300,join,1\n")          // a time beyond all
	f.Add("time,operation,member\n\"0\n\",join,1")          // a quoted line break
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := ReadTrace("t", strings.NewReader(text), []string{"join", "leave"})
		if err != nil {
			return
		}
		last := time.Duration(0)
		for _, d := range deeds(trace) {
			if d.At < last || d.Kind != "join" && d.Kind != "leave" {
				t.Fatalf("%+v after %v", d, last)
			}
			last = d.At
		}
	})
}
