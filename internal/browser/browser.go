package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Open starts headless Chromium, or skips the test where there is none. Nothing but addresses with the prefix may be
// asked for. The function that it returns lists what the browser complained about.
func Open(t *testing.T, prefix string) (context.Context, func() []string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skipf("skipped: no chromium to open the page in (%v)", err)
	}
	ctx := start(t, path)

	var mu sync.Mutex
	var problems []string
	err = chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			problems = append(problems, fmt.Sprintf("console %s: %v", e.Type, e.Args))
		case *runtime.EventExceptionThrown:
			problems = append(problems, "exception: "+e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			problems = append(problems, fmt.Sprintf("log %s: %s", e.Entry.Level, e.Entry.Text))
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, prefix) && !strings.HasPrefix(e.Request.URL, "data:") {
				problems = append(problems, "request to "+e.Request.URL)
			}
		}
	})
	if err == nil {
		err = chromedp.Do(ctx, Command(log.Enable, cdp.Empty{}))
	}
	if err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return problems
	}
}

// start starts Chromium, which on a busy machine now and then crashes before it is there: that is nothing that a test
// did, so it gets three tries.
func start(t *testing.T, path string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.WSURLReadTimeout(time.Minute))
	all, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	for try := 1; ; try++ {
		ctx, stop := chromedp.NewExecAllocator(all, options...)
		t.Cleanup(stop)
		ctx, cancel := chromedp.NewContext(ctx)
		t.Cleanup(cancel)
		err := chromedp.Do(ctx, Command(network.Enable, network.EnableParams{}))
		if err == nil {
			return ctx
		}
		if try == 3 {
			t.Fatalf("start %s, try %d: %v", path, try, err)
		}
		t.Logf("start %s, try %d: %v", path, try, err)
		stop()
	}
}

// offline are the parameters of the command that cuts the network off: Chromium 148 insists on the switch for all
// conditions, later releases on the one in each of them.
type offline struct {
	Offline    bool                  `json:"offline"`
	Conditions []*network.Conditions `json:"matchedNetworkConditions"`
}

var goOffline = cdp.Command[offline, cdp.Empty]{Method: network.CommandEmulateNetworkConditionsByRule}

// Offline returns the action that cuts the network off.
func Offline() chromedp.Action[chromedp.Void] {
	return Command(goOffline, offline{Offline: true, Conditions: []*network.Conditions{{Offline: true}}})
}

// Command is an action that sends one command of the protocol.
func Command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

// View sets the window to a width, on a phone where it is narrow, and the theme to light or dark.
func View(ctx context.Context, theme string, width int64) error {
	media := emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	}
	size := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 600}
	return chromedp.Do(ctx, Command(emulation.SetEmulatedMedia, media), Command(emulation.SetDeviceMetricsOverride, size))
}

// Shoot writes a screenshot of the whole page into the test's artifact directory: go test -artifacts keeps it.
func Shoot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), shot, 0o644)
	}
	if err != nil {
		t.Errorf("screenshot %s: %v", name, err)
	}
}
