package reports

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// syntheticSim makes the samples of the simulated stages up.
func syntheticSim(seeds int) []Sample {
	var out []Sample
	for seed := range uint64(seeds) {
		m := maker{rng: rand.New(rand.NewPCG(seed+1, 3)), seed: seed + 1, out: &out}
		m.tree()
		m.refresh()
		m.recovery()
		m.scale()
	}
	for seed := range uint64(5) {
		m := maker{rng: rand.New(rand.NewPCG(seed+1, 4)), seed: seed + 1, stage: StageMatch, out: &out}
		m.match()
	}
	return out
}

// A maker makes samples of one seed up.
type maker struct {
	rng   *rand.Rand
	seed  uint64
	stage string
	group string
	n     int64
	out   *[]Sample
}

// add records a value that varies by a few percent between seeds.
func (m *maker) add(kind string, value float64) {
	value *= 1 + 0.05*m.rng.NormFloat64()
	m.put(Sample{Kind: kind, N: m.n, Value: math.Round(1e4*value) / 1e4})
}

func (m *maker) put(s Sample) {
	s.Stage, s.Group, s.Seed = m.stage, m.group, m.seed
	*m.out = append(*m.out, s)
}

// syntheticSizes are sizes of groups; the largest has two seeds only.
var syntheticSizes = []int64{16, 64, 256, 1024, 4096, 16384, 65536}

func (m *maker) tree() {
	m.stage = StageTree
	for i, group := range []string{"heads/A-M", "paper/A-L", "paper/A-M", "paper/C-M", "paper/powerlaw"} {
		m.group = group
		worse := []float64{0.8, 1.4, 1.1, 0.9, 1.2}[i]
		for _, n := range syntheticSizes {
			if (n == 65536 && m.seed > 2) || (n > 4096 && i == 4) {
				continue
			}
			m.n = n
			log := math.Log(float64(n)) / math.Log(65536) // up to one
			m.add(KindStretchP50, 1+0.6*worse*log)
			m.add(KindStretchP90, 1+2.6*worse*log)
			m.add(KindStretchP99, 1+6*worse*log)
			m.add(KindRAD, 1+0.55*worse*math.Sqrt(log))
			m.add(KindRMD, 1+0.45*worse*math.Sqrt(log))
			m.add(KindStressMax, math.Round(4+50*worse*log*log))
			m.add(KindStressP99, 2+18*worse*log*log)
			m.add(KindStressUndirected, math.Round(6+70*worse*log*log))
			m.put(Sample{Kind: KindDepthMax, N: n, Value: math.Round(2 + 14*worse*log)})
			m.add(KindDepthMean, 1+6*worse*log)
			m.add(KindJoinQueries, 8+40*worse*log*log)
			m.put(Sample{Kind: KindColocated, N: n, Value: float64(n / 8192)})
			m.put(Sample{Kind: KindUnreached, N: n})
		}
	}
}

func (m *maker) refresh() {
	m.stage = StageRefresh
	p := (&Result{}).formulaParams()
	for i, scheme := range []string{SchemeOwnerFirst, SchemeLevel, SchemeUniform} {
		m.group = scheme + "/paper/A-M"
		for _, n := range []int64{16, 256, 4096} {
			m.n = n
			m.add(KindRefreshMean, []float64{1.1, 1.55, 1.45}[i])
			m.add(KindRefreshMax, []float64{1.3, 2.5 + float64(n)/4000, 2.2 + float64(n)/200}[i])
		}
		for n := int64(1); n <= 4096; n *= 8 {
			v := 40e6 * math.Log2(float64(2*n)) / 6
			expected := p.expectedRefreshes(scheme, float64(n), v)
			if math.IsNaN(expected) {
				expected = 1.1
			}
			value := math.Round(1e4*expected*(1+0.08*m.rng.NormFloat64())) / 1e4
			m.put(Sample{Kind: KindRefreshSize, N: n, Host: int(4096 / n), Value: value, ServiceNS: int64(v)})
		}
	}
}

func (m *maker) recovery() {
	m.stage = StageRecovery
	for i, group := range []string{
		"rel-loss/paper/A-L", "rel-loss/two-probes/A-L", "rel-random/paper/A-L", "rel-random/two-probes/A-L",
	} {
		m.group = group
		for k, p := range paperRequestRows {
			m.n = p.receivers
			m.add(KindDupPerLoss, []float64{1.2, 0.9, 1.6, 1.3}[i])
			m.add(KindReqPerLoss, []float64{1.25, 1.1, 1.4, 1.15}[i])
			m.add(KindReqMax, []float64{1.1 + float64(k), 0.7 + float64(k)/2, 0.2 + float64(k)/6, 0.2 + float64(k)/8}[i])
			m.add(KindWithin600, []float64{0.86, 0.93, 0.81, 0.9}[i])
			m.add(KindRepairMax, []float64{3.1e9, 2.1e9, 3.6e9, 2.6e9}[i])
			m.add(KindLossRate, 0.08+0.01*float64(k))
			owed := 100 * p.receivers
			m.put(Sample{Kind: KindDelivered, N: owed, Host: int(p.receivers), Value: float64(owed)})
		}
		for ms := 50; ms <= 3200; ms += 50 { // bins of 50 ms instead of 5, to keep the file short
			n := int64(4000 * math.Exp(-float64(ms)/(200+60*float64(i))))
			if n > 0 {
				m.put(Sample{Kind: KindRepairTime, N: n, Value: 1e6 * float64(ms)})
			}
		}
	}
}

func (m *maker) match() {
	for _, m.group = range []string{WorldSim, WorldUDP} {
		m.put(Sample{Kind: KindDepth, Value: float64(4 + m.rng.IntN(2))})
		for host := range 16 {
			level := 1 + host/6 + m.rng.IntN(2)
			queries := math.Round([]float64{15, 6, 2, 1}[level-1] * (0.8 + 0.4*m.rng.Float64()))
			if m.group == WorldUDP && level == 2 {
				queries += 4 // a difference that is to be found
			}
			m.put(Sample{Kind: KindLevel, Host: host, Level: level, Value: queries})
		}
	}
}

func (m *maker) scale() {
	m.stage = StageScale
	for i, n := range []int64{65536, 1 << 20} {
		m.group, m.n = "joins", n
		if i == 1 && m.seed > 1 {
			continue
		}
		size := float64(n)
		m.add(KindEvents, math.Round(900*size))
		m.add(KindEventsPerSecond, 2.1e6)
		m.add(KindWallSeconds, 900*size/2.1e6)
		m.add(KindSimSeconds, 130)
		m.add(KindPeakBytes, math.Round(3100*size))
		m.add(KindBytesPerReceiver, 3100)
		m.put(Sample{Kind: KindThreads, N: n, Value: 2})
		m.put(Sample{Kind: KindDelivered, N: 10 * n, Value: float64(10 * n)})
		m.put(Sample{Kind: KindRun, Value: 900 * size / 2.1e6})
		m.put(Sample{Kind: KindTrace, Status: fmt.Sprintf("%016x", m.rng.Uint64())})
	}
}
