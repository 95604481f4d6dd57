package hist_test

import (
	"fmt"

	"i3bench/internal/hist"
)

// The percentiles of 0 to 999 ms are 499 and 989: both within 0.8 percent.
func ExampleHistogram() {
	var latency hist.Histogram
	for ms := range int64(1000) {
		latency.Record(ms * 1e6) // nanoseconds
	}
	fmt.Printf("n %d, p50 %d ms, p99 %d ms, max %d ms\n", latency.Count(),
		latency.Quantile(0.50)/1e6, latency.Quantile(0.99)/1e6, latency.Max()/1e6)
	// Output: n 1000, p50 497 ms, p99 985 ms, max 999 ms
}
