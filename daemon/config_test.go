package daemon

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoad(t *testing.T) {
	c, err := Load(writeFile(t, `
listen = "192.0.2.1:7000"
join = ["192.0.2.2:7000", "ring.example:7000"]
position = "0123456789abcdef"
http = "off"
drain = "3s"
[limits]
lifetime = "1m"
triggers = 5
[log]
level = "debug"
format = "json"
`))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if c.Listen != "192.0.2.1:7000" || len(c.Join) != 2 || c.Limits.Triggers != 5 || c.Limits.PerIdentifier == 0 ||
		time.Duration(c.Limits.Lifetime) != time.Minute || c.place(netip.AddrPort{}).Prefix != 0x123456789abcdef {
		t.Errorf("%+v", c)
	}
	var b bytes.Buffer
	c.Logger(&b).Debug("x")
	if !strings.Contains(b.String(), `"msg":"x"`) {
		t.Errorf("log %q", b.String())
	}
}

// What is wrong is said with the place and what was expected.
func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"x = 1": "line 1: [x]: there is no such key",
		"listen = \"1.2.3.4:1\"\n[limits]\nfoo = 2": "line 3: [limits foo]: there is no such key",
		"listen = 5":                     "line 1",
		"drain = \"soon\"":               "want a duration such as 30s",
		"listen = ":                      "line 1",
		strings.Repeat("#", maxConfig+1): "more than",
	} {
		if _, err := Load(writeFile(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want one that says %q", text, err, want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there")
	}
}

func TestCheckRefuses(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"listen":                func(c *Config) { c.Listen = "0.0.0.0:7000" },
		"join \"x\"":            func(c *Config) { c.Join = []string{"x"} },
		"join \"x:0\"":          func(c *Config) { c.Join = []string{"x:0"} },
		"join \":7000\"":        func(c *Config) { c.Join = []string{":7000"} },
		"position":              func(c *Config) { c.Position = "12" },
		"http":                  func(c *Config) { c.HTTP = "9100" },
		"log format":            func(c *Config) { c.Log.Format = "xml" },
		"log level":             func(c *Config) { c.Log.Level = "loud" },
		"limits.triggers":       func(c *Config) { c.Limits.Triggers = -1 },
		"limits.per_identifier": func(c *Config) { c.Limits.PerIdentifier = 1 << 16 },
		"limits.lifetime":       func(c *Config) { c.Limits.Lifetime = Duration(48 * time.Hour) },
		"limits.socket_buffer":  func(c *Config) { c.Limits.SocketBuffer = -2 },
		"drain":                 func(c *Config) { c.Drain = -1 },
	} {
		c := Config{Listen: "192.0.2.1:7000"}
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// Keys differ by purpose and by node, and a secret from a file makes the same ones again.
func TestKeys(t *testing.T) {
	name := writeFile(t, strings.Repeat("0123456789abcdef", 4)+"\n")
	key := func(file, addr, purpose string) (k [16]byte) {
		s, err := loadSecret(file, netip.MustParseAddrPort(addr))
		if err != nil {
			t.Fatal(err)
		}
		s.key(purpose, k[:])
		return k
	}
	first := key(name, "192.0.2.1:1", "ring")
	for _, other := range [][16]byte{
		key(name, "192.0.2.1:1", "node"), key(name, "192.0.2.2:1", "ring"), key("", "192.0.2.1:1", "ring"), {},
	} {
		if other == first {
			t.Errorf("the same key %x", first)
		}
	}
	if again := key(name, "192.0.2.1:1", "ring"); again != first {
		t.Errorf("%x and then %x", first, again)
	}
	if PositionOf(netip.MustParseAddrPort("192.0.2.1:1")) == PositionOf(netip.MustParseAddrPort("192.0.2.1:2")) {
		t.Error("two ports at one position")
	}
}

// Names stand for all their addresses but the node's own; one that nobody has is a ring of its own, if that is wanted;
// a name service that does not answer is asked again.
func TestMembers(t *testing.T) {
	self := netip.MustParseAddrPort("192.0.2.1:7000")
	calls := 0
	find := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		calls++
		switch {
		case host == "ring":
			return []netip.Addr{self.Addr(), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("::ffff:192.0.2.3")}, nil
		case host == "late" && calls > 2:
			return []netip.Addr{netip.MustParseAddr("192.0.2.4")}, nil
		case host == "late":
			return nil, &net.DNSError{IsTemporary: true}
		}
		return nil, &net.DNSError{IsNotFound: true}
	}
	for _, c := range []struct {
		join  []string
		alone bool
		want  string // addresses, or what the error says
	}{
		{nil, false, ""},
		{[]string{"ring:7000"}, false, "192.0.2.2:7000 192.0.2.3:7000"},
		{[]string{"ring:7001"}, false, "192.0.2.1:7001 192.0.2.2:7001 192.0.2.3:7001"},
		{[]string{"192.0.2.2:7000", "ring:7000", "none:7000"}, false, "192.0.2.2:7000 192.0.2.3:7000"},
		{[]string{"late:7000"}, false, "192.0.2.4:7000"},
		{[]string{"none:7000"}, false, "alone = true"},
		{[]string{"none:7000", "192.0.2.1:7000"}, true, ""},
		{[]string{"none"}, true, "an address or name, and a port"},
	} {
		calls = 0
		all, err := (&Config{Join: c.join, Alone: c.alone}).members(t.Context(), self, find)
		var got []string
		for _, m := range all {
			got = append(got, m.String())
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if !strings.Contains(strings.Join(got, " "), c.want) || err == nil && !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%v: %v, want %s", c.join, got, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls = 0
	if _, err := (&Config{Join: []string{"late:1"}}).members(ctx, self, find); !errors.As(err, new(*net.DNSError)) {
		t.Errorf("a name service that does not answer: %v", err)
	}
}
