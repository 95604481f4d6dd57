package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/pelletier/go-toml/v2"

	"i3bench/i3/chord"
	"i3bench/i3/node"
)

// A Config says what a daemon is. Its zero values mean the defaults that [Config.Check] puts in.
type Config struct {
	// Listen is the address and port of the node, at which others reach it: it is the node's name on the ring, so
	// it cannot be that of all interfaces.
	Listen string `toml:"listen"`
	// Join are members of the ring to join, each an address or a name, and a port. A name stands for all addresses
	// that it has when the daemon starts, but the node's own. Without any the node is a ring of its own.
	Join []string `toml:"join"`
	// Alone lets the node be a ring of its own if none of the names in Join has another address. Two nodes of which
	// this is true at the same time make two rings, which have never heard of each other.
	Alone bool `toml:"alone"`
	// Position is the node's place on the ring, 16 hexadecimal digits. Default: a hash of its address.
	Position string `toml:"position"`
	// HTTP is the address and port for operators. Default 127.0.0.1 and any free port; "off" for none.
	HTTP string `toml:"http"`
	// SecretFile holds 64 hexadecimal digits or more. Default: a secret drawn at each start.
	SecretFile string `toml:"secret_file"`
	// Drain bounds how long a daemon that is stopped takes to hand over what it has. Default 10 s.
	Drain Duration `toml:"drain"`
	// NoMirrors makes the node neither keep mirrors of the triggers of those before it nor give its own to those behind.
	NoMirrors bool `toml:"no_mirrors"`
	// Limits bound what hosts may do.
	Limits Limits `toml:"limits"`
	// Log says what is written to the log.
	Log Log `toml:"log"`
}

// Limits bound what hosts may do at a node; see [node.Config].
type Limits struct {
	Triggers      int      `toml:"triggers"`       // in all; default [node.DefaultMaxTriggers]
	Mirrors       int      `toml:"mirrors"`        // of others, besides; default twice Triggers
	PerIdentifier int      `toml:"per_identifier"` // default [node.DefaultMaxPerID]
	Lifetime      Duration `toml:"lifetime"`       // of a trigger without refresh; default [node.DefaultLifetime]
	SocketBuffer  int      `toml:"socket_buffer"`  // bytes that may wait in the socket; default 4 MiB

	// What one source may have and ask for; see [node.Limits]. Below zero there is no limit.
	PerSource         int `toml:"per_source"`
	PerTarget         int `toml:"per_target"`
	PerKey            int `toml:"per_key"`
	Share             int `toml:"share"`               // of the triggers of an identifier
	RequestsPerSecond int `toml:"requests_per_second"` // of one source
	PacketsPerSecond  int `toml:"packets_per_second"`  // of one trigger; default none
}

// ofSources returns what one source may have and ask for.
func (l *Limits) ofSources() node.Limits {
	return node.Limits{
		MaxPerSource: l.PerSource, MaxPerTarget: l.PerTarget, MaxPerKey: l.PerKey, MaxShare: l.Share,
		Requests: node.Rate{PerSecond: l.RequestsPerSecond}, Packets: node.Rate{PerSecond: l.PacketsPerSecond},
	}
}

// Log is the log's form.
type Log struct {
	Level  string `toml:"level"`  // debug, info, warn or error; default info
	Format string `toml:"format"` // text or json; default text
}

// Defaults of a [Config].
const (
	DefaultDrain = 10 * time.Second
	DefaultHTTP  = "127.0.0.1:0"
	// NoHTTP is the value of Config.HTTP for none.
	NoHTTP = "off"
)

// A Duration is one that a file gives like "30s".
type Duration time.Duration

// UnmarshalText reads the form of [time.ParseDuration].
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q: want a duration such as 30s", b)
	}
	*d = Duration(v)
	return nil
}

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 1 << 20

// Load reads a configuration file in TOML. A key that it does not know is an error, which names the line.
func Load(name string) (Config, error) {
	f, err := os.Open(name)
	if err != nil {
		return Config{}, fmt.Errorf("daemon: config: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(b) > maxConfig {
		err = fmt.Errorf("more than %d bytes", maxConfig)
	}
	if err != nil {
		return Config{}, fmt.Errorf("daemon: config %s: %w", name, err)
	}
	var c Config
	if err := parse(b, &c); err != nil {
		return Config{}, fmt.Errorf("daemon: config %s: %w", name, err)
	}
	return c, nil
}

// parse decodes a file, and says where it cannot.
func parse(b []byte, c *Config) error {
	err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(c)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		first := unknown.Errors[0]
		row, _ := first.Position()
		return fmt.Errorf("line %d: %v: there is no such key", row, first.Key())
	case errors.As(err, &wrong):
		row, col := wrong.Position()
		return fmt.Errorf("line %d, column %d: %w", row, col, err)
	}
	return err
}

// Check puts defaults in place of zero values, and returns what is wrong.
func (c *Config) Check() error {
	if _, err := c.listenAddr(); err != nil {
		return err
	}
	for _, j := range c.Join {
		if _, _, err := splitJoin(j); err != nil {
			return err
		}
	}
	if c.Position != "" {
		if _, err := ParsePrefix(c.Position); err != nil {
			return fmt.Errorf("daemon: config: position: %w", err)
		}
	}
	return errors.Join(c.checkHTTP(), c.checkLog(), c.checkNumbers())
}

// listenAddr returns the node's address.
func (c *Config) listenAddr() (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(c.Listen)
	if err != nil || a.Addr().IsUnspecified() {
		return a, fmt.Errorf("daemon: config: listen %.60q: want the address and port at which others reach it", c.Listen)
	}
	return a, nil
}

func (c *Config) checkHTTP() error {
	switch c.HTTP {
	case NoHTTP:
		return nil
	case "":
		c.HTTP = DefaultHTTP
	}
	if _, _, err := net.SplitHostPort(c.HTTP); err != nil {
		return fmt.Errorf("daemon: config: http %q: want an address and port, or %q", c.HTTP, NoHTTP)
	}
	return nil
}

func (c *Config) checkLog() error {
	if c.Log.Format == "" {
		c.Log.Format = "text"
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return fmt.Errorf("daemon: config: log format %q: want text or json", c.Log.Format)
	}
	if c.Log.Level == "" {
		c.Log.Level = "info"
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return fmt.Errorf("daemon: config: log level %q: want debug, info, warn or error", c.Log.Level)
	}
	return nil
}

func (c *Config) checkNumbers() error {
	l := &c.Limits
	if l.Triggers == 0 {
		l.Triggers = node.DefaultMaxTriggers
	}
	if l.PerIdentifier == 0 {
		l.PerIdentifier = node.DefaultMaxPerID
	}
	if l.Lifetime == 0 {
		l.Lifetime = Duration(node.DefaultLifetime)
	}
	if c.Drain == 0 {
		c.Drain = Duration(DefaultDrain)
	}
	for _, v := range []struct {
		name        string
		value, most int64
	}{
		{"limits.triggers", int64(l.Triggers), 1 << 32},
		{"limits.mirrors", int64(l.Mirrors) + 1, 1 << 32},
		{"limits.per_identifier", int64(l.PerIdentifier), 1<<16 - 1},
		{"limits.socket_buffer", int64(l.SocketBuffer) + 1, 1 << 30},
		{"limits.lifetime", int64(l.Lifetime), int64(24 * time.Hour)},
		{"drain", int64(c.Drain), int64(time.Hour)},
	} {
		if v.value < 1 || v.value > v.most {
			return fmt.Errorf("daemon: config: %s is out of its range: want more than zero and at most %d", v.name, v.most)
		}
	}
	return nil
}

// Logger returns a log as the configuration wants it.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(c.Log.Level)) != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// ParsePrefix reads a position of the ring, 16 hexadecimal digits.
func ParsePrefix(s string) (uint64, error) {
	v, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, fmt.Errorf("%.40q: want 16 hexadecimal digits", s)
	}
	return v, nil
}

// FormatPrefix writes a position of the ring.
func FormatPrefix(p uint64) string { return fmt.Sprintf("%016x", p) }

// place returns where the node is on the ring.
func (c *Config) place(self netip.AddrPort) chord.Place {
	if p, err := ParsePrefix(c.Position); err == nil {
		return chord.Place{Prefix: p, Addr: self}
	}
	return chord.Place{Prefix: PositionOf(self), Addr: self}
}
