package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"i3bench/asm"
	"i3bench/experiments"
	"i3bench/reports"
)

type microCmd struct {
	Sizes  []string      `default:"1e3,1e4,1e5,1e6" help:"Identifiers in the tables; 1e7 needs some 5 GB of memory."`
	Hits   []int         `default:"100,50" help:"Percent of look-ups that find something: 100, 50."`
	Rounds int           `default:"3" help:"Times that each row is measured; rounds take turns."`
	Time   time.Duration `default:"0.3s" help:"How long a row is measured in each round."`
	From   string        `placeholder:"FILE" help:"Show beside ours what another run measured, such as bin/tables.txt."`
}

// Bounds of what can be asked for: a run is to end, and to leave the machine memory.
const (
	mostIdentifiers = 1e7
	mostRounds      = 1000
	mostTime        = time.Minute
)

// Run measures the matcher's look-ups.
func (c *microCmd) Run(s *session) error {
	e, left, err := c.experiment()
	if err != nil {
		return err
	}
	st := stage{
		name: reports.StageMicro, run: e.Run,
		what: fmt.Sprintf("%d rows, %d rounds of %v each", e.Rows(), e.Rounds, e.For),
		note: fmt.Sprintf("tables of %s, kernels %s, %d rounds of %v", strings.Join(c.Sizes, ", "),
			strings.Join(asm.Variants(), ", "), e.Rounds, e.For),
	}
	if c.From != "" {
		st.note += fmt.Sprintf("; %d results of another run, %d of other jobs left out", len(e.Others), left)
	}
	return s.run(st)
}

// experiment also returns how many results of another run have no place beside ours.
func (c *microCmd) experiment() (e experiments.Micro, left int, err error) {
	if err := positive(map[string]float64{"rounds": float64(c.Rounds), "time": c.Time.Seconds()}); err != nil {
		return e, 0, err
	}
	switch {
	case c.Rounds > mostRounds:
		return e, 0, &usageError{fmt.Errorf("--rounds %d: want at most %d", c.Rounds, mostRounds)}
	case c.Time > mostTime:
		return e, 0, &usageError{fmt.Errorf("--time %v: want at most %v", c.Time, mostTime)}
	}
	e = experiments.Micro{Hits: c.Hits, Rounds: c.Rounds, For: c.Time}
	if err := c.checkHits(); err != nil {
		return e, 0, &usageError{err}
	}
	if e.Sizes, err = c.sizes(); err != nil {
		return e, 0, err
	}
	if c.From != "" {
		e.Others, left, err = c.others(e.Hits)
	}
	return e, left, err
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

// others reads the results of another run.
func (c *microCmd) others(hits []int) (others []reports.Sample, left int, err error) {
	file, err := os.Open(c.From)
	if err != nil {
		return nil, 0, &usageError{fmt.Errorf("--from: %w", err)}
	}
	defer file.Close()
	others, left, err = experiments.ReadOthers(file, hits)
	if err != nil {
		return nil, 0, &usageError{fmt.Errorf("--from %s: %w", c.From, err)}
	}
	if len(others) == 0 {
		return nil, 0, &usageError{fmt.Errorf("--from %s: no result in ns/lookup of a table with uniform keys and %v %% hits",
			c.From, hits)}
	}
	return others, left, nil
}
