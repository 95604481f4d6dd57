package experiments

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"i3bench/reports"
)

// Samples come out of a spool as they went in, and what was measured can be seen meanwhile, once.
func TestSpool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := newSpool()
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		var want recorder
		ok := 0
		for range rapid.IntRange(0, 200).Draw(t, "samples") {
			x := reports.Sample{
				Stage: reports.StageLoad, Kind: rapid.SampledFrom([]string{reports.KindJoin, reports.KindLate}).Draw(t, "kind"),
				Status: rapid.SampledFrom([]string{"", reports.StatusOK, reports.StatusTimeout}).Draw(t, "status"),
				Value:  float64(rapid.Int64Range(-5, 1e12).Draw(t, "value")), StartNS: rapid.Int64().Draw(t, "start"),
			}
			if x.Kind == reports.KindJoin && x.Status == reports.StatusOK {
				ok++
			}
			want.Sample(x)
			s.Sample(x)
		}
		live := s.recent()
		if h := live[reports.KindJoin]; ok > 0 && h.Count() != uint64(ok) || ok == 0 && h != nil {
			t.Fatalf("%d joins succeeded, seen %v", ok, h)
		}
		if len(s.recent()) != 0 {
			t.Fatal("what was seen is seen again")
		}
		if err := s.finish(); err != nil {
			t.Fatal(err)
		}
		var got recorder
		n, err := unspool(io.NewSectionReader(s, 0, 1<<40), &got)
		if err != nil || n != len(want.samples) || got.sorted() != want.sorted() {
			t.Fatalf("%d samples of %d came back: %v", n, len(want.samples), err)
		}
	})
}

// A spool that is full says so, and one that is cut off or is none is not taken for whole.
func TestSpoolBounds(t *testing.T) {
	s, err := newSpool()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	s.room = 1000
	for range 100 {
		s.Sample(reports.Sample{Stage: reports.StageLoad, Kind: reports.KindJoin, Status: reports.StatusOK, Value: 1})
	}
	if err := s.finish(); !errors.Is(err, errFull) || s.size > s.room {
		t.Errorf("%v, %d bytes", err, s.size)
	}
	if n := s.recent()[reports.KindJoin].Count(); n != 100 {
		t.Errorf("%d of 100 were seen live", n)
	}

	whole, err := newSpool()
	if err != nil {
		t.Fatal(err)
	}
	defer whole.close()
	whole.Sample(reports.Sample{Stage: reports.StageLoad, Kind: reports.KindJoin, Value: 7})
	if err := whole.finish(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, whole.size)
	if _, err := whole.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{b[:len(b)-1], []byte(strings.Repeat("x", 100))} {
		if _, err := unspool(bytes.NewReader(bad), new(recorder)); err == nil {
			t.Errorf("%d bytes that are no spool were taken", len(bad))
		}
	}
}
