package plan

import (
	_ "embed" // the figures
	"encoding/json"
	"fmt"
)

//go:embed defaults.json
var defaults []byte

// Defaults are the figures that came with the program: calibrated and simulated once, as they say themselves. make
// plan-defaults measures them anew.
func Defaults() (Measured, error) {
	m, err := Decode(defaults)
	m.Calibrated.Default, m.Simulated.Default = true, true
	return m, err
}

// Decode reads figures as JSON.
func Decode(text []byte) (m Measured, err error) {
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("plan: figures: %w", err)
	}
	return m, nil
}
