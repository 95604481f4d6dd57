package tablebench

import "fmt"

// A Job is a table of N identifiers and what is looked up in it.
type Job struct {
	N    int
	Hit  int  // percent of look-ups that find something: 100 or 50
	Zipf bool // whether few are looked up often
}

// String returns what is looked up, as the names of benchmarks say it.
func (j Job) String() string {
	keys := "uniform"
	if j.Zipf {
		keys = "zipf"
	}
	return fmt.Sprintf("hit=%d/keys=%s", j.Hit, keys)
}

// jobs returns all that is looked up in tables of n.
func jobs(n int) []Job {
	return []Job{{n, 100, false}, {n, 100, true}, {n, 50, false}, {n, 50, true}}
}

// Queries returns how many look-ups there are.
func (j Job) Queries() int {
	if j.N <= 1e5 {
		return 1 << 16
	}
	return 1 << 22
}

// All calls yield for each look-up in turn with the number of the identifier, whether it is in the table, and it.
func (j Job) All(yield func(number int, present bool, id ID)) {
	s, n := stream(querySeed), uint64(j.N)
	for range j.Queries() {
		present := j.Hit == 100 || s.next()>>63 == 0
		var number uint64
		if j.Zipf {
			number = s.rank(n) * spread % n
		} else {
			number = s.below(n)
		}
		if present {
			yield(int(number), true, Present(int(number)))
		} else {
			yield(int(number), false, Absent(int(number)))
		}
	}
}
