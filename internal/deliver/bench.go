package deliver

// A Bench is what is needed of *testing.B, which is the one type that is meant. It is not named because a program that
// uses the frame, too, would have package testing in it.
type Bench interface {
	Helper()
	Loop() bool
	ReportMetric(value float64, unit string)
	Fatal(args ...any)
}

// Benchmark measures a setup for as long as the benchmark is to take, which fails if anything is lost. It reports, in
// place of the time of an operation, the deliveries for a second of the sender's processor time and for a second, the
// share of copies that were received, the share of time for which the sender had a processor, and the packets a read.
func Benchmark(b Bench, s Setup) {
	b.Helper()
	run, err := Start(s)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := run.Slice(); err != nil {
			break // Stop says why
		}
	}
	r, err := run.Stop()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(r.PerProcessorSecond(), "deliveries/cpu-s")
	b.ReportMetric(r.PerSecond(), "deliveries/s")
	b.ReportMetric(r.Received, "%received")
	b.ReportMetric(r.Busy(), "%busy")
	b.ReportMetric(r.PerRead(), "packets/read")
}
