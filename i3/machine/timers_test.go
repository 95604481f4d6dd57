package machine_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"i3bench/i3/machine"
)

// A machine finds the timer by its key and asks whether it is really due: it may have been put off meanwhile.
func ExampleTimers() {
	var q machine.Timers
	var refresh, heartbeat machine.Timer
	timers := map[uint64]*machine.Timer{1: &refresh, 2: &heartbeat}
	q.Set(&refresh, 1, 10)
	q.Set(&heartbeat, 2, 20)
	q.Set(&refresh, 1, 30) // somebody else has refreshed: put off

	for now := q.Next(); now != machine.Never; now = q.Next() {
		for {
			key, at, ok := q.Pop(now)
			if !ok {
				break
			}
			if q.Fired(timers[key], key, at, now) {
				fmt.Printf("timer %d at %d\n", key, now)
			}
		}
	}
	// Output:
	// timer 2 at 20
	// timer 1 at 30
}

// A firing is one timer that fired.
type firing struct {
	at  machine.Time // when it was due
	key uint64
}

// A bench runs Timers beside a model: the due times themselves, searched from end to end.
type bench struct {
	queue  machine.Timers
	timers []machine.Timer
	due    []machine.Time // of the model, 0 if not set
}

func newBench(n int) *bench {
	return &bench{timers: make([]machine.Timer, n), due: make([]machine.Time, n)}
}

func (b *bench) set(i int, at machine.Time) {
	b.queue.Set(&b.timers[i], uint64(i), at)
	b.due[i] = at
}

func (b *bench) stop(i int) {
	b.queue.Stop(&b.timers[i])
	b.due[i] = 0
}

// expire returns what the queue lets fire at now.
func (b *bench) expire(now machine.Time) (fired []firing) {
	for {
		key, at, ok := b.queue.Pop(now)
		if !ok {
			return fired
		}
		due := b.timers[key].Due()
		if b.queue.Fired(&b.timers[key], key, at, now) {
			fired = append(fired, firing{due, key})
		}
	}
}

// expect returns what must fire at now: all that are due, by time and then by key.
func (b *bench) expect(now machine.Time) (want []firing) {
	for i, at := range b.due {
		if at != 0 && at <= now {
			want = append(want, firing{at, uint64(i)})
			b.due[i] = 0
		}
	}
	slices.SortFunc(want, func(a, b firing) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key))
	})
	return want
}

// earliest returns the first time at which the model wants something to fire.
func (b *bench) earliest() machine.Time {
	first := machine.Never
	for _, at := range b.due {
		if at != 0 {
			first = min(first, at)
		}
	}
	return first
}

// TestTimersAgainstModel: timers that are set, put off, brought forward and stopped in any order fire exactly when they
// are due, in the order of their times, also for a driver that comes late and finds many due.
func TestTimersAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(5)
		now := machine.Time(1)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, len(b.timers)-1).Draw(t, "timer")
			switch rapid.SampledFrom([]string{"set", "set", "stop", "wait", "prompt"}).Draw(t, "step") {
			case "set":
				b.set(i, now+machine.Time(rapid.IntRange(0, 12).Draw(t, "in")))
			case "stop":
				b.stop(i)
			case "wait":
				now += machine.Time(rapid.IntRange(0, 15).Draw(t, "late"))
			case "prompt":
				if next := b.queue.Next(); next != machine.Never {
					now = max(now, next)
				}
			}
			if next := b.queue.Next(); next > b.earliest() {
				t.Fatalf("Next is %d, but something is due at %d", next, b.earliest())
			}
			if now >= b.queue.Next() || rapid.Bool().Draw(t, "spurious") {
				if got, want := b.expire(now), b.expect(now); !slices.Equal(got, want) {
					t.Fatalf("at %d fired %v, want %v", now, got, want)
				}
			}
			checkDue(t, b)
		}
		// In the end everything fires, and the queue is empty.
		if got, want := b.expire(machine.Never-1), b.expect(machine.Never-1); !slices.Equal(got, want) {
			t.Fatalf("in the end fired %v, want %v", got, want)
		}
		if b.queue.Next() != machine.Never {
			t.Fatalf("an empty queue wants to be called at %d", b.queue.Next())
		}
	})
}

func checkDue(t *rapid.T, b *bench) {
	for i := range b.timers {
		want := b.due[i]
		if want == 0 {
			want = machine.Never
		}
		if got := b.timers[i].Due(); got != want {
			t.Fatalf("timer %d is due at %d, want %d", i, got, want)
		}
	}
}

// TestTimersPromptly drives as a good driver does, at every Next, and checks that nothing fires early or late even
// though every timer is put off several times.
func TestTimersPromptly(t *testing.T) {
	b := newBench(64)
	for round := range 4 {
		for i := range b.timers {
			b.set(i, machine.Time(10+100*round+(i*37)%64))
		}
	}
	b.stop(5)
	calls := 0
	for b.queue.Next() != machine.Never {
		now := b.queue.Next()
		if calls++; calls > 1000 {
			t.Fatalf("the queue is still not empty after %d calls, each at Next", calls)
		}
		if got, want := b.expire(now), b.expect(now); !slices.Equal(got, want) {
			t.Fatalf("at %d fired %v, want %v", now, got, want)
		}
	}
	if b.earliest() != machine.Never {
		t.Fatalf("something due at %d never fired", b.earliest())
	}
	// One call for each entry that was put off and one for each that fired: putting off four times costs one call.
	if want := 2 * len(b.timers); calls > want {
		t.Errorf("%d calls for %d timers, want at most %d", calls, len(b.timers), want)
	}
}

// TestTimersOrder: what is due together fires by key, whatever the order in which it was set or put off.
func TestTimersOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "order")
		b := newBench(len(order))
		for _, i := range order {
			b.set(i, machine.Time(rapid.IntRange(1, 50).Draw(t, "first")))
			b.set(i, 50)
		}
		for n, f := range b.expire(60) {
			if f.key != uint64(n) {
				t.Fatalf("firing %d is timer %d", n, f.key)
			}
		}
	})
}

// TestTimerSetInHandler: a timer that is set again while it fires, for now or for later, fires again, once.
func TestTimerSetInHandler(t *testing.T) {
	var q machine.Timers
	var tm machine.Timer
	q.Set(&tm, 7, 40) // an entry that will be stale
	q.Set(&tm, 7, 10)
	fired := 0
	for now := machine.Time(10); q.Next() != machine.Never && now < 100; now = max(now+1, q.Next()) {
		for {
			key, at, ok := q.Pop(now)
			if !ok {
				break
			}
			if q.Fired(&tm, key, at, now) {
				if fired++; fired == 1 {
					q.Set(&tm, 7, 40) // at the very time of the stale entry
				}
			}
		}
	}
	if fired != 2 {
		t.Errorf("fired %d times, want 2", fired)
	}
}

// TestTimersForgetStaleEntries: bringing a timer forward leaves its old entry in the heap. It goes when its time comes,
// so that a timer which is brought forward and put off for ever does not cost more and more.
func TestTimersForgetStaleEntries(t *testing.T) {
	b := newBench(1)
	for now := machine.Time(1); now < 10_000; now += 10 {
		b.set(0, now+5)
		b.set(0, now+40)
		entries := 0
		for {
			key, at, ok := b.queue.Pop(now + 10)
			if !ok {
				break
			}
			entries++
			if b.queue.Fired(&b.timers[key], key, at, now+10) {
				t.Fatalf("at %d the timer fired, but it was put off to %d", now+10, now+40)
			}
		}
		if entries > 2 { // the one that was put off and one that is stale
			t.Fatalf("at %d the queue has %d entries for one timer", now, entries)
		}
	}
}

func TestZeroTimerIsNotSet(t *testing.T) {
	var q machine.Timers
	var tm machine.Timer
	if q.Next() != machine.Never || tm.Due() != machine.Never {
		t.Errorf("zero queue is due at %d, zero timer at %d", q.Next(), tm.Due())
	}
	if _, _, ok := q.Pop(machine.Never); ok {
		t.Error("Pop of an empty queue returned something")
	}
	q.Stop(&tm)
	if tm.Due() != machine.Never {
		t.Error("Stop set a timer")
	}
}

// TestTimersDoNotAllocate: in the steady state, where suppression puts timers off all the time.
func TestTimersDoNotAllocate(t *testing.T) {
	b := newBench(32)
	now := machine.Time(1)
	for i := range b.timers {
		b.set(i, now+machine.Time(i+1))
	}
	n := testing.AllocsPerRun(200, func() {
		now += 3
		for i := range b.timers {
			b.queue.Set(&b.timers[i], uint64(i), now+machine.Time(i+1))
		}
		for {
			key, at, ok := b.queue.Pop(now)
			if !ok {
				break
			}
			b.queue.Fired(&b.timers[key], key, at, now)
		}
	})
	if n != 0 {
		t.Errorf("a round of timers allocates %v times, want 0", n)
	}
}

func TestTimeArithmetic(t *testing.T) {
	start := machine.Time(5 * machine.Second)
	if got := start.Add(250 * machine.Millisecond).Sub(start); got != 250_000*machine.Microsecond {
		t.Errorf("difference is %d ns", got)
	}
	if got := (1500 * machine.Millisecond).Seconds(); got != 1.5 {
		t.Errorf("1500 ms are %v s", got)
	}
}
