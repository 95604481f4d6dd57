package reports

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPercentileNearestRank(t *testing.T) {
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, row := range []struct {
		values  []float64
		p, want float64
	}{
		{ten, 0.5, 5},
		{ten, 0.51, 6},
		{ten, 0.9, 9},
		{ten, 0.99, 10},
		{ten, 1, 10},
		{ten, 0.1, 1},
		{ten, 0.0001, 1},
		{hundred, 0.07, 7},
		{hundred, 0.29, 29},
		{hundred, 0.99, 99},
		{hundred, 0.999, 100},
		{[]float64{42}, 0.5, 42},
		{[]float64{1, 3}, 0.5, 1},
	} {
		if got := Percentile(row.values, row.p); got != row.want {
			t.Errorf("%v of %d values is %v, expected %v", row.p, len(row.values), got, row.want)
		}
	}
	if !math.IsNaN(Percentile(nil, 0.5)) {
		t.Error("a percentile of nothing is not NaN")
	}
}

// The definition, by counting: the smallest value with at least the share p of
// all values not above it.
func TestPercentileIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 20), func(i int) float64 { return float64(i) }), 1, 60).
			Draw(t, "values")
		slices.Sort(values)
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		notAbove := func(limit float64) (n int) {
			for _, v := range values {
				if v <= limit {
					n++
				}
			}
			return n
		}
		got := Percentile(values, float64(percent)/100)
		if notAbove(got)*100 < percent*len(values) {
			t.Fatalf("%d %% of %v is %v, which is too small", percent, values, got)
		}
		if i := slices.Index(values, got); i < 0 || (i > 0 && i*100 >= percent*len(values)) {
			t.Fatalf("%d %% of %v is %v, which is no value or too large", percent, values, got)
		}
	})
}

func TestMeanAndDeviation(t *testing.T) {
	// Mean 5; squares of differences 9+1+1+1+0+0+4+16 = 32; 32/7.
	v := []float64{2, 4, 4, 4, 5, 5, 7, 9}
	if got := Mean(v); got != 5 {
		t.Errorf("mean %v, expected 5", got)
	}
	if got, want := StdDev(v), math.Sqrt(32.0/7); math.Abs(got-want) > 1e-12 {
		t.Errorf("deviation %v, expected %v", got, want)
	}
	thirds := slices.Repeat([]float64{32.0 / 12}, 10) // their sum is rounded
	if StdDev([]float64{3}) != 0 || StdDev(nil) != 0 || StdDev(thirds) != 0 {
		t.Error("the deviation of fewer than two values, or of equal ones, is not zero")
	}
}

// Failures are the slowest members, however small the value that they carry.
func TestFailuresStayInTheDistribution(t *testing.T) {
	d := NewDistribution([]float64{3, 1, 2, 4}, []float64{0.5, 10})
	if want := []float64{1, 2, 3, 4, 4, 10}; !slices.Equal(d.Values(), want) {
		t.Fatalf("values %v, expected %v", d.Values(), want)
	}
	if d.Count() != 6 || d.Failed != 2 || d.Mean() != 4 || d.Max() != 10 {
		t.Errorf("count %d, failed %d, mean %v, max %v", d.Count(), d.Failed, d.Mean(), d.Max())
	}
	if d.Beyond(0.5) || d.Beyond(0.66) || !d.Beyond(0.67) || !d.Beyond(1) {
		t.Error("the failures do not begin behind 4 of 6 values")
	}
	if got := percentile(d, 1); got != "≥ 10.0 ns" {
		t.Errorf("the maximum is written %q", got)
	}
	if d.ShareBelow(4) != 0.5 || d.ShareWithin(4) != 4.0/6 || d.ShareWithin(100) != 4.0/6 || d.ShareWithin(0) != 0 {
		t.Errorf("below 4: %v, within 4: %v, within 100: %v", d.ShareBelow(4), d.ShareWithin(4), d.ShareWithin(100))
	}
	if all := NewDistribution(nil, []float64{5}); all.P(0.5) != 5 || !all.Beyond(0.5) {
		t.Error("a distribution of failures only has no median")
	}
}

func TestFormats(t *testing.T) {
	for _, row := range [][2]string{
		{num(0), "0"},
		{num(55.94), "55.9"},
		{num(0.0664), "0.0664"},
		{num(99.95), "100"},
		{num(99.94), "99.9"},
		{num(1234567), "1,234,567"},
		{num(-2.5), "-2.50"},
		{num(math.NaN()), "-"},
		{num(0.00001234), "1.23e-05"},
		{num(9.999), "10.0"},
		{num(0.09996), "0.100"},
		{num(math.Inf(1)), "-"},
		{num(0.001), "0.00100"},
		{num(0.1), "0.100"},
		{num(1000), "1,000"},
		{num(1e-4), "0.000100"},
		{count(-1234), "-1,234"},
		{count(999), "999"},
		{duration(999), "999 ns"},
		{duration(1500), "1.50 µs"},
		{duration(812345), "812 µs"},
		{duration(999600), "1.00 ms"},
		{duration(2.4e9), "2.40 s"},
		{duration(-3e6), "-3.00 ms"},
		{duration(math.NaN()), "-"},
		{percent(0.8549), "85.5 %"},
		{signedPercent(-0.118), "-11.8 %"},
		{quote([]string{"bench", "--seed=1", "a b", "it's", ""}), `bench --seed=1 'a b' 'it'\''s' ''`},
	} {
		if row[0] != row[1] {
			t.Errorf("%q, expected %q", row[0], row[1])
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, row := range []struct {
		got  Verdict
		want Verdict
	}{
		{within(4.5, 4.5), Verdict{Pass, "within 20 % (+0.0 %)"}},
		{within(5.4, 4.5), Verdict{Pass, "within 20 % (+20.0 %)"}},
		{within(3.6, 4.5), Verdict{Pass, "within 20 % (-20.0 %)"}},
		{within(5.41, 4.5), Verdict{Miss, "misses by +20.2 % (allowed ±20 %)"}},
		{within(1.4, 2), Verdict{Miss, "misses by -30.0 % (allowed ±20 %)"}},
		{atLeastShare(0.85, 0.85), Verdict{Pass, "reached (+0.0 points)"}},
		{atLeastShare(0.849, 0.85), Verdict{Miss, "misses by 0.1 points"}},
	} {
		if row.got != row.want {
			t.Errorf("%+v, expected %+v", row.got, row.want)
		}
	}
}
