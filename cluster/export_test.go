package cluster

// Portable makes the world open what other systems than Linux have: a socket of the portable form for each endpoint.
func (w *World) Portable() *World {
	w.portable = true
	return w
}

// RaceEnabled tells the tests from outside whether the race detector runs.
const RaceEnabled = raceEnabled

// EnterStage labels the goroutine as a driver does.
func EnterStage() { running.enter() }
