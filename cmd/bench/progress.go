package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// A bar shows how far a stage is: a bar with the time left on a terminal, a line
// every few seconds elsewhere.
type bar struct {
	out   io.Writer
	title string
	start time.Time

	mu    sync.Mutex
	since time.Time // when the part under way began: one with a total of its own
	mpb   *mpb.Progress
	bar   *mpb.Bar
	doing string
	total int
	told  time.Time // when the last plain line was written
	plain bool
}

// leastShare is the part of the work, one in so many, after which the time left is
// estimated.
const leastShare = 100

// plainEvery is the time between two lines where there is no terminal.
const plainEvery = 3 * time.Second

func newBar(out io.Writer, mode, title, what string) *bar {
	now := time.Now()
	b := &bar{out: out, title: title, start: now, since: now, told: now, plain: mode == "plain"}
	f, ok := out.(*os.File)
	if mode == "auto" {
		b.plain = !ok || !term.IsTerminal(int(f.Fd()))
	}
	if mode == "none" {
		b.out = io.Discard
		b.plain = true
	}
	fmt.Fprintf(b.out, "%s %s\n", title, what)
	if !b.plain {
		b.mpb = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(150*time.Millisecond))
		b.bar = b.mpb.AddBar(0,
			mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Percentage(decor.WC{W: 5})),
			mpb.AppendDecorators(
				decor.Any(func(s decor.Statistics) string {
					return b.left(int(s.Current), int(s.Total)) + "  " + b.now()
				}),
			),
		)
	}
	return b
}

// now returns what the stage is doing.
func (b *bar) now() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.doing
}

// step is the stage's [experiments.Progress].
func (b *bar) step(done, total int, what string) {
	b.mu.Lock()
	b.doing = what
	fresh := total != b.total
	if fresh && b.total > 0 {
		b.since = time.Now()
	}
	b.total = total
	tell := b.plain && time.Since(b.told) >= plainEvery
	if tell {
		b.told = time.Now()
	}
	b.mu.Unlock()
	if tell {
		share := 100 * float64(done) / float64(max(total, 1))
		fmt.Fprintf(b.out, "%s %3.0f %%  %s  %s\n", b.title, share, b.left(done, total), what)
	}
	if b.bar == nil {
		return
	}
	if fresh {
		b.bar.SetTotal(int64(total), false)
	}
	b.bar.SetCurrent(int64(done))
}

// left estimates the time left from the time that the part has taken so far. Of a
// small beginning it says nothing.
func (b *bar) left(done, total int) string {
	if done <= 0 || done < total/leastShare {
		return ""
	}
	b.mu.Lock()
	since := b.since
	b.mu.Unlock()
	left := time.Duration(float64(time.Since(since)) / float64(done) * float64(total-done))
	return fmt.Sprintf("%v left", left.Round(time.Second))
}

// close takes the bar away and says how long the stage took.
func (b *bar) close() {
	if b.bar != nil {
		b.bar.Abort(true)
		b.mpb.Wait()
	}
	fmt.Fprintf(b.out, "%s done in %.1f s\n", b.title, time.Since(b.start).Seconds())
}
