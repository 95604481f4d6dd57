package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is wrong with a node's flags or file is said, and nothing is started.
func TestNodeUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.toml")
	if err := os.WriteFile(file, []byte("listen = \"127.0.0.1:7000\"\n[limits]\ntrigger = 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":                                        "want the address and port at which others reach it",
		"--listen=0.0.0.0:7000":                   "want the address and port at which others reach it",
		"--listen=127.0.0.1:0 --join=nobody":      `join "nobody": want an address or name, and a port`,
		"--listen=127.0.0.1:0 --position=5":       "want 16 hexadecimal digits",
		"--listen=127.0.0.1:0 --http=here":        `http "here": want an address and port, or "off"`,
		"--config=" + file:                        "line 3: [limits trigger]: there is no such key",
		"--config=" + file + "2":                  "no such file",
		"--config=" + file + " --listen=x --what": "unknown flag --what",
		"--listen=127.0.0.1:0 --profile":          "a node has no result directory",
	} {
		code, _, errs := bench(append([]string{"node"}, strings.Fields(args)...)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("node %s: exit %d, %q, want %d and %q", args, code, errs, exitUsage, want)
		}
	}
}

// A node as a process takes its file, with flags before it, logs what happens in the form that was asked for, and ends
// with success when it is told to.
func TestNodeProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.toml")
	text := "listen = \"127.0.0.1:1\"\nhttp = \"off\"\n[log]\nformat = \"json\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := program(t, "node --listen 127.0.0.1:0 --config "+file)
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		var said []string
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			said = append(said, lines.Text())
			if strings.Contains(lines.Text(), `"msg":"node is on the ring"`) {
				if err := cmd.Process.Signal(s); err != nil {
					t.Error(err)
				}
			}
		}
		if err := cmd.Wait(); err != nil || !strings.Contains(said[len(said)-1], `"msg":"node is down"`) {
			t.Errorf("%v: %v, %s", s, err, strings.Join(said, "\n"))
		}
	}
}
