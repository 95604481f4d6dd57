package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is encoded is decoded as the same scenario, operation by operation, also where its trace is not.
func TestEncode(t *testing.T) {
	dir := t.TempDir()
	traced := filepath.Join(dir, "s.yaml")
	for name, text := range map[string]string{
		"s.yaml":  "name: t\nphases:\n  - for: 1s\n    load: [{schedule: trace, file: ops.csv}]\n",
		"ops.csv": "time,operation,member\n0.1,join,1\n200ms,leave,1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range append(Names(), traced) {
		s, err := Load(name, []string{"cluster.standing=70", "shorten=1000"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if name == traced {
			os.RemoveAll(dir)
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		want, err := s.Describe(3)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := back.Describe(3); err != nil || got != want {
			t.Errorf("%s: %v, became\n%s\nwas\n%s", name, err, got, want)
		}
	}
}

// What is no scenario is refused, as a file is.
func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"x":                                    "1 bytes",
		`{}`:                                   "empty",
		`{"File":"a","Data":"bmFtZTogeA=="}`:   "no phases",
		`{"Data":"bmFtZTogeA==","Sets":["x"]}`: "want key=value",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Parse("p", []byte("name: t\nphases: [{for: 1s, load: [{schedule: trace, file: x}]}]"), nil); err == nil {
		t.Error("a trace was found that was not given")
	}
}
