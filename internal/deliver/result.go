package deliver

import "time"

// A Result is what was measured.
type Result struct {
	Packets   uint64        // that reached receivers in the time that was measured
	Datagrams uint64        // in which they came; 0 if they came otherwise
	Reads     uint64        // in which receivers took them from the kernel
	Wall      time.Duration // the time that was measured
	Processor time.Duration // for which the sender had a processor in it
	Received  float64       // percent of all copies sent, those of the warm-up too; 100 unless the run failed
}

// PerProcessorSecond returns how many packets were delivered for a second of the sender's processor time.
func (r Result) PerProcessorSecond() float64 { return ratio(float64(r.Packets), r.Processor.Seconds()) }

// PerSecond returns how many packets were delivered in a second.
func (r Result) PerSecond() float64 { return ratio(float64(r.Packets), r.Wall.Seconds()) }

// Busy returns for how many percent of the time the sender had a processor. If that is far below 100 then it waited
// for others, and its time includes going to sleep and waking up.
func (r Result) Busy() float64 { return 100 * ratio(r.Processor.Seconds(), r.Wall.Seconds()) }

// PerRead returns how many packets a receiver took from the kernel at once.
func (r Result) PerRead() float64 { return ratio(float64(r.Packets), float64(r.Reads)) }

// ratio returns 0 for what did not happen.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// A mark is the state of the counters at one time.
type mark struct {
	count
	at        time.Time
	processor time.Duration
}

// A count is what receivers have got together.
type count struct{ packets, datagrams, reads uint64 }

func (r *Run) received() (c count) {
	for i := range r.board.tallies[:r.setup.Fan] {
		t := &r.board.tallies[i]
		c.packets += t.packets.Load()
		c.datagrams += t.datagrams.Load()
		c.reads += t.reads.Load()
	}
	return c
}

func (r *Run) mark() (m mark, err error) {
	m.processor, err = r.sender.time()
	m.at, m.count = time.Now(), r.received()
	return m, err
}

// result returns what happened from the warm-up's end until a mark.
func (r *Run) result(m mark) Result {
	sent := r.board.total() * uint64(r.setup.Fan)
	return Result{
		Packets:   m.packets - r.began.packets,
		Datagrams: m.datagrams - r.began.datagrams,
		Reads:     m.reads - r.began.reads,
		Wall:      m.at.Sub(r.began.at),
		Processor: m.processor - r.began.processor,
		Received:  100 * ratio(float64(m.packets), float64(sent)),
	}
}
