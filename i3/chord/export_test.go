package chord

// Share returns how many of so many runs of a test are made: a tenth under the race detector, since nothing here runs
// side by side.
func Share(n int) int {
	if raceEnabled {
		return max(n/10, 1)
	}
	return n
}
