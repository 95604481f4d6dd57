package reports

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// flushPeriod bounds how much a killed run loses: less than a second.
	flushPeriod = 500 * time.Millisecond
	// flushBytes of waiting samples are written without waiting for the period.
	flushBytes = 1 << 20
	// maxWaiting bounds the memory of samples that the disk has not taken. A
	// disk that stands still for so long costs samples, which are counted and
	// make Close fail, and never delays the run that is being measured.
	maxWaiting = 256 << 20
)

// A Run is a result directory that is being written. Its methods may be called
// by several goroutines at once.
type Run struct {
	dir string

	mu      sync.Mutex
	man     Manifest
	closed  bool
	waiting []byte // lines not yet handed to the writer
	lost    int    // samples dropped at maxWaiting or after a write error
	bad     int    // samples that were no samples
	badErr  error  // the first of them

	wake  chan struct{}
	flush chan chan error // whoever waits for all samples to be in the file
	stop  chan struct{}
	done  chan error // the writer's error, once
}

// Create makes the directory of a run, writes its manifest with status
// "running", and starts the writer of its samples. Zero fields of the manifest
// get their defaults. It returns an error if the directory holds a result
// already: results are never overwritten.
func Create(dir string, m Manifest) (*Run, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("reports: create %s: %w", dir, err)
	}
	path := filepath.Join(dir, SamplesFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("reports: create %s: %w, expected a directory without a result", path, os.ErrExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reports: create %s: %w", path, err)
	}
	m.fill()
	m.Stages = slices.Clone(m.Stages)
	m.Parameters = maps.Clone(m.Parameters)
	if err := m.write(dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return newRun(dir, m, f, header()), nil
}

// newRun starts the writer of a run's samples to a file, which gets the given
// beginning first.
func newRun(dir string, m Manifest, f *os.File, begin string) *Run {
	r := &Run{
		dir: dir, man: m,
		waiting: append(make([]byte, 0, 2*flushBytes), begin...),
		wake:    make(chan struct{}, 1),
		flush:   make(chan chan error),
		stop:    make(chan struct{}),
		done:    make(chan error, 1),
	}
	go r.writer(f)
	return r
}

// Dir returns the directory of the run.
func (r *Run) Dir() string { return r.dir }

// Sample records one sample. It never waits for the disk: the sample is copied
// to memory and reaches the file within a second. A sample of unknown kind, or
// with a value that is no number, is not recorded; [Run.Close] reports the first
// one and how many there were. After Close, Sample does nothing.
func (r *Run) Sample(s Sample) {
	k, err := s.check()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return
	case err != nil:
		r.bad++
		if r.badErr == nil {
			r.badErr = err
		}
		return
	case len(r.waiting) > maxWaiting:
		r.lost++
		return
	}
	r.waiting = s.appendTo(r.waiting, k)
	if len(r.waiting) > flushBytes {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// Stage records a stage in the manifest, replacing one of the same name, and
// rewrites run.json. It returns the error of writing.
func (r *Run) Stage(s Stage) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fmt.Errorf("reports: stage %q of %s: the run is closed", s.Name, r.dir)
	}
	if i := slices.IndexFunc(r.man.Stages, func(t Stage) bool { return t.Name == s.Name }); i >= 0 {
		r.man.Stages[i] = s
	} else {
		r.man.Stages = append(r.man.Stages, s)
	}
	return r.man.write(r.dir)
}

// Invalidate notes a reason why the figures of the run say nothing about the
// system, such as an agent that was lost. The run goes on; the report says so at
// its top. The same reason counts once. After Close, Invalidate does nothing.
func (r *Run) Invalidate(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && !slices.Contains(r.man.Invalid, reason) {
		r.man.Invalid = append(r.man.Invalid, reason)
	}
}

// Flush returns when every sample recorded so far is in the file, with the error of
// writing, so that the directory can be read while the run goes on. After Close it does
// nothing.
func (r *Run) Flush() error {
	done := make(chan error, 1)
	select {
	case r.flush <- done:
		return <-done
	case <-r.stop:
		return nil
	}
}

// Close ends the run: it writes the waiting samples, events.parquet and
// latency.hlog, the final manifest with the status, the cause of a failure (nil if there is none) and why the run is
// invalid, if it is (see [Result.Invalid]), bench.txt and report.html. It returns
// what went wrong in writing, samples that were refused or lost included. A second
// Close returns an error and changes nothing.
func (r *Run) Close(status Status, cause error) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return fmt.Errorf("reports: close %s: the run is closed already", r.dir)
	}
	r.closed = true
	r.mu.Unlock()
	close(r.stop)
	err := <-r.done

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bad > 0 {
		err = errors.Join(err, fmt.Errorf("%d samples refused, the first: %w", r.bad, r.badErr))
	}
	if r.lost > 0 {
		err = errors.Join(err, fmt.Errorf("reports: %d samples lost, the disk of %s did not take them", r.lost, r.dir))
	}
	r.man.Status, r.man.Stopped = status, time.Now()
	if cause != nil {
		r.man.Error = cause.Error()
	}
	err = errors.Join(err, r.derive(), r.man.write(r.dir))
	result, openErr := Open(r.dir)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	if r.man.Invalid = result.Invalid(); len(r.man.Invalid) > 0 {
		err = errors.Join(err, r.man.write(r.dir))
	}
	return errors.Join(err, result.render())
}

// derive writes the files of samples that are made of the journal when a run ends,
// and notes in the manifest how many samples there are.
func (r *Run) derive() error {
	var journal loaded
	if err := journal.readJournal(r.dir); err != nil {
		return fmt.Errorf("reports: close %s: %w", r.dir, err)
	}
	r.man.Samples = journal.count
	all := &Result{Manifest: r.man, samples: journal.samples}
	return errors.Join(
		replaceFile(filepath.Join(r.dir, EventsFile), func(w io.Writer) error { return WriteEvents(w, all) }),
		replaceFile(filepath.Join(r.dir, LatencyFile), func(w io.Writer) error { return WriteLatency(w, all) }))
}

// writer moves samples from memory to the file until the run is closed.
func (r *Run) writer(f *os.File) {
	tick := time.NewTicker(flushPeriod)
	defer tick.Stop()
	var err error
	spare := make([]byte, 0, 2*flushBytes)
	for open := true; open; {
		var flushed chan error
		select {
		case flushed = <-r.flush:
		case <-tick.C:
		case <-r.wake:
		case <-r.stop:
			open = false
		}
		r.mu.Lock()
		lines := r.waiting
		r.waiting = spare[:0]
		r.mu.Unlock()
		err = r.put(f, lines, err)
		spare = lines
		if flushed != nil {
			flushed <- err
		}
	}
	if closeErr := f.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("reports: close %s: %w", f.Name(), closeErr)
	}
	r.done <- err
}

// put writes lines, unless an earlier write failed: what follows a part of a
// line could not be read.
func (r *Run) put(f io.Writer, lines []byte, failed error) error {
	if failed == nil {
		if _, err := f.Write(lines); err != nil {
			failed = fmt.Errorf("reports: write samples of %s: %w", r.dir, err)
		}
		return failed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range lines {
		if b == '\n' {
			r.lost++
		}
	}
	return failed
}
