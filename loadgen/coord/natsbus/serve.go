package natsbus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"i3bench/loadgen/coord"
)

// A ServerConfig says how an embedded server listens.
type ServerConfig struct {
	// Listen is its address and port; port 0 is any that is free.
	Listen string
	// Token is what clients must know, of at least [MinToken] characters, or NKeys the public keys of the
	// users who may connect. One of them.
	Token string
	NKeys []string
	// CertFile and KeyFile are its certificate and key, in PEM. Without them it listens on loopback only.
	CertFile, KeyFile string
}

// MinToken is the fewest characters of a token.
const MinToken = 16

// maxConns bounds the connections of an embedded server.
const maxConns = 8192

// A Server is an embedded server, and a connection to it from within the process.
type Server struct {
	*Bus
	server *server.Server
	url    string
	close  sync.Once
}

// Serve starts a server. It keeps nothing on disk, and leaves signals alone.
func Serve(cfg ServerConfig) (*Server, error) {
	host, port, err := cfg.check()
	if err != nil {
		return nil, err
	}
	o := &server.Options{
		ServerName: "i3bench", Host: host, Port: port, NoSigs: true, NoLog: true, NoSystemAccount: true,
		MaxConn: maxConns, MaxPayload: coord.MaxMessage, MaxPending: pendingBytes,
	}
	scheme := "nats"
	if cfg.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("natsbus: certificate in %s and %s: %w", cfg.CertFile, cfg.KeyFile, err)
		}
		o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		scheme = "tls"
	}
	own, err := cfg.authorize(o)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("natsbus: serve on %s: %w", cfg.Listen, err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return nil, fmt.Errorf("natsbus: serve on %s: not ready within 10 s: want a free port", cfg.Listen)
	}
	b, err := connect("", append(common("coordinator"), nats.InProcessServer(s), own))
	if err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("natsbus: connect to the embedded server: %w", err)
	}
	return &Server{Bus: b, server: s, url: scheme + "://" + s.Addr().String()}, nil
}

// Check says what is missing, before anything listens.
func (c ServerConfig) Check() error {
	_, _, err := c.check()
	return err
}

// check returns where to listen, or says what is missing.
func (c ServerConfig) check() (host string, port int, err error) {
	host, name, err := net.SplitHostPort(c.Listen)
	if err == nil {
		port, err = strconv.Atoi(name)
	}
	if err != nil || host == "" || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("natsbus: listen on %.80q: want ADDRESS:PORT", c.Listen)
	}
	switch {
	case (c.CertFile == "") != (c.KeyFile == ""):
		return "", 0, errors.New("natsbus: a certificate without its key, or the other way: want both, or none")
	case c.CertFile == "" && !loopback(host):
		return "", 0, fmt.Errorf("natsbus: listen on %s, which is beyond loopback: want TLS, a certificate and its key",
			c.Listen)
	case (c.Token == "") == (len(c.NKeys) == 0):
		return "", 0, fmt.Errorf("natsbus: listen on %s: want a token or NKeys, one of them", c.Listen)
	case c.Token != "" && len(c.Token) < MinToken:
		return "", 0, fmt.Errorf("natsbus: a token of %d characters: want at least %d", len(c.Token), MinToken)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// authorize tells the server who may connect, and returns how the process itself does: where there are NKeys,
// with one of its own that nobody else has.
func (c ServerConfig) authorize(o *server.Options) (own nats.Option, err error) {
	if c.Token != "" {
		o.Authorization = c.Token
		return nats.Token(c.Token), nil
	}
	for _, key := range c.NKeys {
		if !nkeys.IsValidPublicUserKey(key) {
			return nil, fmt.Errorf("natsbus: NKey %.80q: want the public key of a user", key)
		}
		o.Nkeys = append(o.Nkeys, &server.NkeyUser{Nkey: key})
	}
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("natsbus: new NKey: %w", err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("natsbus: new NKey: %w", err)
	}
	o.Nkeys = append(o.Nkeys, &server.NkeyUser{Nkey: public})
	return nats.Nkey(public, pair.Sign), nil
}

// URL returns where others connect.
func (s *Server) URL() string { return s.url }

// Close ends the connection and the server, and returns when it has ended.
func (s *Server) Close() {
	s.close.Do(func() {
		s.Bus.Close()
		s.server.Shutdown()
		s.server.WaitForShutdown()
	})
}
