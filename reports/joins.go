package reports

// A JoinSummary describes the joins of the cluster stage, one after the other
// or nearly so: no rate was offered.
type JoinSummary struct {
	Latency  Distribution // nanoseconds
	Messages Distribution // queries sent per join
}

// SummarizeJoins computes the summary of samples of kind [KindJoin] of the
// cluster stage.
func SummarizeJoins(samples []Sample) JoinSummary {
	messages := make([]float64, len(samples))
	for i := range samples {
		messages[i] = float64(samples[i].N)
	}
	return JoinSummary{NewDistribution(values(samples), nil), NewDistribution(messages, nil)}
}

const clusterJoinTitle = "Joins: latency and messages"

func clusterJoinSection(r *Result) Section {
	samples := r.Select(StageCluster, KindJoin)
	if len(samples) == 0 {
		return absent("cluster-joins", clusterJoinTitle, StageCluster)
	}
	t := Table{
		Caption: "Latency and messages of a join",
		Columns: []Column{
			text("per join"), number("joins"), number("mean"), number("p50"), number("p90"), number("p99"),
			number("max"),
		},
	}
	s := Section{
		ID: "cluster-joins", Title: clusterJoinTitle, Stage: StageCluster,
		Text: []string{"Latency of the joins that built the trees above, and the queries that each of them sent. " +
			"Percentiles are nearest rank on the raw samples."},
	}
	names, groups := grouped(samples, byGroup)
	for _, name := range names {
		j := SummarizeJoins(groups[name])
		t.Rows = append(t.Rows, summaryRow(ofJitter("latency", name), j.Latency, duration),
			summaryRow(ofJitter("messages", name), j.Messages, num))
		s.Bench = append(s.Bench, BenchLine{clusterName("op=join", name), len(groups[name]), []BenchValue{
			{j.Latency.Mean(), "ns/op"}, {j.Latency.P(0.99), "p99-ns"}, {j.Messages.Mean(), "msgs/op"},
		}})
	}
	s.Tables = []Table{t}
	return s
}

// summaryRow is a table row of a distribution.
func summaryRow(name string, d Distribution, write func(float64) string) []string {
	row := []string{name, count(d.Count()), write(d.Mean())}
	for _, p := range []float64{0.5, 0.9, 0.99, 1} {
		row = append(row, write(d.P(p)))
	}
	return row
}
