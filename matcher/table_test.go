package matcher_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"i3bench/asm"
	"i3bench/i3"
	"i3bench/matcher"
	"i3bench/matcher/naive"
)

// equalTags are pairs whose hashes under the zero seed agree in the 24 lowest bits and the 8 highest, so that they have
// one home and one tag, found by search, and differ in the prefix, and in either half of the key.
var equalTags = [3][2]i3.ID{
	{i3.NewID(81368, i3.Key{}, 0), i3.NewID(13060, i3.Key{}, 0)},
	{i3.NewID(0, keyOf(47443, 0), 0), i3.NewID(0, keyOf(40396, 0), 0)},
	{i3.NewID(0, keyOf(0, 74151), 0), i3.NewID(0, keyOf(0, 28351), 0)},
}

func keyOf(hi, lo uint64) (k i3.Key) {
	binary.BigEndian.PutUint64(k[:8], hi)
	binary.BigEndian.PutUint64(k[8:], lo)
	return k
}

func newTable(t testing.TB, cfg matcher.Config) *matcher.Table {
	t.Helper()
	table, err := matcher.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// both runs a test on the table and on the oracle.
func both(t *testing.T, cfg matcher.Config, f func(*testing.T, table)) {
	t.Run("table", func(t *testing.T) { f(t, newTable(t, cfg)) })
	t.Run("naive", func(t *testing.T) {
		n, err := naive.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		f(t, n)
	})
}

func mustInsert(t testing.TB, table table, id i3.ID, tg matcher.Target, now, expire matcher.Tick) {
	t.Helper()
	if got, err := table.Insert(id, tg, now, expire); got != matcher.Added || err != nil {
		t.Fatalf("insert %v %d: %v, %v, want added", id, tg, got, err)
	}
}

func wantMatch(t testing.TB, table table, id i3.ID, now matcher.Tick, winner i3.ID, targets ...matcher.Target) {
	t.Helper()
	w, got := table.Match(id, now, nil)
	if w != winner || !slices.Equal(got, targets) {
		t.Errorf("match %v at %d: %v %v, want %v %v", id, now, w, got, winner, targets)
	}
}

var group = i3.NewID(0x1234, i3.Key{5, 6}, 0)

// TestReplication is figure 3a: every receiver with a trigger for id gets a
// copy, in the order of insertion.
func TestReplication(t *testing.T) {
	both(t, matcher.Config{}, func(t *testing.T, table table) {
		id := group.WithSuffix(42)
		for _, receiver := range []matcher.Target{3, 1, 2} {
			mustInsert(t, table, id, receiver, 0, 30)
		}
		wantMatch(t, table, id, 29, id, 3, 1, 2)
		if !table.Remove(id, 1) || table.Remove(id, 1) {
			t.Error("remove of a stored trigger: want true once")
		}
		wantMatch(t, table, id, 29, id, 3, 2)
		wantMatch(t, table, id, 30, i3.ID{})
		wantMatch(t, table, i3.NewID(0x1234, i3.Key{5, 7}, 42), 0, i3.ID{})
		wantMatch(t, table, i3.NewID(0x1235, i3.Key{5, 6}, 42), 0, i3.ID{})
	})
}

// TestAnycast is figure 3b: of the receivers whose triggers agree with the
// packet in the first 192 bits, the one with the longest common prefix in the
// last 64 gets the packet.
func TestAnycast(t *testing.T) {
	both(t, matcher.Config{}, func(t *testing.T, table table) {
		suffix := func(b byte) i3.ID { return group.WithSuffix(uint64(b) << 56) }
		mustInsert(t, table, suffix(0b0001_0000), 1, 0, 30)
		mustInsert(t, table, suffix(0b1011_0000), 2, 0, 20)
		mustInsert(t, table, suffix(0b1000_0000), 3, 0, 30)
		for packet, receiver := range map[byte]byte{
			0b1010_0000: 0b1011_0000, // agrees in three bits with the second, in two with the third
			0b1011_1111: 0b1011_0000,
			0b1001_0000: 0b1000_0000,
			0b0111_0000: 0b0001_0000,
		} {
			want := map[byte]matcher.Target{0b0001_0000: 1, 0b1011_0000: 2, 0b1000_0000: 3}[receiver]
			wantMatch(t, table, suffix(packet), 0, suffix(receiver), want)
		}
		// The best has expired: the packet goes to the second best.
		wantMatch(t, table, suffix(0b1010_0000), 20, suffix(0b1000_0000), 3)
	})
}

// TestTieBreak has two members with equally long common prefixes: the smaller
// exclusive or wins, whatever the order of insertion.
func TestTieBreak(t *testing.T) {
	for _, order := range [][]uint64{{0b000, 0b001}, {0b001, 0b000}} {
		both(t, matcher.Config{}, func(t *testing.T, table table) {
			for _, s := range order {
				mustInsert(t, table, group.WithSuffix(s), matcher.Target(s), 0, 30)
			}
			wantMatch(t, table, group.WithSuffix(0b110), 0, group.WithSuffix(0b000), 0)
			wantMatch(t, table, group.WithSuffix(0b101), 0, group.WithSuffix(0b001), 1)
		})
	}
}

// TestWinnerReplicates has a group in which the winner has several triggers.
func TestWinnerReplicates(t *testing.T) {
	both(t, matcher.Config{}, func(t *testing.T, table table) {
		a, b := group.WithSuffix(8), group.WithSuffix(9)
		for tg := range matcher.Target(9) {
			mustInsert(t, table, b, tg, 0, 10+matcher.Tick(tg%2))
		}
		mustInsert(t, table, a, 100, 0, 30)
		wantMatch(t, table, b, 9, b, 0, 1, 2, 3, 4, 5, 6, 7, 8)
		wantMatch(t, table, b, 10, b, 1, 3, 5, 7)
		wantMatch(t, table, b, 11, a, 100)
		if n := table.Count(b, 10); n != 4 {
			t.Errorf("count of live triggers: %d, want 4", n)
		}
	})
}

func TestInsertErrors(t *testing.T) {
	reclaimed := []matcher.Target(nil)
	cfg := matcher.Config{MaxTriggers: 4, MaxPerID: 2,
		Reclaimed: func(_ i3.ID, tg matcher.Target) { reclaimed = append(reclaimed, tg) }}
	both(t, cfg, func(t *testing.T, table table) {
		reclaimed = nil
		a, b := group.WithSuffix(1), group.WithSuffix(2)
		wantErr := func(id i3.ID, tg matcher.Target, now, expire matcher.Tick, want error) {
			t.Helper()
			got, err := table.Insert(id, tg, now, expire)
			if got != 0 || !errors.Is(err, want) {
				t.Errorf("insert %v %d at %d until %d: %v, %v, want %v", id, tg, now, expire, got, err, want)
			}
			if detail := (*matcher.InsertError)(nil); !errors.As(err, &detail) || detail.ID != id {
				t.Errorf("error %v does not name the identifier", err)
			}
		}
		wantErr(a, 1, 5, 5, matcher.ErrExpired)
		wantErr(a, 1, 5, 4, matcher.ErrExpired)
		mustInsert(t, table, a, 1, 0, 10)
		mustInsert(t, table, a, 2, 0, 20)
		wantErr(a, 3, 9, 30, matcher.ErrPerID)
		if got, err := table.Insert(a, 2, 9, 19); got != matcher.Refreshed || err != nil {
			t.Errorf("insert again: %v, %v, want refreshed", got, err)
		}
		mustInsert(t, table, a, 3, 10, 30) // takes the place of target 1
		mustInsert(t, table, b, 4, 10, 11)
		mustInsert(t, table, b, 5, 10, 30)
		wantErr(group.WithSuffix(3), 6, 12, 30, matcher.ErrFull)
		mustInsert(t, table, b, 6, 12, 30) // b's own expired trigger makes room
		if !slices.Equal(reclaimed, []matcher.Target{1, 4}) {
			t.Errorf("reclaimed %v, want 1 and 4", reclaimed)
		}
		wantMatch(t, table, a, 18, a, 2, 3)
		wantMatch(t, table, b, 18, b, 5, 6)
	})
}

// TestRevive refreshes triggers that have expired but are still stored.
func TestRevive(t *testing.T) {
	both(t, matcher.Config{}, func(t *testing.T, table table) {
		a := group.WithSuffix(1)
		for tg := range matcher.Target(4) {
			mustInsert(t, table, a, tg, 0, 10)
		}
		if got, err := table.Insert(a, 2, 15, 20); got != matcher.Refreshed || err != nil {
			t.Errorf("insert of an expired trigger: %v, %v, want refreshed", got, err)
		}
		missing := table.RefreshBatch([]matcher.Refresh{
			{a, 3, 20}, {a, 4, 20}, {a, 0, 15}, {group, 0, 20}, {a, 1, 20},
		}, 15, nil)
		if !slices.Equal(missing, []int{1, 2, 3}) {
			t.Errorf("missing %v, want the unknown target, the late expiry and the unknown identifier", missing)
		}
		wantMatch(t, table, a, 15, a, 1, 2, 3)
		if table.Len() != 4 {
			t.Errorf("length %d, want 4", table.Len())
		}
	})
}

func TestSweepResumes(t *testing.T) {
	both(t, matcher.Config{MaxPerID: 100}, func(t *testing.T, table table) {
		for i := range uint64(30) {
			mustInsert(t, table, group.WithSuffix(i/3), matcher.Target(i), 0, 10+matcher.Tick(i%2)*10)
		}
		var swept []matcher.Target
		calls := 1
		for !table.Sweep(7, 10, func(_ i3.ID, tg matcher.Target) { swept = append(swept, tg) }) {
			if calls++; len(swept) > 7*calls {
				t.Fatalf("%d triggers in %d calls of at most 7", len(swept), calls)
			}
		}
		if calls < 3 || calls > 12 {
			t.Errorf("%d calls of at most 7 for 15 of 30 triggers, want 3 to 12", calls)
		}
		slices.Sort(swept)
		for i, tg := range swept {
			if tg != matcher.Target(2*i) {
				t.Fatalf("swept %v, want the 15 even ones", swept)
			}
		}
		if len(swept) != 15 || table.Len() != 15 {
			t.Errorf("swept %d and left %d, want 15 of each", len(swept), table.Len())
		}
		if !table.Sweep(0, 20, nil) || table.Len() != 0 {
			t.Errorf("sweep of everything leaves %d", table.Len())
		}
	})
}

// TestSweepKeepsItsPlace stops a sweep inside a list and removes from both
// sides of that place: the pass must still take the rest.
func TestSweepKeepsItsPlace(t *testing.T) {
	table := newTable(t, matcher.Config{MaxPerID: 10})
	for tg, expire := range []matcher.Tick{10, 20, 10, 10, 20, 10, 20, 10} {
		mustInsert(t, table, group, matcher.Target(tg), 0, expire)
	}
	var got []matcher.Target
	sweep := func(max int) bool {
		return table.Sweep(max, 10, func(_ i3.ID, tg matcher.Target) { got = append(got, tg) })
	}
	for len(got) < 2 {
		if sweep(2) {
			t.Fatalf("done after %v", got)
		}
	}
	table.Remove(group, 1)
	table.Remove(group, 4)
	table.Remove(group, 5)
	for range 20 {
		if sweep(2) {
			break
		}
	}
	if !slices.Equal(got, []matcher.Target{0, 2, 3, 7}) {
		t.Errorf("swept %v, want 0, 2, 3 and 7", got)
	}
}

// TestSweepCost: a pass costs what has expired, not what is stored; and what was refreshed is looked at once.
func TestSweepCost(t *testing.T) {
	table, ids := filled(t, 100_000) // until tick 10
	calls := func(now matcher.Tick) (n int) {
		for n = 1; !table.Sweep(100, now, nil); n++ {
		}
		return n
	}
	if n := calls(5); n > 2 {
		t.Errorf("%d calls of at most 100 where nothing has expired, want at most 2", n)
	}
	if got := table.Soonest(); got != 10 {
		t.Errorf("soonest %d, want 10", got)
	}
	for i, id := range ids[1:] {
		if _, err := table.Insert(id, matcher.Target(i+1), 5, 30); err != nil {
			t.Fatal(err)
		}
	}
	if n := calls(10); n < 100 || n > 3000 {
		t.Errorf("%d calls of at most 100 for 1.6e5 cells that were refreshed, want that many cells", n)
	}
	if table.Len() != len(ids)-1 || table.Soonest() != 30 {
		t.Errorf("%d triggers, soonest %d, want %d and 30", table.Len(), table.Soonest(), len(ids)-1)
	}
	if n := calls(20); n > 2 {
		t.Errorf("%d calls of at most 100 after that, want at most 2", n)
	}
}

// TestMatchBatchChunks compares long batches with single matches.
func TestMatchBatchChunks(t *testing.T) {
	table := newTable(t, matcher.Config{})
	ids := make([]i3.ID, 1000)
	for i := range ids {
		ids[i] = i3.NewID(uint64(i%700), i3.Key{}, uint64(i))
		if i%3 > 0 {
			mustInsert(t, table, ids[i], matcher.Target(i), 0, 10+matcher.Tick(i%5))
		}
	}
	var m matcher.Matches
	for _, n := range []int{0, 1, 63, 64, 65, 128, 1000} {
		table.MatchBatch(ids[:n], 12, &m)
		if m.Len() != n || len(m.Off) != n+1 {
			t.Fatalf("batch of %d: %d results, %d offsets", n, m.Len(), len(m.Off))
		}
		for i, id := range ids[:n] {
			if w, want := table.Match(id, 12, nil); w != m.Matched[i] || !slices.Equal(want, m.At(i)) {
				t.Errorf("batch of %d, identifier %d: %v %v, want %v %v", n, i, m.Matched[i], m.At(i), w, want)
			}
		}
	}
}

// TestCollisions: identifiers that were chosen to meet in one home do so only in a table whose seed was known.
func TestCollisions(t *testing.T) {
	const n, homes = 2000, 1 << 12
	key := asm.NewKey(0, 0)
	chosen := make([]i3.ID, 0, n)
	for i := uint64(0); len(chosen) < n; i++ {
		if id := i3.NewID(i, i3.Key{}, 0); asm.HashOne(&id, &key)%homes == 0 {
			chosen = append(chosen, id)
		}
	}
	longest := func(seed byte) int {
		table := newTable(t, matcher.Config{Seed: [16]byte{seed}})
		for _, id := range chosen {
			mustInsert(t, table, id, 1, 0, 10)
		}
		return table.Stats().ProbeMax
	}
	if got := longest(0); got < n/2 {
		t.Errorf("a search reads at most %d cells where the seed was known: these identifiers do not meet", got)
	}
	if got := longest(1); got > 8 {
		t.Errorf("a search reads up to %d cells where the seed was not known, want at most 8", got)
	}
}

// TestInsertBatch compares batches with single insertions: what is stored, what is refused, and what is reclaimed.
func TestInsertBatch(t *testing.T) {
	var reclaimed [2][]matcher.Target
	var tables [2]*matcher.Table
	for i := range tables {
		tables[i] = newTable(t, matcher.Config{
			MaxPerID: 3, MaxTriggers: 700,
			Reclaimed: func(_ i3.ID, tg matcher.Target) { reclaimed[i] = append(reclaimed[i], tg) },
		})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	ids := randomIDs(300, 3)
	for now := range matcher.Tick(40) {
		rs := make([]matcher.Refresh, rng.IntN(600))
		var want []int
		for i := range rs {
			rs[i] = matcher.Refresh{
				ID: ids[rng.IntN(len(ids))], Target: matcher.Target(rng.IntN(5)), Expire: now + matcher.Tick(rng.IntN(6)),
			}
			if _, err := tables[0].Insert(rs[i].ID, rs[i].Target, now, rs[i].Expire); err != nil {
				want = append(want, i)
			}
		}
		if got := tables[1].InsertBatch(rs, now, nil); !slices.Equal(got, want) {
			t.Fatalf("tick %d: refused %v, want %v", now, got, want)
		}
		for _, id := range ids {
			if a, b := tables[0].Stored(id, nil), tables[1].Stored(id, nil); !slices.Equal(a, b) {
				t.Fatalf("tick %d: %v stored, want %v", now, b, a)
			}
		}
	}
	if !slices.Equal(reclaimed[0], reclaimed[1]) || len(reclaimed[0]) == 0 {
		t.Errorf("%d reclaimed in batches, %d one by one, want the same and some", len(reclaimed[1]), len(reclaimed[0]))
	}
}

// TestEqualTags has groups that the hash cannot tell apart.
func TestEqualTags(t *testing.T) {
	for _, pair := range equalTags {
		table := newTable(t, matcher.Config{})
		a, b := pair[0].WithSuffix(5), pair[1].WithSuffix(6)
		if d := table.Hash(a) ^ table.Hash(b); d&(1<<24-1) != 0 || d>>56 != 0 {
			t.Fatalf("hashes %x and %x, want the same home and tag", table.Hash(a), table.Hash(b))
		}
		mustInsert(t, table, a, 1, 0, 10)
		wantMatch(t, table, b, 0, i3.ID{})
		mustInsert(t, table, b, 2, 0, 20)
		mustInsert(t, table, a.WithSuffix(7), 3, 0, 10)
		wantMatch(t, table, a, 0, a, 1)
		wantMatch(t, table, b, 10, b, 2)
		wantMatch(t, table, a, 10, i3.ID{})
		table.Sweep(0, 10, nil)
		wantMatch(t, table, b, 10, b, 2)
		if err := table.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestZeroID has the identifier that unused memory looks like.
func TestZeroID(t *testing.T) {
	both(t, matcher.Config{}, func(t *testing.T, table table) {
		wantMatch(t, table, i3.ID{}, 0, i3.ID{})
		if table.Remove(i3.ID{}, 0) || table.Count(i3.ID{}, 0) != 0 {
			t.Error("an empty table has the zero identifier")
		}
		mustInsert(t, table, i3.ID{}, 0, 0, 1)
		wantMatch(t, table, i3.ID{}, 0, i3.ID{}, 0)
		wantMatch(t, table, i3.ID{}, 1, i3.ID{})
		mustInsert(t, table, i3.ID{}.WithSuffix(1), 0, 0, 1)
		wantMatch(t, table, i3.ID{}, 1, i3.ID{})
	})
}

// TestLongLists fills and empties one identifier through all run sizes.
func TestLongLists(t *testing.T) {
	table := newTable(t, matcher.Config{MaxPerID: 1000})
	want := []matcher.Target{}
	for tg := range matcher.Target(1000) {
		mustInsert(t, table, group, tg, 0, 10)
		want = append(want, tg)
	}
	for len(want) > 0 {
		wantMatch(t, table, group, 0, group, want...)
		i := len(want) * 2 / 3
		if !table.Remove(group, want[i]) {
			t.Fatalf("remove %d: not there", want[i])
		}
		want = slices.Delete(want, i, i+1)
		if err := table.Check(); err != nil {
			t.Fatal(err)
		}
	}
	wantMatch(t, table, group, 0, i3.ID{})
}

func TestConfig(t *testing.T) {
	for field, cfg := range map[string]matcher.Config{
		"MaxTriggers": {MaxTriggers: -1}, "MaxTriggers 1073741825": {MaxTriggers: matcher.MaxMaxTriggers + 1},
		"MaxPerID": {MaxPerID: -1}, "MaxPerID 65537": {MaxPerID: matcher.MaxMaxPerID + 1},
	} {
		_, err := matcher.New(cfg)
		if err == nil || !strings.Contains(err.Error(), "matcher: new: "+field) {
			t.Errorf("%+v: error %v, want one about %s", cfg, err, field)
		}
		if _, err := naive.New(cfg); err == nil {
			t.Errorf("naive, %+v: no error", cfg)
		}
	}
	table := newTable(t, matcher.Config{})
	for tg := range matcher.Target(matcher.DefaultMaxPerID) {
		mustInsert(t, table, group, tg, 0, 10)
	}
	if _, err := table.Insert(group, 99, 0, 10); !errors.Is(err, matcher.ErrPerID) {
		t.Errorf("trigger beyond the default limit: %v", err)
	}
	want := "matcher: insert 0000000000001234...: at tick 0 until 10: identifier has Config.MaxPerID live triggers"
	if _, err := table.Insert(group, 99, 0, 10); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if s := table.String(); s != "matcher.Table("+table.Kernel()+", 9 of 1048576 triggers)" {
		t.Errorf("String: %q", s)
	}
	if s := matcher.Added.String() + " " + matcher.Refreshed.String() + " " + matcher.Outcome(0).String(); s !=
		"added refreshed outcome 0" {
		t.Errorf("outcomes: %q", s)
	}
}

// TestAllStops leaves an iteration in the middle.
func TestAllStops(t *testing.T) {
	table := newTable(t, matcher.Config{})
	for i := range uint64(10) {
		mustInsert(t, table, group.WithSuffix(i), 1, 0, 10)
	}
	n := 0
	for range table.All(0) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d triggers before the break, want 3", n)
	}
}

// TestStored: the targets of an identifier are there, live or expired, until they are reclaimed, and no other's.
func TestStored(t *testing.T) {
	table := newTable(t, matcher.Config{})
	a, b := i3.NewID(1, i3.Key{}, 1), i3.NewID(1, i3.Key{}, 2)
	for tg := range matcher.Target(5) {
		mustInsert(t, table, a, tg, 0, 10+matcher.Tick(tg))
	}
	mustInsert(t, table, b, 7, 0, 10)
	table.Remove(a, 1)
	if got := table.Stored(a, []matcher.Target{9}); !slices.Equal(got, []matcher.Target{9, 0, 2, 3, 4}) {
		t.Errorf("stored %v, want 9 and 0, 2, 3, 4", got)
	}
	table.Sweep(0, 12, nil)
	if got := table.Stored(a, nil); !slices.Equal(got, []matcher.Target{3, 4}) {
		t.Errorf("stored %v after the sweep, want 3, 4", got)
	}
	for _, id := range []i3.ID{b, i3.NewID(1, i3.Key{}, 3), i3.NewID(2, i3.Key{}, 1)} {
		if got := table.Stored(id, nil); got != nil {
			t.Errorf("%v has %v stored, want nothing", id, got)
		}
	}
}
