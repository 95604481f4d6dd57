package find

import "math"

// Growth judges whether a queue grows during a trial, from its lengths at equal
// distances in time, of seconds each. It returns the speed of growth, per second,
// that is exceeded with 95 % confidence, or 0 if no growth is certain.
//
// The first fifth is left out: a trial begins with an empty queue. Lengths at
// neighbouring times are alike, so a line is fitted not to them but to the means
// of eight parts, whose errors are nearly independent.
func Growth(lengths []float64, seconds float64) float64 {
	const parts = 8
	lengths = lengths[len(lengths)/5:]
	each := len(lengths) / parts
	if each == 0 {
		return 0
	}
	var means [parts]float64
	for i := range means {
		for _, v := range lengths[i*each : (i+1)*each] {
			means[i] += v / float64(each)
		}
	}
	slope, err := line(means[:])
	const t95 = 1.943 // of Student's t with 6 degrees of freedom, one side
	return max(0, slope-t95*err) / (float64(each) * seconds)
}

// line returns the slope of the least-squares line through values at 0, 1, 2...
// and its standard error.
func line(values []float64) (slope, err float64) {
	n := float64(len(values))
	mean, middle, square := 0.0, (n-1)/2, 0.0
	for _, v := range values {
		mean += v / n
	}
	for i, v := range values {
		x := float64(i) - middle
		slope += x * (v - mean)
		square += x * x
	}
	slope /= square
	rest := 0.0
	for i, v := range values {
		d := v - mean - slope*(float64(i)-middle)
		rest += d * d
	}
	return slope, math.Sqrt(rest / (n - 2) / square)
}
