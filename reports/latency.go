package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// latencyDigits is how many significant digits of a latency the histograms keep.
	latencyDigits = 3
	// maxLatency is the largest latency that they tell from others, 104 days in ns.
	maxLatency = 1 << 53
)

// latencyKinds are the kinds whose value is the latency of an operation, besides
// those of loadOps and findOps.
var latencyKinds = []kindKey{{StageCluster, KindJoin}, {StageWAN, KindRepair}}

// isLatency reports whether the values of a kind belong into latency.hlog.
func isLatency(k kindKey) bool {
	ops := loadOps
	switch k.stage {
	case StageFind:
		ops = findOps
	case StageLoad:
	default:
		return slices.Contains(latencyKinds, k)
	}
	for _, op := range ops {
		if op.op == k.kind {
			return true
		}
	}
	return false
}

// latencyTag names the operation of a sample: stage and kind, then the group if it
// has one, and the trial of a search.
func latencyTag(s *Sample) string {
	tag := s.Stage + "/" + s.Kind
	if s.Group != "" {
		tag += "/" + url.PathEscape(s.Group) // a tag has no comma and no blank
	}
	if s.Stage == StageFind {
		tag += fmt.Sprintf("/trial=%d", s.Level)
	}
	return tag
}

// WriteLatency writes the latencies of a result as a log of HdrHistogram, version
// 1.3, in ns. Each operation has a tag, and each second in which any of it was to
// start a histogram; its time counts from the begin of the stage. Operations
// without a start have one histogram. Those that failed count as the slowest, as
// they do in the report (see [NewDistribution]).
func WriteLatency(w io.Writer, r *Result) error {
	var b bytes.Buffer
	out := hdrhistogram.NewHistogramLogWriter(&b)
	err := errors.Join(out.OutputLogFormatVersion(),
		out.OutputComment("[i3bench: nanoseconds by operation; times count from the begin of a stage]"),
		out.OutputStartTime(r.Manifest.Started.UnixMilli()), out.OutputLegend())
	for _, k := range r.kindsByName() {
		if isLatency(k) {
			tags, groups := grouped(r.samples[k], latencyTag)
			for _, tag := range tags {
				err = errors.Join(err, logOperation(out, tag, groups[tag]))
			}
		}
	}
	if err == nil {
		_, err = b.WriteTo(w)
	}
	if err != nil {
		return fmt.Errorf("reports: write %s: %w", LatencyFile, err)
	}
	return nil
}

// logOperation writes the histograms of an operation.
func logOperation(out *hdrhistogram.HistogramLogWriter, tag string, samples []Sample) error {
	worst, most := 0.0, 2.0
	for i := range samples {
		if !samples[i].failed() {
			worst = max(worst, samples[i].Value)
		}
		most = max(most, samples[i].Value)
	}
	h := hdrhistogram.New(1, int64(min(most, maxLatency)), latencyDigits)
	seconds, groups := grouped(samples, func(s *Sample) int64 { return s.StartNS / 1e9 })
	for _, second := range seconds {
		h.Reset()
		h.SetTag(tag) // which Reset takes
		for _, s := range groups[second] {
			if s.failed() {
				s.Value = max(s.Value, worst)
			}
			if err := h.RecordValue(int64(min(s.Value, maxLatency))); err != nil {
				return err
			}
		}
		h.SetStartTimeMs(second * 1000)
		h.SetEndTimeMs(second*1000 + 1000)
		if err := out.OutputIntervalHistogram(h); err != nil {
			return err
		}
	}
	return nil
}

// failed reports whether an operation did not succeed; one without a status did.
func (s *Sample) failed() bool { return s.Status != "" && s.Status != StatusOK }

// readLatency reads every histogram of latency.hlog, as nothing else does: so that
// a report can say that the file is damaged. Its error is that of opening it.
func (l *loaded) readLatency(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, LatencyFile))
	if err != nil {
		return err
	}
	for at, rest := int64(0), string(data); rest != ""; {
		line, after, _ := strings.Cut(rest, "\n")
		if err := latencyLine(line); err != nil {
			l.damaged(LatencyFile, at, 1, "%v; line skipped", err)
		} else {
			l.count++
		}
		at += int64(len(rest) - len(after))
		rest = after
	}
	return nil
}

// latencyLine decodes a line of a log, and says why if it cannot.
func latencyLine(line string) (err error) {
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, `"StartTimestamp"`) {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a histogram that cannot be decoded: %v", p)
		}
	}()
	h, err := hdrhistogram.NewHistogramLogReader(strings.NewReader(line)).NextIntervalHistogram()
	switch {
	case err != nil:
		return fmt.Errorf("a histogram that cannot be decoded: %w", err)
	case h == nil:
		return fmt.Errorf("%.40q, expected a tag, two times, a maximum and a histogram", line)
	}
	return nil
}
