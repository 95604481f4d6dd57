package deliver

import "net/netip"

// A Job is what is to be delivered.
type Job struct {
	Fan    int              // receivers
	Size   int              // bytes of a packet
	Window int              // packets that may be under way to each receiver
	Arg    string           // Setup.Arg
	To     []netip.AddrPort // the receivers, none where a local role has its own
}

// A Role is what one of the two processes does: it gets ready, says so, and delivers until Task.Take returns no more or
// Task.Wait returns. Then it gives back what it opened. Its error fails the run.
type Role func(*Task) error

// A Task is a role's part in a run. It is for one goroutine, but for its tallies.
type Task struct {
	Job
	Peer string // of a local role: what the sender said when it was ready, such as its address

	board *board
	least uint64 // packets that each receiver had when this was last looked up
	ready func(string)
	over  <-chan struct{}
	pause func() // passes a short time, in the way that costs this process least
}

// Ready says that the role is ready, and a sender also where it may be found. Measuring begins when all are.
func (t *Task) Ready(where string) { t.ready(where) }

// Tally returns the account of a receiver.
func (t *Task) Tally(receiver int) *Tally { return &t.board.tallies[receiver] }

// Take waits until each receiver has room for n more packets, at most half the window, and returns the number of the
// first of them and how many there are. Each must then be sent to all. It returns no packets when the run is over. Only
// one role of a run may take.
func (t *Task) Take(n int) (first uint64, taken int) {
	n = max(1, min(n, t.Window/2))
	if t.wait(n) {
		t.board.asking.Store(1)
		for t.wait(n) {
			t.pause()
		}
		t.board.asking.Store(0)
	}
	first = t.board.taken.Load()
	if first&ended != 0 || !t.board.taken.CompareAndSwap(first, first+uint64(n)) {
		t.board.asking.Store(1) // for good
		return 0, 0
	}
	return first, n
}

// wait reports whether n packets cannot be taken yet. It looks at the receivers, whose counts are in the cache of
// another core, only if there is no room by what it knows of them.
func (t *Task) wait(n int) bool {
	taken := t.board.taken.Load()
	if taken&ended != 0 {
		return false
	}
	limit := taken + uint64(n)
	if limit > t.least+uint64(t.Window) {
		_, t.least = t.board.fewest(t.Fan)
	}
	return limit > t.least+uint64(t.Window) || t.board.begun.Load() == 0
}

// Wait returns when the run is over and everything has arrived.
func (t *Task) Wait() { <-t.over }

// Over is closed when the run is over, for roles that have other things to wait for.
func (t *Task) Over() <-chan struct{} { return t.over }
