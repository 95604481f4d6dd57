package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"i3bench/loadgen/scenario"
)

// tokenFile writes a token.
func tokenFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte("a token for all of them\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What is not safe, or makes no sense, is refused before there is a result.
func TestAgentFlags(t *testing.T) {
	file := tokenFile(t)
	for args, want := range map[string]string{
		"load --agents 2 --listen 0.0.0.0:0 --token-file " + file:  "beyond loopback: want TLS",
		"load --agents 2 --listen 127.0.0.1:0":                     "want a token or NKeys",
		"load --agents 2 --nats nats://10.1.2.3:4222":              "beyond loopback: want tls://",
		"load --agents 2 --nats nats://secret@127.0.0.1:4222":      "credentials in a URL",
		"load --agents 2 --nats nats://127.0.0.1:1 --listen x":     "no --nats beside",
		"load --agents 2 --token-file none.txt --listen 0.0.0.0:0": "none.txt",
		"load --agents 2 --tls-cert x":                             "want --listen",
		"load --agents 2 --host here":                              "an address of this machine",
		"load --agents=-1":                                         "want at least 1",
		"load --listen 0.0.0.0:0":                                  "want --agents",
		"load --agents 65":                                         "64 standing receivers",
		"load --agents 2 --scenario million-idle":                  "world sim",
		"agent --nats nats://10.1.2.3:4222":                        "beyond loopback: want tls://",
		"agent":                                                    "--nats",
	} {
		out := filepath.Join(t.TempDir(), "out")
		code, _, errs := bench(append(strings.Fields(args), "--out", out)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("bench %s: exit %d, %s", args, code, errs)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("bench %s: there is a result", args)
		}
	}
	code, _, errs := bench("agent", "--nats", "nats://127.0.0.1:1", "--wait", "300ms")
	if code != exitError || !strings.Contains(errs, "within 300ms") {
		t.Errorf("without a server: exit %d, %s", code, errs)
	}
}

// The scenario that stands for the flags of bench load is one, and offers what they say.
func TestLoadAsScenario(t *testing.T) {
	var c loadFlags
	c.Joins, c.Repairs, c.For, c.Standing, c.Pool, c.Rate, c.Late = 1e6, 0.5, 1500*time.Millisecond, 9, 8, 150, 1
	e, err := c.experiment(&cli{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	s, err := asScenario(e, "draw")
	if err != nil {
		t.Fatal(err)
	}
	load := s.Phases[0].Load
	if s.Cluster.Search != "draw" ||
		s.Cluster.Standing != 9 || s.Cluster.Visitors != 8 || s.Cluster.Nodes != e.Nodes || s.Cluster.Size != e.Size ||
		s.Phases[0].For != c.For || load[0].Rate != 1e6 || load[1].Rate != 0.5 || load[1].Mix[scenario.Repair] != 1 {
		t.Errorf("%+v", s)
	}
}
