package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Schema is the version of result directories that this package writes. It reads
// those from oldestSchema on; docs/results.md says in what they differ.
const (
	Schema       = 2
	oldestSchema = 1
)

// Names of the files of a result directory.
const (
	ManifestFile = "run.json"
	SamplesFile  = "samples.csv"
	EventsFile   = "events.parquet"
	LatencyFile  = "latency.hlog"
	BenchFile    = "bench.txt"
	HTMLFile     = "report.html"
	ProfileFile  = "cpu.pprof" // if there is one; those of other processes are cpu-NAME.pprof
)

// A Status says how a run or a stage stands.
type Status string

// The states of runs and stages. Skipped is for stages only, and Unknown for a run
// whose manifest cannot be read; it is never written.
const (
	Running     Status = "running"
	Complete    Status = "complete"
	Interrupted Status = "interrupted"
	Failed      Status = "failed"
	Skipped     Status = "skipped"
	Unknown     Status = "unknown"
)

// A Manifest is the content of run.json: everything about a run but its
// samples. Zero fields get the stated default in [Create].
type Manifest struct {
	Schema  int       `json:"schema"`           // version of this format; zero means [Schema]
	Tool    string    `json:"tool"`             // program that ran; empty means "bench"
	Command []string  `json:"command"`          // program and arguments, to be run again
	Commit  string    `json:"commit"`           // revision of the source; empty means what [Commit] finds
	Dirty   bool      `json:"dirty"`            // the source had uncommitted changes
	Go      string    `json:"go"`               // version of Go; empty means that of this program
	Seed    uint64    `json:"seed"`             // seed of everything random in the run
	Started time.Time `json:"started"`          // zero means now
	Stopped time.Time `json:"stopped,omitzero"` // zero while the run goes on
	Status  Status    `json:"status"`           // always Running in a new run
	Error   string    `json:"error,omitempty"`  // why the run failed
	Samples int       `json:"samples,omitzero"` // how many were recorded; zero while the run goes on, and in schema 1

	// Invalid says why the figures say nothing about the system: the load generator
	// was the limit, or a part of the run was lost. Empty: the run is valid.
	Invalid []string `json:"invalid,omitempty"`

	Machine    MachineInfo       `json:"machine"`              // zero means what [Machine] finds
	Parameters map[string]string `json:"parameters,omitempty"` // resolved flags by name
	Stages     []Stage           `json:"stages"`               // in order of execution
}

// A Stage is one part of a run, such as "cluster" or "load".
type Stage struct {
	Name    string  `json:"name"`
	Status  Status  `json:"status"`
	Seconds float64 `json:"seconds"`        // wall-clock time of the stage
	Note    string  `json:"note,omitempty"` // one sentence for the reader, such as why it was skipped
}

// fill replaces zero fields by their defaults.
func (m *Manifest) fill() {
	m.Schema = Schema
	if m.Tool == "" {
		m.Tool = "bench"
	}
	if m.Commit == "" {
		m.Commit, m.Dirty = Commit()
	}
	if m.Go == "" {
		m.Go = goVersion()
	}
	if m.Started.IsZero() {
		m.Started = time.Now()
	}
	if m.Machine == (MachineInfo{}) {
		m.Machine = Machine()
	}
	m.Status, m.Error, m.Stopped, m.Samples, m.Invalid = Running, "", time.Time{}, 0, nil
}

// write replaces run.json in one step, so that a reader sees the old or the
// new manifest and never a part of one.
func (m *Manifest) write(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("reports: encode %s: %w", ManifestFile, err)
	}
	return writeFile(filepath.Join(dir, ManifestFile), append(data, '\n'))
}

// writeFile replaces a file in one step, by rename within its directory.
func writeFile(path string, data []byte) error {
	return replaceFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// replaceFile replaces a file by what write writes, in one step: a reader sees the
// old or the new one, and after an error the old one stays.
func replaceFile(path string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("reports: write %s: %w", path, err)
	}
	err = write(tmp)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("reports: write %s: %w", path, err)
	}
	return nil
}

// readManifest reads run.json of a result directory. Its errors name the file
// and the byte offset at which it stops making sense.
func readManifest(dir string) (Manifest, error) {
	var m Manifest
	path := filepath.Join(dir, ManifestFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("reports: open %s: %w, expected the manifest of a run", path, fs.ErrNotExist)
	}
	if err != nil {
		return m, fmt.Errorf("reports: open %s: %w", path, err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("reports: read %s at offset %d: %w, expected a manifest of schema %d",
			path, jsonOffset(err, len(data)), err, Schema)
	}
	if m.Schema < oldestSchema || m.Schema > Schema {
		return m, fmt.Errorf("reports: read %s: %w %d, expected %d to %d", path, errSchema, m.Schema, oldestSchema, Schema)
	}
	return m, nil
}

// errSchema is the error of a manifest that is whole but of a version that this
// package does not know.
var errSchema = errors.New("schema")

// settle gives the run and its stages the status that a reader sees: what has no
// recorded end was interrupted.
func (m *Manifest) settle() {
	if m.Status == Running || m.Status == "" {
		m.Status = Interrupted
	}
	for i := range m.Stages {
		if m.Stages[i].Status == Running {
			m.Stages[i].Status = Interrupted
		}
	}
}

// jsonOffset returns where in a document of the given size an error arose.
func jsonOffset(err error, size int) int64 {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return syntax.Offset
	case errors.As(err, &kind):
		return kind.Offset
	}
	return int64(size)
}
