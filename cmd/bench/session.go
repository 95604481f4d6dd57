package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"i3bench/experiments"
	"i3bench/reports"
)

// A session is one invocation: its stages go into one result directory.
type session struct {
	ctx  context.Context
	out  io.Writer
	errs io.Writer
	cli  *cli
	args []string

	more   map[string]string // parameters besides the flags
	resume bool              // go on with the run in the result directory
	done   map[string]bool   // the keys of the jobs that it has finished
	intro  func() string     // says, after the result is opened, what will be run
	// persist makes a stage that fails not keep the next ones from being run.
	persist bool
	watcher *watcher // nil if nobody looks but at a bar
}

// A stage is one experiment of a session.
type stage struct {
	name string
	what string // for the progress line
	// run is nil for a stage that is only recorded, with the given status.
	run    func(context.Context, experiments.Sink, experiments.Progress) error
	status reports.Status // of one that is not run; empty: complete, another one makes its samples
	live   bool           // tells the session's meter how it stands
	note   string
}

// run runs the stages in order, keeps their samples, writes the report and
// prints it. A stage that fails, or an interrupt, ends the run; what was measured
// by then is kept and presented.
func (s *session) run(stages ...stage) error {
	dir := s.cli.Out
	if dir == "" {
		dir = filepath.Join("bench-out", time.Now().Format("20060102-150405"))
	}
	if s.watcher == nil && s.cli.Progress == "json" {
		if _, err := s.watch(liveFlags{}); err != nil {
			return err
		}
	}
	run, err := s.open(dir, reports.Manifest{
		Command: append([]string{"bench"}, s.args...), Seed: s.cli.Seed, Parameters: s.parameters(),
	})
	if err != nil {
		s.endWatch(string(reports.Failed), "")
		return err
	}
	if s.intro != nil {
		fmt.Fprint(s.out, s.intro())
	}
	err = s.stages(run, stages)
	status := reports.Complete
	switch {
	case s.ctx.Err() != nil:
		status, err = reports.Interrupted, errors.New("interrupted; what was measured is kept")
	case err != nil:
		status = reports.Failed
	}
	closeErr := run.Close(status, err)
	if s.cli.Out == "" {
		latest(dir)
	}
	if result, openErr := reports.Open(dir); openErr == nil {
		fmt.Fprint(s.out, reports.Text(result))
	}
	report := filepath.Join(dir, reports.HTMLFile)
	s.endWatch(string(status), report)
	fmt.Fprintf(s.out, "\nreport: %s\n", report)
	return errors.Join(err, closeErr)
}

// open makes the result directory, or opens that of the run to go on with.
func (s *session) open(dir string, m reports.Manifest) (run *reports.Run, err error) {
	if !s.resume {
		return reports.Create(dir, m)
	}
	run, s.done, err = reports.Resume(dir, m)
	return run, err
}

// stages runs the stages until one fails, or all if the session persists.
func (s *session) stages(run *reports.Run, stages []stage) error {
	var failed error
	total := len(stages)
	for _, st := range stages {
		if st.run == nil {
			total--
		}
	}
	number := 0
	for _, st := range stages {
		if st.run != nil {
			number++
		}
		err := s.stage(run, st, fmt.Sprintf("[%d/%d] %-8s", number, total, st.name))
		failed = errors.Join(failed, err)
		if s.ctx.Err() != nil || err != nil && !s.persist {
			return errors.Join(failed, s.ctx.Err())
		}
	}
	return failed
}

// stage runs one stage and records it.
func (s *session) stage(run *reports.Run, st stage, title string) error {
	if st.run == nil {
		status := cmp.Or(st.status, reports.Complete)
		return run.Stage(reports.Stage{Name: st.name, Status: status, Note: st.note})
	}
	v := s.newView(st, title)
	start := time.Now()
	err := st.run(s.ctx, run, v.step)
	v.close()
	status := reports.Complete
	switch {
	case s.ctx.Err() != nil:
		status = reports.Interrupted
	case err != nil:
		status = reports.Failed
	}
	return errors.Join(err, run.Stage(reports.Stage{
		Name: st.name, Status: status, Seconds: time.Since(start).Seconds(), Note: st.note,
	}))
}

// latest makes bench-out/latest name the newest result. It is a convenience: a
// system without symbolic links goes without.
func latest(dir string) {
	link := filepath.Join(filepath.Dir(dir), "latest")
	if info, err := os.Lstat(link); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return // something of the user's
	}
	_ = os.Remove(link)
	_ = os.Symlink(filepath.Base(dir), link)
}

// parameters returns the resolved flags of the chosen command by name.
func (s *session) parameters() map[string]string {
	p := make(map[string]string)
	k, err := kong.New(s.cli, kong.Name("bench"), simVars)
	if err != nil {
		return p
	}
	parsed, err := k.Parse(s.args)
	if err != nil {
		return p
	}
	for _, f := range parsed.Flags() {
		if f.Name != "help" {
			p[f.Name] = fmt.Sprint(parsed.FlagValue(f))
		}
	}
	p["seed"] = fmt.Sprint(s.cli.Seed) // the flag has no default of its own
	maps.Copy(p, s.more)
	return p
}
