package experiments

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"i3bench/internal/tablelines"
	"i3bench/reports"
)

// ReadOthers reads results of tables in the format of Go benchmarks, from another run, and returns those that can
// stand beside [Micro]'s: of keys drawn alike, of batches of the same size and of the given shares of hits. It also
// returns how many it left out.
func ReadOthers(from io.Reader, hits []int) (kept []reports.Sample, left int, err error) {
	lines, err := tablelines.Read(from)
	if err != nil {
		return nil, 0, err
	}
	rounds := make(map[tablelines.Row]uint64)
	for _, l := range lines {
		hit, _ := strconv.Atoi(l.Hit)
		if l.Keys != "uniform" || l.Batch != "" && l.Batch != "256" || !slices.Contains(hits, hit) {
			left++
			continue
		}
		rounds[l.Row]++
		s, err := other(l, hit, rounds[l.Row])
		if err != nil {
			return nil, 0, err
		}
		kept = append(kept, s)
	}
	return kept, left, nil
}

func other(l tablelines.Line, hit int, round uint64) (s reports.Sample, err error) {
	n, err := strconv.ParseFloat(l.N, 64)
	if err != nil || n < 1 || n > 1e15 || n != math.Trunc(n) {
		return s, fmt.Errorf("a table of %.20q identifiers, want a whole number from 1 on", l.N)
	}
	if strings.ContainsAny(l.Who, ",\"") {
		return s, fmt.Errorf("a table named %.40q, want a name without comma and quote", l.Who)
	}
	s = reports.Sample{
		Stage: reports.StageMicro, Kind: reports.KindLookupElsewhere, Seed: round, N: int64(n), Level: hit, Value: l.NS,
		Group: l.Who, Status: reports.StatusOK,
	}
	if kernel, ours := strings.CutPrefix(l.Who, tablelines.Ours); ours {
		s.Group = "matcher" + kernel
	}
	if tablelines.Busy(l.Share) {
		s.Status = reports.StatusBusy
	}
	return s, nil
}
