package matcher

import (
	"errors"
	"fmt"

	"i3bench/i3"
)

// A Target is a handle, chosen by the caller, of whatever a trigger points to.
type Target uint32

// A Tick is a coarse time in a unit chosen by the caller, who also sees to it
// that it does not wrap around: seconds last 136 years, milliseconds 49 days.
type Tick uint32

// Bounds and defaults of [Config].
const (
	DefaultMaxTriggers = 1 << 20
	MaxMaxTriggers     = 1 << 30
	DefaultMaxPerID    = 9 // D+1 for the paper's D = 8: a new child fits in before an old one leaves
	MaxMaxPerID        = 1 << 16
)

// Config says how much a [Table] may hold.
type Config struct {
	// MaxTriggers is the number of triggers the table stores at most, expired
	// ones that were not reclaimed included. Zero means DefaultMaxTriggers.
	// Memory grows with use up to it.
	MaxTriggers int
	// MaxPerID is the number of live triggers that one 256-bit identifier may
	// have, the paper's limit D (section 2.1). Zero means DefaultMaxPerID.
	// It should be small: the triggers of an identifier are a list.
	MaxPerID int
	// Seed is the secret of the keyed hash. Who knows it can make look-ups
	// slow, but not wrong. The zero Seed is allowed and only good for tests.
	Seed [16]byte
	// Reclaimed is called by Insert for every expired trigger that it drops to
	// make room. It must not call the table. Nil means that nobody is told.
	Reclaimed func(id i3.ID, tg Target)
}

// WithDefaults returns the configuration with every zero replaced by its
// default, or an error that names the field that is out of range.
func (c Config) WithDefaults() (Config, error) {
	if c.MaxTriggers == 0 {
		c.MaxTriggers = DefaultMaxTriggers
	}
	if c.MaxPerID == 0 {
		c.MaxPerID = DefaultMaxPerID
	}
	if c.MaxTriggers < 0 || c.MaxTriggers > MaxMaxTriggers {
		return c, fmt.Errorf("matcher: new: MaxTriggers %d: want 0 (means %d) to %d",
			c.MaxTriggers, DefaultMaxTriggers, MaxMaxTriggers)
	}
	if c.MaxPerID < 0 || c.MaxPerID > MaxMaxPerID {
		return c, fmt.Errorf("matcher: new: MaxPerID %d: want 0 (means %d) to %d",
			c.MaxPerID, DefaultMaxPerID, MaxMaxPerID)
	}
	return c, nil
}

// An Outcome is what an insertion did.
type Outcome uint8

// Outcomes of [Table.Insert]. The zero Outcome goes with an error.
const (
	Added     Outcome = iota + 1 // the trigger was not stored and is now the identifier's last
	Refreshed                    // the trigger was stored, live or expired, and only its expiry changed
)

// String returns the name of o.
func (o Outcome) String() string {
	switch o {
	case Added:
		return "added"
	case Refreshed:
		return "refreshed"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// Reasons for which [Table.Insert] refuses, to be tested with [errors.Is].
var (
	ErrFull    = errors.New("table has Config.MaxTriggers triggers")
	ErrPerID   = errors.New("identifier has Config.MaxPerID live triggers")
	ErrExpired = errors.New("trigger would expire at once")
)

// An InsertError says which insertion was refused and why. It is written out
// only on demand, because whoever fills a table can cause any number of them.
type InsertError struct {
	ID     i3.ID
	Now    Tick
	Expire Tick
	Err    error // ErrFull, ErrPerID or ErrExpired
}

// Error names the identifier, the times and the reason.
func (e *InsertError) Error() string {
	return fmt.Sprintf("matcher: insert %.16s...: at tick %d until %d: %v", e.ID.String(), e.Now, e.Expire, e.Err)
}

// Unwrap returns the reason.
func (e *InsertError) Unwrap() error { return e.Err }

// A Refresh is one element of [Table.RefreshBatch].
type Refresh struct {
	ID     i3.ID
	Target Target
	Expire Tick
}

// Matches holds the results of [Table.MatchBatch]. The caller owns it and
// passes it again, so that its memory is reused. The zero Matches is ready.
type Matches struct {
	Off     []uint32 // Targets[Off[i]:Off[i+1]] belong to identifier i; one longer than the batch
	Targets []Target // the targets of all identifiers, one after the other
	Matched []i3.ID  // the winner of identifier i; zero if nothing matched

	batch *scratch
}

// Reset makes m hold the results of an empty batch.
func (m *Matches) Reset() {
	m.Off = append(m.Off[:0], 0)
	m.Targets = m.Targets[:0]
	m.Matched = m.Matched[:0]
}

// Len returns the number of identifiers that m has results for.
func (m *Matches) Len() int { return len(m.Matched) }

// At returns the targets of identifier i, none if nothing matched.
func (m *Matches) At(i int) []Target { return m.Targets[m.Off[i]:m.Off[i+1]] }

// Stats describes the contents and the shape of a table.
type Stats struct {
	Entries       int     // triggers stored, expired ones included
	Identifiers   int     // distinct 256-bit identifiers among them
	Prefixes      int     // distinct 192-bit values among them
	Homes         int     // cells in which a search may begin
	Bytes         int     // memory that was ever used, without what is only reserved
	BytesPerEntry float64 // Bytes / Entries; 0 for an empty table
	ProbeMax      int     // most cells that a search for a stored prefix reads
	ProbeMean     float64 // mean over all stored prefixes; 0 for an empty table
}
