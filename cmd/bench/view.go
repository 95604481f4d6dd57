package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"i3bench/experiments"
	"i3bench/loadgen/live"
	"i3bench/loadgen/live/page"
)

// liveFlags are those of commands whose load can be watched.
type liveFlags struct {
	Live string `placeholder:"ADDRESS" help:"Show the run on a page at ADDRESS:PORT; of this machine without ADDRESS."`
}

// A watcher is who looks at a session's runs: a page, and what the view of the stage under way shows.
type watcher struct {
	meter *live.Meter
	page  *page.Server // nil for none

	mu   sync.Mutex
	show func(live.Snapshot) // of the stage under way; nil for nothing
}

// see hands a snapshot to all who look.
func (w *watcher) see(s live.Snapshot) {
	if w.page != nil {
		w.page.Publish(s)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.show != nil {
		w.show(s)
	}
}

// setShow sets what shows snapshots besides the page.
func (w *watcher) setShow(show func(live.Snapshot)) {
	w.mu.Lock()
	w.show = show
	w.mu.Unlock()
}

// watch makes the session's runs be watched, and opens the page if there is to be one. It returns the meter that a load
// has to tell, or nil if nobody looks.
func (s *session) watch(f liveFlags) (*live.Meter, error) {
	if f.Live != "" {
		if err := page.Check(f.Live); err != nil {
			return nil, &usageError{fmt.Errorf("--live: %w", err)}
		}
	}
	s.watcher = new(watcher)
	s.watcher.meter = live.NewMeter(live.Config{Show: s.watcher.see})
	if s.cli.Progress == "json" {
		s.watcher.show = live.JSON(s.errs)
	}
	if f.Live != "" {
		p, err := page.Listen(f.Live)
		if err != nil {
			return nil, fmt.Errorf("--live: %w", err)
		}
		s.watcher.page = p
		fmt.Fprintf(s.out, "live page: %s\n", p.URL())
		if !p.Loopback() {
			fmt.Fprintln(s.out, "live page: everybody who reaches this address can read it")
		}
	}
	if s.watcher.page == nil && (s.cli.Progress == "none" || s.cli.Progress == "bar") {
		return nil, nil
	}
	return s.watcher.meter, nil
}

// endWatch tells those who look how the run has ended, and where its report is.
func (s *session) endWatch(outcome, report string) {
	if s.watcher == nil {
		return
	}
	s.watcher.meter.End(outcome, report)
	if s.watcher.page != nil {
		_ = s.watcher.page.Close() // a page that was too slow has been cut off
	}
}

// A view shows how far a stage is.
type view struct {
	step  experiments.Progress
	close func()
}

// newView returns the view of a stage that begins.
func (s *session) newView(st stage, title string) view {
	w := s.watcher
	if s.cli.Progress == "json" {
		w.meter.Stage(st.name, st.what)
		return view{w.meter.Step, func() {}}
	}
	if w == nil || !st.live {
		return s.barView(st, title)
	}
	switch s.cli.Progress {
	case "auto", "plain":
		return s.loadView(st, title)
	}
	return s.barView(st, title)
}

// barView is a bar, or lines where there is no terminal.
func (s *session) barView(st stage, title string) view {
	b := newBar(s.errs, s.cli.Progress, title, st.what)
	if s.watcher == nil {
		return view{b.step, b.close}
	}
	s.watcher.meter.Stage(st.name, st.what)
	return view{func(done, total int, what string) {
		b.step(done, total, what)
		s.watcher.meter.Step(done, total, what)
	}, b.close}
}

// loadView is a screen, or a line a second where there is no terminal.
func (s *session) loadView(st stage, title string) view {
	w, start := s.watcher, time.Now()
	fmt.Fprintf(s.errs, "%s %s\n", title, st.what)
	closeScreen := func() {}
	if f, ok := terminal(s.errs); ok && s.cli.Progress == "auto" {
		t := live.NewTerminal(f, os.Getenv("NO_COLOR") == "", func() (width, height int) { return size(f) })
		w.setShow(t.Show)
		closeScreen = t.Close
	} else {
		w.setShow(live.Lines(s.errs))
	}
	w.meter.Stage(st.name, st.what)
	return view{w.meter.Step, func() {
		closeScreen()
		w.setShow(nil)
		fmt.Fprintf(s.errs, "%s done in %.1f s\n", title, time.Since(start).Seconds())
	}}
}

// terminal returns the file behind a writer if it is a terminal that can go back to a line.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || strings.TrimSpace(os.Getenv("TERM")) == "" {
		return nil, false
	}
	return f, term.IsTerminal(int(f.Fd()))
}

// size returns that of a terminal, or the usual one.
func size(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}
