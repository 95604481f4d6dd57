package page

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/net/netutil"
)

// Bounds of the server.
const (
	// MaxClients is how many pages may listen at a time; more get 503.
	MaxClients = 16
	// MaxHistory is how many snapshots a page gets that is opened later; older ones are forgotten.
	MaxHistory = 300

	maxConns   = 64 // connections; more wait
	headerWait = 5 * time.Second
	idleWait   = 30 * time.Second
	closeWait  = 3 * time.Second // for pages to get the last snapshot
)

// A Server shows snapshots to browsers.
type Server struct {
	hub
	listener net.Listener
	server   *http.Server
	served   chan struct{}
	html     string
	policy   string
}

// Listen opens a server at an address and port. Without an address it is reached from this machine only; port 0 is any
// that is free. It returns an error where the address makes no sense or cannot be had.
func Listen(addr string) (*Server, error) {
	addr, err := resolve(addr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	s := &Server{hub: newHub(), listener: l, served: make(chan struct{})}
	s.html, s.policy = document()
	s.server = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: headerWait, IdleTimeout: idleWait, MaxHeaderBytes: 16 << 10,
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(netutil.LimitListener(l, maxConns)) // ends with Close
	}()
	return s, nil
}

// Check returns an error if an address makes no sense as that of a page.
func Check(addr string) error {
	_, err := resolve(addr)
	return err
}

// resolve makes an address without a host one of this machine alone.
func resolve(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host == "" {
		host = "127.0.0.1"
	}
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err == nil && port == "" {
		err = errors.New("no port")
	}
	if err != nil {
		return "", fmt.Errorf("page: address %.80q: want ADDRESS:PORT, such as 127.0.0.1:8080 or :8080 (%w)", addr, err)
	}
	return net.JoinHostPort(host, port), nil
}

// URL returns where the page is.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/" }

// Loopback reports whether only this machine can reach the page.
func (s *Server) Loopback() bool {
	a, err := netip.ParseAddrPort(s.listener.Addr().String())
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// Close ends the server. Pages that listen get what waits for them first, if that takes no more than some seconds.
func (s *Server) Close() error {
	s.finish()
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = s.server.Close()
	}
	<-s.served
	return err
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("GET /snapshot.json", s.serveSnapshot)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.Loopback() && !isLocal(r.Host) {
			http.Error(w, "the page is for this machine, by its loopback address or localhost", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// isLocal reports whether the host that a request names is this machine. A name of the web that leads here would let
// another page read this one.
func isLocal(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (s *Server) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, s.html)
}

// serveSnapshot answers with the last snapshot, for programs.
func (s *Server) serveSnapshot(w http.ResponseWriter, _ *http.Request) {
	last := s.last()
	if last == nil {
		http.Error(w, "nothing to be seen yet", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(last, '\n'))
}
