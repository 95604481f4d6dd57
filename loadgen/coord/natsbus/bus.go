package natsbus

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"i3bench/loadgen/coord"
)

// A Config says how to connect to a server.
type Config struct {
	// URL is that of a server, or of several of a cluster with commas between them.
	URL string
	// Token is the server's, and NKeyFile a file with the seed of a user's NKey. One of them, or none.
	Token, NKeyFile string
	// CAFile is a file of certificates in PEM, of who may sign the server's. Default: those of the system.
	CAFile string
	// Name is shown by the server.
	Name string
	// Wait is how long the server may take to be there. A server that refuses is not asked again.
	Wait time.Duration
}

// retry is how long a client waits before it tries again.
const retry = 250 * time.Millisecond

// pendingBytes bounds what waits for a subscriber, beside [coord.QueueLength] messages.
const pendingBytes = 64 << 20

// A Bus is a connection to a server. It connects again when that was lost; what is published meanwhile
// is refused.
type Bus struct {
	conn *nats.Conn
}

var _ coord.Bus = (*Bus)(nil)

// Connect connects to a server. Beyond loopback it wants TLS.
func Connect(ctx context.Context, cfg Config) (*Bus, error) {
	options, err := cfg.options()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Wait)
	defer cancel()
	for {
		b, err := connect(cfg.URL, options)
		if err == nil {
			return b, nil
		}
		if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrSecureConnRequired) {
			return nil, fmt.Errorf("natsbus: connect to %s: %w", cfg.URL, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("natsbus: connect to %s, within %v: %w", cfg.URL, cfg.Wait, err)
		case <-time.After(retry):
		}
	}
}

// connect connects once.
func connect(url string, options []nats.Option) (*Bus, error) {
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return nil, err
	}
	return &Bus{conn: conn}, nil
}

// common are the options of every client.
func common(name string) []nats.Option {
	return []nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(retry), nats.ReconnectBufSize(-1),
		nats.Timeout(5 * time.Second), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // counted
	}
}

// Check says what is missing, before anything connects.
func (c Config) Check() error {
	_, err := c.options()
	return err
}

// options returns those of a client, or says what is missing.
func (c Config) options() ([]nats.Option, error) {
	secure := c.CAFile != ""
	for one := range strings.SplitSeq(c.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return nil, fmt.Errorf("natsbus: server %.80q: want nats://HOST:PORT or tls://HOST:PORT", one)
		}
		if u.User != nil {
			return nil, fmt.Errorf("natsbus: server %s: credentials in a URL: want them in a file", u.Host)
		}
		if !secure && u.Scheme != "tls" && !loopback(u.Hostname()) {
			return nil, fmt.Errorf("natsbus: server %s is beyond loopback: want tls://, or a file of certificates", u.Host)
		}
	}
	options := common(c.Name)
	if c.CAFile != "" {
		options = append(options, nats.RootCAs(c.CAFile))
	}
	switch {
	case c.Token != "" && c.NKeyFile != "":
		return nil, errors.New("natsbus: a token and an NKey: want one of them")
	case c.Token != "":
		options = append(options, nats.Token(c.Token))
	case c.NKeyFile != "":
		key, err := nats.NkeyOptionFromSeed(c.NKeyFile)
		if err != nil {
			return nil, fmt.Errorf("natsbus: NKey in %s: %w", c.NKeyFile, err)
		}
		options = append(options, key)
	}
	return options, nil
}

// loopback reports whether a host is this one, whatever a name server says.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || host == "localhost"
}

// Publish implements [coord.Bus].
func (b *Bus) Publish(subject string, data []byte) error { return b.conn.Publish(subject, data) }

// Subscribe implements [coord.Bus].
func (b *Bus) Subscribe(subject string, handle func(coord.Message)) (cancel func(), err error) {
	sub, err := b.conn.Subscribe(subject, func(m *nats.Msg) {
		message := coord.Message{Data: m.Data}
		if m.Reply != "" {
			message.Answer = m.Respond
		}
		handle(message)
	})
	if err != nil {
		return nil, fmt.Errorf("natsbus: subscribe to %s: %w", subject, err)
	}
	if err := sub.SetPendingLimits(coord.QueueLength, pendingBytes); err != nil {
		return nil, fmt.Errorf("natsbus: subscribe to %s: %w", subject, err)
	}
	// Whoever hears of the subscriber may ask it at once: the server must know.
	if err := b.conn.FlushTimeout(5 * time.Second); err != nil {
		return nil, fmt.Errorf("natsbus: subscribe to %s: %w", subject, err)
	}
	return func() { _ = sub.Unsubscribe() }, nil // fails on a closed connection, where nothing is subscribed
}

// Request implements [coord.Bus].
func (b *Bus) Request(ctx context.Context, subject string, data []byte) ([]byte, error) {
	m, err := b.conn.RequestWithContext(ctx, subject, data)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, coord.ErrNobody
	case err != nil:
		return nil, fmt.Errorf("natsbus: request to %s: %w", subject, err)
	}
	return m.Data, nil
}

// Close sends what was published and ends the connection.
func (b *Bus) Close() {
	_ = b.conn.FlushTimeout(time.Second) // a server that is gone takes nothing
	b.conn.Close()
}
