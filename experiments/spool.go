package experiments

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"i3bench/internal/hist"
	"i3bench/reports"
)

// maxSpool bounds what an agent keeps of its samples, in bytes of a file: some 200 million of them.
const maxSpool = 8 << 30

// errFull says that a spool has no room.
var errFull = fmt.Errorf("more than %d bytes: want a shorter run, or more agents", int64(maxSpool))

// A spool keeps samples in a file until they are wanted, and histograms of what came since somebody looked.
// It is safe for concurrent use.
type spool struct {
	room int64 // for bytes of the file

	mu   sync.Mutex
	file *os.File
	buf  *bufio.Writer
	enc  *gob.Encoder
	size int64
	err  error // the first that writing had: nothing is written after it
	live map[string]*hist.Histogram
}

// newSpool makes a file that others cannot read, which is gone when the process is, where the system allows it.
func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "i3bench-samples-*")
	if err != nil {
		return nil, fmt.Errorf("experiments: samples: %w", err)
	}
	_ = os.Remove(f.Name()) // elsewhere close does it
	s := &spool{room: maxSpool, file: f, live: make(map[string]*hist.Histogram)}
	s.buf = bufio.NewWriterSize(f, 1<<16)
	s.enc = gob.NewEncoder(s)
	return s, nil
}

// Write implements io.Writer for the encoder.
func (s *spool) Write(b []byte) (int, error) {
	if s.size+int64(len(b)) > s.room {
		return 0, errFull
	}
	s.size += int64(len(b))
	return s.buf.Write(b)
}

// liveLate is the kind of how late operations began.
const liveLate = "late"

// Sample implements [Sink].
func (s *spool) Sample(x reports.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = s.enc.Encode(&x)
	}
	kind := ""
	switch {
	case x.Stage == stagePart: // of what is measured by all together
	case x.Kind == reports.KindLate:
		kind = liveLate
	case x.Status == reports.StatusOK:
		kind = x.Kind
	case x.Status != "":
		kind = x.Kind + " failed"
	}
	if kind == "" {
		return
	}
	if s.live[kind] == nil {
		s.live[kind] = new(hist.Histogram)
	}
	s.live[kind].Record(int64(x.Value))
}

// recent returns what came since the last call, by kind.
func (s *spool) recent() map[string]*hist.Histogram {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := s.live
	s.live = make(map[string]*hist.Histogram)
	return live
}

// finish writes what is left, and returns the first error of writing.
func (s *spool) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = s.buf.Flush()
	}
	if s.err != nil {
		return fmt.Errorf("experiments: samples: %w", s.err)
	}
	return nil
}

// ReadAt reads what finish has written.
func (s *spool) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

// close gives the file back.
func (s *spool) close() error {
	err := s.file.Close()
	_ = os.Remove(s.file.Name()) // it is gone already where that is possible
	return err
}

// unspool hands the samples of a spool on to a sink, and returns how many there were.
func unspool(r io.Reader, sink Sink) (n int, err error) {
	dec := gob.NewDecoder(bufio.NewReader(r))
	for {
		var x reports.Sample // fields that are zero are not written
		switch err := dec.Decode(&x); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, fmt.Errorf("experiments: sample %d: %w", n, err)
		}
		sink.Sample(x)
		n++
	}
}
