package loadgen_test

import (
	"context"
	"fmt"
	"time"

	"i3bench/loadgen"
)

// A schedule is a function of the operation's number.
func ExampleConstant() {
	s, err := loadgen.Constant{Rate: 4, For: time.Second}.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range s.Len() {
		op, _ := s.At(i)
		fmt.Println(op.Index, op.At)
	}
	// Output:
	// 0 0s
	// 1 250ms
	// 2 500ms
	// 3 750ms
}

// Three agents open the same profile, and together offer what one would have.
func ExampleShard() {
	profile := loadgen.Poisson{Rate: 1000, For: time.Second, Seed: 42}
	whole, err := profile.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := uint64(0)
	for agent := range 3 {
		s, err := profile.Open()
		if err != nil {
			fmt.Println(err)
			return
		}
		part, err := loadgen.Shard(s, agent, 3)
		if err != nil {
			fmt.Println(err)
			return
		}
		first, _ := part.At(0)
		fmt.Println("agent", agent, "begins with operation", first.Index)
		sum += part.Len()
	}
	fmt.Println(sum == whole.Len())
	// Output:
	// agent 0 begins with operation 0
	// agent 1 begins with operation 1
	// agent 2 begins with operation 2
	// true
}

// Latency counts from the intended time, in which the pacer's own lateness and
// any queue before the system are included.
func ExamplePacer() {
	s, err := loadgen.Constant{Rate: 1000, For: 50 * time.Millisecond}.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	pacer, err := loadgen.NewPacer(loadgen.PacerConfig{CatchUp: loadgen.Smooth, InFlight: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	latencies := make(chan time.Duration, s.Len())
	stats, err := pacer.Run(context.Background(), time.Time{}, s, func(op loadgen.Op, intended time.Time) {
		go func() { // the answer of the system, some time later
			defer pacer.Done()
			latencies <- time.Since(intended)
		}()
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range stats.Sent {
		if latency := <-latencies; latency < 0 {
			fmt.Println("done before it was due")
		}
	}
	fmt.Println("offered", stats.Offered, "sent", stats.Sent, "dropped", stats.Dropped)
	// Output: offered 50 sent 50 dropped 0
}
