package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"i3bench/asm"
	"i3bench/experiments"
	"i3bench/internal/deliver"
	"i3bench/reports"
)

type microCmd struct {
	Parts    []string      `default:"lookups,copies" enum:"lookups,copies" help:"What is measured."`
	Sizes    []string      `default:"1e3,1e4,1e5,1e6" help:"Identifiers in the tables; 1e7 needs some 5 GB of memory."`
	Hits     []int         `default:"100,50" help:"Percent of look-ups that find something: 100, 50."`
	Fans     []int         `default:"1,8,64,256" help:"Receivers of each packet, up to 1024."`
	Payloads []int         `default:"64,512,1200" help:"Bytes of a packet's payload, up to 1200."`
	Rounds   int           `default:"3" help:"Times that each row is measured; rounds take turns."`
	Time     time.Duration `default:"0.3s" help:"How long a row is measured in each round."`
	From     []string      `placeholder:"FILE" help:"Show beside ours what another run measured: bin/tables.txt."`
}

// Bounds of what can be asked for: a run is to end, and to leave the machine memory.
const (
	mostIdentifiers = 1e7
	mostRounds      = 1000
	mostTime        = time.Minute
	leastPayload    = 8
	mostPayload     = 1200
)

// Run measures what an i3 node is made of: look-ups in its table, and copies on their way to receivers.
func (c *microCmd) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	others, err := c.others()
	if err != nil {
		return err
	}
	var stages []stage
	if slices.Contains(c.Parts, "lookups") {
		st, err := c.lookups(others)
		if err != nil {
			return err
		}
		stages = append(stages, st)
	}
	if slices.Contains(c.Parts, "copies") {
		stages = append(stages, c.copies(others))
	}
	return s.run(stages...)
}

// lookups is the stage that measures look-ups.
func (c *microCmd) lookups(others otherRuns) (st stage, err error) {
	e := experiments.Micro{Hits: c.Hits, Rounds: c.Rounds, For: c.Time, Others: others.lookups}
	if e.Sizes, err = c.sizes(); err != nil {
		return st, err
	}
	st = stage{
		name: reports.StageMicro, run: e.Run,
		what: fmt.Sprintf("%d rows, %d rounds of %v each", e.Rows(), e.Rounds, e.For),
		note: fmt.Sprintf("tables of %s, kernels %s, %d rounds of %v", strings.Join(c.Sizes, ", "),
			strings.Join(asm.Variants(), ", "), e.Rounds, e.For),
	}
	if len(e.Others) > 0 || others.left > 0 {
		st.note += fmt.Sprintf("; %d results of another run, %d of other jobs left out", len(e.Others), others.left)
	}
	return st, nil
}

// copies is the stage that measures copies, which is recorded as skipped where it cannot be.
func (c *microCmd) copies(others otherRuns) stage {
	e := experiments.Copies{Fans: c.Fans, Payloads: c.Payloads, Rounds: c.Rounds, For: c.Time, Others: others.copies}
	st := stage{
		name: reports.StageCopies, run: e.Run,
		what: fmt.Sprintf("%d rows, %d rounds of %v each", e.Rows(), e.Rounds, e.For),
		note: fmt.Sprintf("%v receivers, payloads of %v bytes, %d rounds of %v", c.Fans, c.Payloads, e.Rounds, e.For),
	}
	if runtime.GOOS != "linux" {
		st.run, st.status, st.note = nil, reports.Skipped, "the processor time of a sender is read on Linux only"
	} else if len(e.Others) > 0 {
		st.note += fmt.Sprintf("; %d results of another run", len(e.Others))
	}
	return st
}

// check returns what is wrong with the flags, but for the sizes.
func (c *microCmd) check() error {
	if err := positive(map[string]float64{"rounds": float64(c.Rounds), "time": c.Time.Seconds()}); err != nil {
		return err
	}
	for _, err := range []error{
		atMost("--rounds", c.Rounds, mostRounds), atMost("--time", c.Time, mostTime), c.checkHits(),
		within("--fans", c.Fans, 1, deliver.MaxFan), within("--payloads", c.Payloads, leastPayload, mostPayload),
	} {
		if err != nil {
			return &usageError{err}
		}
	}
	return nil
}

func atMost[T cmp.Ordered](flag string, got, most T) error {
	if got > most {
		return fmt.Errorf("%s %v: want at most %v", flag, got, most)
	}
	return nil
}

// within checks that there are values, all different and within bounds.
func within(flag string, values []int, least, most int) error {
	for _, v := range values {
		if v < least || v > most {
			return fmt.Errorf("%s %d: want %d to %d", flag, v, least, most)
		}
	}
	if len(values) == 0 {
		return fmt.Errorf("%s: want at least one", flag)
	}
	return distinct(flag, values)
}

func (c *microCmd) checkHits() error {
	for _, hit := range c.Hits {
		if hit != 100 && hit != 50 {
			return fmt.Errorf("--hits %d: want 100 or 50", hit)
		}
	}
	if len(c.Hits) == 0 {
		return errors.New("--hits: want 100 or 50, or both")
	}
	return distinct("--hits", c.Hits)
}

// sizes returns the numbers of identifiers, ascending.
func (c *microCmd) sizes() (sizes []int, err error) {
	for _, text := range c.Sizes {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 1 && n <= mostIdentifiers) || n != math.Trunc(n) {
			return nil, &usageError{fmt.Errorf("--sizes %.20q: want whole numbers from 1 to 1e7, such as 1e6", text)}
		}
		sizes = append(sizes, int(n))
	}
	if len(sizes) == 0 {
		return nil, &usageError{errors.New("--sizes: want at least one, such as 1e6")}
	}
	slices.Sort(sizes)
	if err := distinct("--sizes", sizes); err != nil {
		return nil, &usageError{err}
	}
	return sizes, nil
}

// otherRuns are results of other runs.
type otherRuns struct {
	lookups, copies []reports.Sample
	left            int // results of look-ups that have no place beside ours
}

// others reads the results of other runs. A file may have those of either part, or of both.
func (c *microCmd) others() (all otherRuns, err error) {
	for _, name := range c.From {
		text, err := os.ReadFile(name)
		if err != nil {
			return all, &usageError{fmt.Errorf("--from: %w", err)}
		}
		lookups, left, err := experiments.ReadOthers(bytes.NewReader(text), c.Hits)
		if err != nil {
			return all, &usageError{fmt.Errorf("--from %s: %w", name, err)}
		}
		copies, err := experiments.ReadOtherCopies(bytes.NewReader(text))
		if err != nil {
			return all, &usageError{fmt.Errorf("--from %s: %w", name, err)}
		}
		if len(lookups)+len(copies) == 0 {
			return all, &usageError{fmt.Errorf("--from %s: no result in ns/lookup of a table with uniform keys and %v %% hits, "+
				"and none in deliveries/cpu-s or copies/cpu-s", name, c.Hits)}
		}
		all.lookups, all.copies = append(all.lookups, lookups...), append(all.copies, copies...)
		all.left += left
	}
	return all, nil
}
