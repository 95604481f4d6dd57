package loadgen

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSteps(t *testing.T) {
	// Two a second for a second, then four.
	ops := all(open(t, Steps{From: 2, To: 4, Steps: 2, For: 2 * time.Second}))
	expectTimes(t, ops, 0, 500e6, 1e9, 1.25e9, 1.5e9, 1.75e9)
	// Steps without operations are passed over, wherever they are.
	ops = all(open(t, Steps{From: 0, To: 4, Steps: 3, For: 3 * time.Second}))
	expectTimes(t, ops, 1e9, 1.5e9, 2e9, 2.25e9, 2.5e9, 2.75e9)
}

func TestBursts(t *testing.T) {
	ops := all(open(t, Bursts{Rate: 1, Burst: 4, Every: 3 * time.Second, Length: time.Second, For: 6 * time.Second}))
	expectTimes(t, ops, 0, 1e9, 2e9, 2.25e9, 2.5e9, 2.75e9, 3e9, 4e9, 5e9, 5.25e9, 5.5e9, 5.75e9)
	ops = all(open(t, Bursts{Burst: 2, Every: 3 * time.Second, Length: time.Second, For: 7 * time.Second}))
	expectTimes(t, ops, 2e9, 2.5e9, 5e9, 5.5e9)
}

func expectTimes(t *testing.T, ops []Op, want ...time.Duration) {
	t.Helper()
	var got []time.Duration
	for _, op := range ops {
		got = append(got, op.At)
	}
	if len(got) != len(want) {
		t.Fatalf("operations at %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("operation %d at %v, want %v", i, got[i], want[i])
		}
	}
}

// The table of daylight is the cosine that it says it is.
func TestDaylight(t *testing.T) {
	for hour, share := range daylight {
		if want := (1 - math.Cos(2*math.Pi*float64(hour)/24)) / 2; math.Abs(share-want) > 1e-15 {
			t.Errorf("hour %d: %v, want %v", hour, share, want)
		}
	}
}

// A day has the mean of both rates, and noon has the most.
func TestDiurnal(t *testing.T) {
	d := Diurnal{Low: 10, High: 110, Period: 24 * time.Second, For: 48 * time.Second}
	ops := all(open(t, d))
	if want := 60 * 48; len(ops) != want {
		t.Errorf("%d operations, want %d", len(ops), want)
	}
	var hours [48]int
	for _, op := range ops {
		hours[op.At/time.Second]++
	}
	for hour, n := range hours {
		rate := func(h int) float64 { return 10 + 100*(1-math.Cos(2*math.Pi*float64(h)/24))/2 }
		if want := (rate(hour) + rate(hour+1)) / 2; math.Abs(float64(n)-want) > 1 {
			t.Errorf("hour %d: %d operations, want %v", hour, n, want)
		}
	}
}

// pieceProfiles draws a profile that is made of pieces.
func pieceProfiles(t *rapid.T) Profile {
	rate := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.5, 5_000))
	low, high := rate.Draw(t, "low"), rapid.Float64Range(0.5, 5_000).Draw(t, "high")
	if rapid.Bool().Draw(t, "falling") {
		low, high = high, low
	}
	span := time.Duration(rapid.Int64Range(1, 5e8).Draw(t, "for"))
	period := time.Duration(rapid.Int64Range(2, 6e8).Draw(t, "period"))
	switch rapid.SampledFrom([]string{"steps", "bursts", "diurnal"}).Draw(t, "kind") {
	case "steps":
		return Steps{From: low, To: high, Steps: rapid.IntRange(2, 20).Draw(t, "steps"), For: span}
	case "bursts":
		length := time.Duration(rapid.Int64Range(1, int64(period)-1).Draw(t, "length"))
		return Bursts{Rate: low, Burst: high, Every: period, Length: length, For: span}
	default:
		return Diurnal{Low: low, High: high, Period: period, For: span}
	}
}

// Up to the time of any operation, as many are due as the area under the rate says.
func TestPiecesCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.5, 5_000))
		pieces := []piece{{1e-3, 100, 200}} // at least one has operations
		for range rapid.IntRange(0, 9).Draw(t, "pieces") {
			length := rapid.Float64Range(1e-6, 0.1).Draw(t, "length")
			pieces = append(pieces, piece{length, rate.Draw(t, "from"), rate.Draw(t, "to")})
		}
		c := newCycle(pieces...)
		end := time.Duration(rapid.Int64Range(1, 5e8).Draw(t, "for"))
		ops := all(c.open(end))
		for i, op := range ops {
			if area := c.before(op.At.Seconds()); math.Abs(area-float64(i)) > 1e-4+1e-9*area {
				t.Fatalf("%+v: operation %d at %v, when the area is %v", pieces, i, op.At, area)
			}
		}
		if area := c.before(end.Seconds()); math.Abs(area-float64(len(ops))) > 1.001 {
			t.Fatalf("%+v has %d operations, area %v", pieces, len(ops), area)
		}
	})
}
