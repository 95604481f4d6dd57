package natsbus

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"

	"i3bench/internal/hist"
	"i3bench/loadgen/coord"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "a token for the tests"

// serve starts a server that ends with the test.
func serve(t *testing.T, cfg ServerConfig) *Server {
	t.Helper()
	s, err := Serve(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// dial connects a client that ends with the test.
func dial(t *testing.T, cfg Config) *Bus {
	t.Helper()
	b, err := Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// echoes checks that a request of one is answered by the other.
func echoes(t *testing.T, from, to coord.Bus) {
	t.Helper()
	cancel, err := to.Subscribe("echo", func(m coord.Message) { m.Answer(append([]byte("re: "), m.Data...)) })
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	b, err := from.Request(ctx, "echo", []byte("x"))
	if err != nil || string(b) != "re: x" {
		t.Errorf("%q, %v", b, err)
	}
}

// With the token one may connect, without it or with another not, and the server is not asked again.
func TestToken(t *testing.T) {
	s := serve(t, ServerConfig{Listen: "127.0.0.1:0", Token: token})
	b := dial(t, Config{URL: s.URL(), Token: token})
	echoes(t, s, b)
	echoes(t, b, s)
	if _, err := b.Request(t.Context(), "nobody", nil); !errors.Is(err, coord.ErrNobody) {
		t.Errorf("a request to nobody: %v", err)
	}
	for _, wrong := range []string{"", "another token for the tests"} {
		begin := time.Now()
		_, err := Connect(t.Context(), Config{URL: s.URL(), Token: wrong, Wait: time.Hour})
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "authorization") {
			t.Errorf("token %q: %v, after %v", wrong, err, time.Since(begin))
		}
	}
	s.Close()
	s.Close() // once is enough
}

// nkey makes a user's key: the public one and the file with its seed.
func nkey(t *testing.T) (public, file string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "nkey")
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return public, file
}

// Where there are NKeys only their owners may connect, and the process itself.
func TestNKeys(t *testing.T) {
	public, file := nkey(t)
	_, stranger := nkey(t)
	s := serve(t, ServerConfig{Listen: "127.0.0.1:0", NKeys: []string{public}})
	echoes(t, s, dial(t, Config{URL: s.URL(), NKeyFile: file}))
	for _, c := range []Config{{NKeyFile: stranger}, {Token: token}, {}} {
		c.URL = s.URL()
		if _, err := Connect(t.Context(), c); err == nil {
			t.Errorf("%+v was let in", c)
		}
	}
}

// certificate makes one for addresses of this machine, signed by itself, and returns the files.
func certificate(t *testing.T, addrs ...net.IP) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: addrs, IsCA: true,
		BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, about, about, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: bare},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// With TLS and a token a server listens on all addresses, to those who know who signed its certificate.
func TestTLSBeyondLoopback(t *testing.T) {
	cert, key := certificate(t, net.IPv4(127, 0, 0, 1))
	s := serve(t, ServerConfig{Listen: "0.0.0.0:0", Token: token, CertFile: cert, KeyFile: key})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL(), "tls://"))
	if err != nil {
		t.Fatal(s.URL())
	}
	url := "tls://127.0.0.1:" + port
	echoes(t, s, dial(t, Config{URL: url, Token: token, CAFile: cert}))
	for name, c := range map[string]Config{
		"without the certificate": {URL: url, Token: token},
		"without the token":       {URL: url, CAFile: cert},
		"of another name":         {URL: "tls://localhost:" + port, Token: token, CAFile: cert},
	} {
		if _, err := Connect(t.Context(), c); err == nil {
			t.Errorf("%s: was let in", name)
		}
	}
}

// What is not safe, or makes no sense, is refused before anything listens or connects.
func TestRefusals(t *testing.T) {
	cert, key := certificate(t, net.IPv4(127, 0, 0, 1))
	for want, c := range map[string]ServerConfig{
		"beyond loopback":            {Listen: "0.0.0.0:0", Token: token},
		"beyond loopback: want TLS,": {Listen: "nats.example:4222", Token: token},
		"[::]:0, which is beyond":    {Listen: "[::]:0", Token: token},
		"a token or NKeys":           {Listen: "127.0.0.1:0"},
		"want a token or NKeys":      {Listen: "0.0.0.0:0", CertFile: cert, KeyFile: key},
		"one of them":                {Listen: "127.0.0.1:0", Token: token, NKeys: []string{"x"}},
		"at least 16":                {Listen: "127.0.0.1:0", Token: "short"},
		"without its key":            {Listen: "127.0.0.1:0", Token: token, CertFile: cert},
		"certificate in":             {Listen: "127.0.0.1:0", Token: token, CertFile: key, KeyFile: cert},
		"ADDRESS:PORT":               {Listen: "127.0.0.1", Token: token},
		`":4222": want ADDRESS:PORT`: {Listen: ":4222", Token: token},
		"public key of a user":       {Listen: "127.0.0.1:0", NKeys: []string{"x"}},
	} {
		if s, err := Serve(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
			if err == nil {
				s.Close()
			}
		}
	}
	for want, c := range map[string]Config{
		"beyond loopback":         {URL: "nats://10.1.2.3:4222"},
		"nats.example:4222 is":    {URL: "nats://127.0.0.1:4222,nats://nats.example:4222"},
		"credentials in a URL":    {URL: "nats://secret@127.0.0.1:4222"},
		"want nats://HOST:PORT":   {URL: "http://127.0.0.1:4222"},
		"want one of them":        {URL: "nats://127.0.0.1:1", Token: token, NKeyFile: "x"},
		"NKey in none":            {URL: "nats://127.0.0.1:1", NKeyFile: "none"},
		"connect to nats://127.0": {URL: "nats://127.0.0.1:1"},
	} {
		if _, err := Connect(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error gives the credentials away: %v", err)
		}
	}
}

// idle is a worker with nothing to do.
type idle struct{ text string }

func (w *idle) Prepare(_ context.Context, a coord.Assignment) error {
	w.text = strings.Repeat(string(a.Work), 300_000)
	return nil
}
func (w *idle) Run(_ context.Context, begin time.Time) error {
	time.Sleep(time.Until(begin))
	return nil
}
func (w *idle) Live() map[string]*hist.Histogram {
	h := new(hist.Histogram)
	h.Record(1)
	return map[string]*hist.Histogram{"x": h}
}
func (w *idle) ReadAt(p []byte, off int64) (int, error) {
	return strings.NewReader(w.text).ReadAt(p, off)
}
func (w *idle) Close() error { return nil }

// A run over NATS is one as over any bus: work, live figures and results of several chunks come through.
func TestRunOverNATS(t *testing.T) {
	s := serve(t, ServerConfig{Listen: "127.0.0.1:0", Token: token})
	var agents sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		b := dial(t, Config{URL: s.URL(), Token: token})
		agents.Go(func() { errs[i] = coord.RunAgent(t.Context(), b, coord.AgentConfig{}, new(idle)) })
	}
	c, err := coord.NewCoordinator(s, coord.Config{Agents: 3, Silence: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	members, err := c.Gather(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		t.Log(m, m.Clock, m.ClockError)
		if m.ClockError <= 0 || m.Clock.Abs() > m.ClockError { // it is the same clock
			t.Errorf("clock of %v is %v ± %v ahead", m, m.Clock, m.ClockError)
		}
	}
	if err := errors.Join(c.Prepare(t.Context(), []byte("ab")), c.Run(t.Context(), func(time.Time) {})); err != nil {
		t.Fatal(err)
	}
	read := 0
	err = c.Results(t.Context(), func(_ int, _ coord.Member, r io.Reader) error {
		b, err := io.ReadAll(r)
		read += len(b)
		return err
	})
	if live := c.Live()["x"]; err != nil || read != 3*600_000 || live == nil || live.Count() < 3 {
		t.Errorf("%v, %d bytes, live %v", err, read, live)
	}
	c.Close()
	agents.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
