package reports

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// sqlWords are the words of SQL that the queries use, functions included.
var sqlWords = strings.Fields(`select from where group by order as with and in is not null case when then end over
	partition desc limit cast integer distinct count sum min max avg greatest quantile_disc read_parquet`)

// Queries name no column that is not in the file, whose columns are those of
// samples.csv. What they answer is tested in the module reports/sql/peer.
func TestQueriesNameColumnsOfTheFile(t *testing.T) {
	var known []string
	for _, f := range parquet.SchemaOf(eventRow{}).Fields() {
		known = append(known, f.Name())
	}
	if !slices.Equal(known, columnNames[:]) {
		sorted := slices.Sorted(slices.Values(columnNames[:]))
		if !slices.Equal(slices.Sorted(slices.Values(known)), sorted) {
			t.Fatalf("columns %q, expected those of samples.csv, %q", known, columnNames)
		}
	}
	files, err := filepath.Glob("sql/*.sql")
	if err != nil || len(files) < 4 {
		t.Fatalf("%q, %v, expected the queries", files, err)
	}
	apart := regexp.MustCompile(`--[^\n]*|'[^']*'`)
	alias := regexp.MustCompile(`(?i)\bas\s+([a-z_0-9]+)|with\s+([a-z]+)\s+as`)
	name := regexp.MustCompile(`[A-Za-z_][A-Za-z_0-9]*`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "read_parquet('"+EventsFile+"')") || !strings.HasPrefix(string(text), "-- ") {
			t.Errorf("%s: expected that it says what it answers, and reads %s", file, EventsFile)
		}
		body := apart.ReplaceAllString(string(text), " ")
		own := slices.Clone(known)
		for _, m := range alias.FindAllStringSubmatch(body, -1) {
			own = append(own, m[1], m[2])
		}
		for _, word := range name.FindAllString(regexp.MustCompile(`\b\d[\de]*`).ReplaceAllString(body, "0"), -1) {
			if !slices.Contains(own, word) && !slices.Contains(sqlWords, strings.ToLower(word)) {
				t.Errorf("%s: %q is no column of %s, none of its own, and no word that it may use", file, word, EventsFile)
			}
		}
	}
}
