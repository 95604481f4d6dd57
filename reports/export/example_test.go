package export_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"i3bench/reports"
	"i3bench/reports/export"
)

// A result becomes a folder of CSV files, one for each table.
func ExampleWrite() {
	r, err := reports.Open("../testdata/synthetic")
	if err != nil {
		fmt.Println(err)
		return
	}
	base, err := os.MkdirTemp("", "export")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(base)
	dir, err := export.Write(context.Background(), r, export.CSV, filepath.Join(base, "csv"))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := os.ReadFile(filepath.Join(dir, "files-1.csv"))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(text))
	// Output:
	// file,state,figures absent
	// run.json,read,none
	// samples.csv,"read, 5,066 samples",none
	// events.parquet,not there,none
	// latency.hlog,not there,none
}
