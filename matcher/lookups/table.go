package lookups

import (
	"encoding/binary"
	"fmt"

	"i3bench/i3"
	"i3bench/internal/tablebench"
	"i3bench/matcher"
)

// ID is an identifier of the job as the matcher takes it.
func ID(id tablebench.ID) i3.ID {
	var key i3.Key
	binary.BigEndian.PutUint64(key[:8], id[1])
	binary.BigEndian.PutUint64(key[8:], id[2])
	return i3.NewID(id[0], key, id[3])
}

// now is the tick of all look-ups, at which every trigger of the table is live.
const now, expire = 5, 10

// Table returns look-ups in the matcher's table with n identifiers of the job, and what gives its memory back.
func Table(n int) (lookup tablebench.Lookup[i3.ID], done func() error, err error) {
	table, err := matcher.New(matcher.Config{MaxTriggers: n})
	if err != nil {
		return nil, nil, fmt.Errorf("lookups: table of %d: %w", n, err)
	}
	for i := range n {
		outcome, err := table.Insert(ID(tablebench.Present(i)), matcher.Target(i), 0, expire)
		if outcome != matcher.Added || err != nil {
			table.Close()
			return nil, nil, fmt.Errorf("lookups: table of %d: identifier %d: %v, %w; want it added", n, i, outcome, err)
		}
	}
	var m matcher.Matches
	return func(ids []i3.ID) (sum uint64) {
		table.MatchBatch(ids, now, &m)
		for _, tg := range m.Targets {
			sum += uint64(tg)
		}
		return sum
	}, table.Close, nil
}
