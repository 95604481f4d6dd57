package live

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// A Terminal shows snapshots in place on a terminal.
type Terminal struct {
	out  io.Writer
	size func() (width, height int)

	mu     sync.Mutex
	screen screen
	lines  int // of what stands there
	closed bool
}

// NewTerminal returns one that writes to out, with or without colours, and asks for the size before each snapshot. The
// screen takes what it needs of the height, one line left.
func NewTerminal(out io.Writer, color bool, size func() (width, height int)) *Terminal {
	return &Terminal{out: out, size: size, screen: screen{color: color}}
}

// Show shows a snapshot instead of the one before.
func (t *Terminal) Show(s Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	width, height := t.size()
	t.screen.width = width - 1 // in the last column a terminal may go on to the next line
	t.screen.note(s)
	lines := t.screen.draw(s)
	lines = lines[:min(len(lines), max(1, height-1))]
	var b strings.Builder
	t.home(&b)
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\n")
	}
	b.WriteString("\x1b[J") // what is left of a longer one
	t.lines = len(lines)
	io.WriteString(t.out, b.String())
}

// home goes back to where the snapshot before begins.
func (t *Terminal) home(b *strings.Builder) {
	if t.lines > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r", t.lines)
	}
}

// Close leaves what stands there, and shows no more.
func (t *Terminal) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

// Lines returns a function that writes each snapshot as a line of text, from the first on in which anything is done.
func Lines(out io.Writer) func(Snapshot) {
	return func(s Snapshot) {
		if s.Load != nil || s.Doing != "" {
			fmt.Fprintln(out, Line(s))
		}
	}
}

// Line writes a snapshot as a line.
func Line(s Snapshot) string {
	parts := []string{s.Title}
	if s.Load == nil {
		parts = append(parts, fmt.Sprintf("%3.0f %%", 100*float64(s.Done)/float64(max(s.Total, 1))), s.Doing)
	} else {
		parts = append(parts, clock(s.Load.At))
		if s.Phase != s.Title {
			parts = append(parts, s.Phase)
		}
		for _, o := range s.Load.Operations {
			parts = append(parts, operationText(o))
		}
		g := s.Load.Generator
		parts = append(parts, "late p99 "+duration(g.LateRecent), g.Verdict)
	}
	if s.Ended != "" {
		parts = append(parts, "run "+s.Ended, "report "+s.Report)
	}
	return cut(strings.Join(parts, "  "), maxLine)
}

// maxLine bounds a line of text.
const maxLine = 2000

func operationText(o Operation) string {
	text := fmt.Sprintf("%s %s/s of %s done, %s in flight, %s failed", o.Kind, digits(o.DoneRate), digits(o.OfferedRate),
		whole(o.InFlight), whole(o.Failed))
	if o.Recent.Count > 0 {
		text += fmt.Sprintf(", p50 %s p99 %s", duration(o.Recent.P50), duration(o.Recent.P99))
	}
	return text + ";"
}

// JSON returns a function that writes each snapshot as a line of JSON.
func JSON(out io.Writer) func(Snapshot) {
	return func(s Snapshot) {
		if b, err := json.Marshal(s); err == nil { // no value in it can fail
			out.Write(append(b, '\n'))
		}
	}
}
