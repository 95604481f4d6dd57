package export

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"i3bench/reports"
)

// A Format is a form of a report, by its name on a command line.
type Format string

// The formats.
const (
	Markdown Format = "markdown"
	JSON     Format = "json"
	CSV      Format = "csv"
	PNG      Format = "png"
	PDF      Format = "pdf"
	Parquet  Format = "parquet"
	HLog     Format = "hlog"
)

// formats say what each format writes: one file of a name, or several below it.
var formats = []struct {
	name Format
	file string
	one  func(context.Context, *reports.Result) ([]byte, error)
	many func(*reports.Result) ([]file, error)
	data bool // of the result directory itself, and not to be written over
}{
	{name: Markdown, file: "report.md", one: plain(markdown)},
	{name: JSON, file: "report.json", one: plain(document)},
	{name: CSV, file: "report-csv", many: tables},
	{name: PNG, file: "report-png", many: pictures},
	{name: PDF, file: "report.pdf", one: pdf},
	{name: Parquet, file: reports.EventsFile, one: plain(written(reports.WriteEvents)), data: true},
	{name: HLog, file: reports.LatencyFile, one: plain(written(reports.WriteLatency)), data: true},
}

// Formats lists the names of the formats.
func Formats() (out []Format) {
	for _, f := range formats {
		out = append(out, f.name)
	}
	return out
}

// A file is one of several that a format writes.
type file struct {
	name string
	data []byte
}

// Write writes a result in a format and returns the path of what it has written:
// out, or if that is empty a file or folder in the result directory. Formats of
// several files make a folder, or an archive if out ends in ".zip". What is there
// under a name is replaced, but for events.parquet and latency.hlog of the result
// itself, for which it returns an error; so it does for an unknown format, and
// where [PDF] finds no browser.
func Write(ctx context.Context, r *reports.Result, format Format, out string) (string, error) {
	i := slices.Index(Formats(), format)
	if i < 0 {
		return "", fmt.Errorf("export: format %.40q, expected one of %s", format, list())
	}
	f := formats[i]
	own := filepath.Join(r.Dir, f.file)
	if out == "" {
		out = own
	}
	if f.data && out == own {
		if _, err := os.Lstat(own); !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("export: %s is there, expected another name, or that it is removed first", own)
		}
	}
	var err error
	if f.one != nil {
		var data []byte
		if data, err = f.one(ctx, r); err == nil {
			err = put(out, data)
		}
	} else {
		var files []file
		if files, err = f.many(r); err == nil {
			err = putAll(out, files)
		}
	}
	if err != nil {
		return "", fmt.Errorf("export: %s of %s: %w", format, r.Dir, err)
	}
	return out, nil
}

// list names the formats in a sentence.
func list() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// plain is a format that needs no context.
func plain(one func(*reports.Result) ([]byte, error)) func(context.Context, *reports.Result) ([]byte, error) {
	return func(_ context.Context, r *reports.Result) ([]byte, error) { return one(r) }
}

// written is a format that package reports writes.
func written(write func(io.Writer, *reports.Result) error) func(*reports.Result) ([]byte, error) {
	return func(r *reports.Result) ([]byte, error) {
		var b bytes.Buffer
		err := write(&b, r)
		return b.Bytes(), err
	}
}

// put replaces a file in one step.
func put(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}

// putAll writes files into a folder, or into an archive.
func putAll(path string, files []file) error {
	if strings.HasSuffix(path, ".zip") {
		data, err := archive(files)
		if err != nil {
			return err
		}
		return put(path, data)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := put(filepath.Join(path, f.name), f.data); err != nil {
			return err
		}
	}
	return nil
}

// archive packs files.
func archive(files []file) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}
