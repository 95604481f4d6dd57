package scenario

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// A source is what a scenario was read from, with all that it names.
type source struct {
	File   string
	Data   []byte
	Sets   []string
	Traces map[string][]byte
}

// Parse reads a scenario from text, as [Load] does from a file. The name stands in errors. It may name no trace.
func Parse(name string, text []byte, assignments []string) (*Scenario, error) {
	return parse(name, text, assignments, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
}

// Encode writes the scenario, which [Load] or [Parse] returned, and the traces that it names, for [Decode] to read
// where its files are not.
func (s *Scenario) Encode() ([]byte, error) { return json.Marshal(s.from) }

// Decode returns the scenario that was encoded. Its errors are those of [Load].
func Decode(b []byte) (*Scenario, error) {
	var from source
	if err := json.Unmarshal(b, &from); err != nil {
		return nil, fmt.Errorf("scenario: %d bytes: %w", len(b), err)
	}
	return parse(from.File, from.Data, from.Sets, func(name string) ([]byte, error) {
		if trace, ok := from.Traces[name]; ok {
			return trace, nil
		}
		return nil, fs.ErrNotExist
	})
}
