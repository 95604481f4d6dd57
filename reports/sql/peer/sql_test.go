package peer

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"i3bench/reports"
)

// result is the made-up result of package reports.
func result(t *testing.T) *reports.Result {
	t.Helper()
	r, err := reports.Open("../../testdata/synthetic")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A row is one of an answer, by the names of its columns.
type row map[string]any

// query runs a file of reports/sql where the samples of a result are, and returns its rows.
func query(t *testing.T, r *reports.Result, name string) (rows []row) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, reports.EventsFile))
	if err == nil {
		err = reports.WriteEvents(f, r)
	}
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // the queries name the file alone
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	answer, err := db.Query(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer answer.Close()
	columns, err := answer.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for answer.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := answer.Scan(places...); err != nil {
			t.Fatal(err)
		}
		of := make(row)
		for i, c := range columns {
			of[c] = values[i]
		}
		rows = append(rows, of)
	}
	if err := answer.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// number is a value as a number; of what is none, such as null, it is NaN.
func (r row) number(t *testing.T, column string) float64 {
	t.Helper()
	v, ok := r[column]
	if !ok {
		t.Fatalf("no column %s in %v", column, r)
	}
	switch v := v.(type) {
	case float64:
		return v
	case nil:
		return math.NaN()
	}
	var f float64
	if _, err := fmt.Sscan(fmt.Sprint(v), &f); err != nil {
		t.Fatalf("%s is %v (%T)", column, v, v)
	}
	return f
}

// same checks that a column has a value, but for rounding.
func (r row) same(t *testing.T, column string, want float64) {
	t.Helper()
	if got := r.number(t, column); !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
		t.Errorf("%v: %s is %v, expected %v", r, column, got, want)
	}
}

func TestOverview(t *testing.T) {
	r := result(t)
	all := 0.0
	for _, of := range query(t, r, "overview.sql") {
		list := r.Select(of["stage"].(string), of["kind"].(string))
		of.same(t, "samples", float64(len(list)))
		all += of.number(t, "samples")
	}
	if int(all) != r.Count {
		t.Errorf("%v samples in all, expected %d", all, r.Count)
	}
}

func TestOperations(t *testing.T) {
	r := result(t)
	rows := query(t, r, "operations.sql")
	if len(rows) != 2 {
		t.Fatalf("%d operations, expected two", len(rows))
	}
	for _, of := range rows {
		op := of["operation"].(string)
		l := reports.SummarizeLoad(op, r.Select(reports.StageLoad, op), nil)
		of.same(t, "operations", float64(l.Sent))
		of.same(t, "failed", float64(l.Timeouts+l.Errors))
		of.same(t, "p50_ms", l.Response.P(0.5)/1e6)
		of.same(t, "p90_ms", l.Response.P(0.9)/1e6)
		of.same(t, "p99_ms", l.Response.P(0.99)/1e6)
		of.same(t, "max_ms", l.Response.Max()/1e6)
	}
}

func TestLatency(t *testing.T) {
	r := result(t)
	rows := query(t, r, "latency.sql")
	if len(rows) != 2*4 {
		t.Fatalf("%d rows, expected four seconds of two operations", len(rows))
	}
	for _, of := range rows {
		op, second := of["operation"].(string), int64(of.number(t, "second"))
		var list []reports.Sample
		for _, s := range r.Select(reports.StageLoad, op) {
			if s.StartNS/1e9 == second {
				list = append(list, s)
			}
		}
		l := reports.SummarizeLoad(op, list, nil)
		of.same(t, "operations", float64(len(list)))
		of.same(t, "p50_ms", l.Response.P(0.5)/1e6)
		of.same(t, "p99_ms", l.Response.P(0.99)/1e6)
	}
}

func TestQueries(t *testing.T) {
	r := result(t)
	want := reports.SummarizeQueries(r.Select(reports.StageCluster, reports.KindQueries))
	rows := query(t, r, "queries.sql")
	if len(rows) != len(want) || len(want) < 4 {
		t.Fatalf("%d levels, expected %d", len(rows), len(want))
	}
	for i, of := range rows {
		of.same(t, "level", float64(want[i].Level))
		of.same(t, "queries", want[i].Mean)
		of.same(t, "seeds", float64(len(want[i].PerSeed)))
		of.same(t, "receivers", want[i].Receivers)
	}
}

func TestRefreshes(t *testing.T) {
	r := result(t)
	means := reports.SummarizeBySize(r.Select(reports.StageRefresh, reports.KindRefreshMean))
	most := reports.SummarizeBySize(r.Select(reports.StageRefresh, reports.KindRefreshMax))
	rows := query(t, r, "refreshes.sql")
	at := 0
	for i, c := range means {
		for k, size := range c.Rows {
			of := rows[at]
			at++
			if of["variant"] != c.Group {
				t.Errorf("%v, expected %s", of, c.Group)
			}
			of.same(t, "receivers", float64(size.N))
			of.same(t, "mean", size.Mean)
			of.same(t, "largest", most[i].Rows[k].Mean)
		}
	}
	if at != len(rows) || at < 4 {
		t.Errorf("%d rows, expected %d", len(rows), at)
	}
}

func TestSlowest(t *testing.T) {
	r := result(t)
	rows := query(t, r, "slowest.sql")
	if len(rows) != 20 {
		t.Fatalf("%d rows", len(rows))
	}
	rows[0].same(t, "latency_ms", reports.SummarizeLoad(reports.KindRepair,
		r.Select(reports.StageLoad, reports.KindRepair), nil).Response.Max()/1e6)
	for i := range rows {
		rows[i].same(t, "waited_ms", rows[i].number(t, "latency_ms")-rows[i].number(t, "service_ms"))
		if i > 0 && rows[i].number(t, "latency_ms") > rows[i-1].number(t, "latency_ms") {
			t.Errorf("row %d is slower than the one before", i)
		}
	}
}
