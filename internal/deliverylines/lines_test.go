package deliverylines

import (
	"math"
	"slices"
	"strings"
	"testing"
)

const file = `goos: linux
BenchmarkDelivery/what=node/form=trains/gro=true/fan=8/size=512-2  16  33.16 %busy  4000000 deliveries/cpu-s
BenchmarkDelivery/what=node/form=trains/gro=false/fan=8/size=512   16  3000000 deliveries/cpu-s  1362218 deliveries/s
BenchmarkDelivery/what=nats-deep/fan=8/size=512  16  1000000 deliveries/cpu-s
BenchmarkDelivery/what=udp/gro=true/fan=8/size=512     16  200000 deliveries/cpu-s
BenchmarkLimit/form=train/size=64/fan=32   3  131064681 ns/op  8e6 c/cpu-s  4e6 copies/cpu-s  0.5 of-c  1e6 plain/cpu-s
BenchmarkLimit/n=1e7/hit=100/keys=uniform  9  70.0 ns/lookup
BenchmarkSend/form=train/size=64/fan=32    9  5e6 copies/cpu-s
PASS
`

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{
		{Row{Delivered, Node + GRO, 8, 512}, 4e6}, {Row{Delivered, Node, 8, 512}, 3e6},
		{Row{Delivered, NATSDeep, 8, 512}, 1e6}, {Row{Delivered, Plain + GRO, 8, 512}, 2e5},
		{Row{Sent, Train, 32, 64}, 4e6}, {Row{Sent, Train + OfC, 32, 64}, 8e6}, {Row{Sent, Train + OfGo, 32, 64}, 1e6},
	}
	if !slices.Equal(got, want) {
		t.Errorf("deliverylines: read\n%v\nwant\n%v", got, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"what=node/fan=8/size=512 1 x deliveries/cpu-s":    `line 2: "x" deliveries/cpu-s`,
		"what=node/fan=8/size=512 1 NaN deliveries/cpu-s":  `line 2: "NaN" deliveries/cpu-s`,
		"what=node/fan=8/size=512 1 -1 deliveries/cpu-s":   `line 2: "-1" deliveries/cpu-s`,
		"what=node/fan=many/size=512 1 5 deliveries/cpu-s": "line 2: fan=many",
		"what=node/fan=0/size=512 1 5 deliveries/cpu-s":    "line 2: fan=0",
		"what=node/fan=8 1 5 deliveries/cpu-s":             "line 2: size=",
		"what=a,b/fan=8/size=9 1 5 deliveries/cpu-s":       `line 2: "a,b" delivers`,
	} {
		_, err := Read(strings.NewReader("PASS\nBenchmarkDelivery/" + line))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("deliverylines: error %v, want one with %q", err, want)
		}
	}
}

func TestRatio(t *testing.T) {
	a, b, none := Row{Delivered, Node, 8, 512}, Row{Delivered, NATS, 8, 512}, Row{Sent, Train, 8, 512}
	r := Results{a: {6, 9, 8}, b: {2, 3, 4}}
	if got := r.Ratio(a, b); got != (Spread{8. / 3, 2, 3}) {
		t.Errorf("deliverylines: %+v, want the medians' ratio and the rounds' between 2 and 3", got)
	}
	if got := r.Ratio(a, none); got.Measured() || !math.IsNaN(got.Low) {
		t.Errorf("deliverylines: %+v against what was not measured", got)
	}
	r = Results{a: {4, 6}, b: {2}}
	if got := r.Of(a); got != (Spread{5, 4, 6}) {
		t.Errorf("deliverylines: %+v of two rounds, want their mean", got)
	}
	if got := r.Ratio(a, b); got != (Spread{2.5, 2, 2.5}) {
		t.Errorf("deliverylines: %+v where a round is missing, want its median within the spread", got)
	}
}

// The fastest of the others counts, and one who was not measured is nobody's peer.
func TestBest(t *testing.T) {
	job := Row{Delivered, Node, 8, 512}
	as := func(who string) Row { return Row{Delivered, who, 8, 512} }
	for _, c := range []struct {
		nats, deep []float64
		want       string
	}{
		{[]float64{1}, []float64{2}, NATSDeep},
		{[]float64{2}, []float64{1}, NATS},
		{nil, []float64{1}, NATSDeep},
		{[]float64{1}, nil, NATS},
		{nil, nil, NATS},
	} {
		r := Results{as(NATS): c.nats, as(NATSDeep): c.deep}
		if got := r.Best(job, NATS, NATSDeep); got != as(c.want) {
			t.Errorf("deliverylines: best of %v and %v is %v, want %s", c.nats, c.deep, got, c.want)
		}
	}
}

func TestFansAndSizes(t *testing.T) {
	r := Results{
		{Sent, Train, 8, 64}: nil, {Sent, Train, 1, 512}: nil, {Sent, Classes, 8, 512}: nil, {Delivered, Node, 2, 3}: nil,
	}
	if got := r.Fans(Sent); !slices.Equal(got, []int{1, 8}) {
		t.Errorf("deliverylines: fans %v", got)
	}
	if got := r.Sizes(Sent); !slices.Equal(got, []int{64, 512}) {
		t.Errorf("deliverylines: sizes %v", got)
	}
}

// The name of a row is read as that row.
func TestName(t *testing.T) {
	for _, who := range []string{Node, Node + GRO, Single, Plain, Plain + GRO, Batch, NATSDeep} {
		want := Line{Row{Delivered, who, 8, 512}, 5}
		got, err := Read(strings.NewReader("Benchmark" + want.Name() + "-2 1 5 deliveries/cpu-s"))
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("deliverylines: %s is read as %+v, %v", want.Name(), got, err)
		}
	}
}
