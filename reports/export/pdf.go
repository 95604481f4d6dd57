package export

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"i3bench/reports"
)

// browsers are the programs that print a page, in the order in which they are tried.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

const (
	printTime  = 2 * time.Minute // after which a browser is ended
	printTries = 3               // a browser on a busy machine now and then crashes before it is there
)

// pdf is the page as headless Chromium prints it.
func pdf(ctx context.Context, r *reports.Result) ([]byte, error) {
	path, err := browser()
	if err != nil {
		return nil, err
	}
	page, err := reports.HTML(r)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "report-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, reports.HTMLFile), page, 0o600); err != nil {
		return nil, err
	}
	for range printTries {
		var data []byte
		if data, err = printPage(ctx, path, dir); err == nil || ctx.Err() != nil {
			return data, err
		}
	}
	return nil, err
}

// browser looks for a browser.
func browser() (string, error) {
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium to print the page with, expected one of its names in PATH: " +
		"install the package chromium, or print report.html from any browser")
}

// printPage runs a browser on the page in a folder, without a network.
func printPage(ctx context.Context, browser, dir string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	file := filepath.Join(dir, "report.pdf")
	args := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + filepath.Join(dir, "profile"),
		"--no-pdf-header-footer", "--print-to-pdf=" + file,
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // with which root may not start it
	}
	page := url.URL{Scheme: "file", Path: filepath.Join(dir, reports.HTMLFile)}
	cmd := exec.CommandContext(ctx, browser, append(args, page.String())...)
	cmd.WaitDelay = 5 * time.Second // for its children, which may hold the output open
	if out, err := cmd.CombinedOutput(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return nil, fmt.Errorf("print with %s: %w: %.300q", browser, err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("print with %s: it wrote no file: %w", browser, err)
	}
	return data, nil
}
