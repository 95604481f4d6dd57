package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"i3bench/i3/chord"
)

// Bounds of requests.
const (
	headerWait = 5 * time.Second
	lookupWait = 10 * time.Second
)

// listen opens the address for operators.
func (d *Daemon) listen() error {
	if d.cfg.HTTP == NoHTTP {
		return nil
	}
	l, err := net.Listen("tcp", d.cfg.HTTP)
	if err != nil {
		return fmt.Errorf("daemon: http: %w", err)
	}
	d.web = l.Addr()
	d.server = &http.Server{Handler: d.handler(), ReadHeaderTimeout: headerWait, MaxHeaderBytes: 16 << 10}
	d.listener = l
	return nil
}

// serve answers operators until the server is closed.
func (d *Daemon) serve() {
	if d.server == nil {
		return
	}
	d.all.Go(func() {
		if err := d.server.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("no HTTP any more", "error", err)
		}
	})
}

func (d *Daemon) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.registry(), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { verdict(w, d.ill()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { verdict(w, d.unready()) })
	mux.HandleFunc("GET /ring", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, d.Ring()) })
	mux.HandleFunc("GET /lookup", d.serveLookup)
	mux.HandleFunc("GET /profile", d.serveProfile)
	return mux
}

// verdict answers a question about health.
func verdict(w http.ResponseWriter, wrong error) {
	if wrong != nil {
		http.Error(w, wrong.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// ill returns why the process should be restarted, or nil.
func (d *Daemon) ill() error {
	if since := time.Since(time.Unix(0, d.beat.Load())); since > illAfter {
		return fmt.Errorf("the node's loop has not answered for %v", since.Round(time.Second))
	}
	return nil
}

// unready returns why nobody should rely on the node, or nil.
func (d *Daemon) unready() error {
	if err := d.ill(); err != nil {
		return err
	}
	if d.leaving.Load() {
		return errors.New("the node is leaving its ring")
	}
	switch s := d.snapshot(); {
	case s.taken:
		return errors.New("another node has this node's position on the ring")
	case !s.joined:
		return errors.New("the node is not on a ring yet")
	}
	return nil
}

// A Place is a node on the ring, for people and programs.
type Place struct {
	Position string         `json:"position"`
	Addr     netip.AddrPort `json:"addr"`
}

func placeOf(p chord.Place) Place { return Place{FormatPrefix(p.Prefix), p.Addr} }

// A Ring is what a node knows of its ring.
type Ring struct {
	Self        Place   `json:"self"`
	Joined      bool    `json:"joined"`
	Leaving     bool    `json:"leaving"`
	OwnsFrom    string  `json:"owns_from,omitempty"` // excluded
	OwnsTo      string  `json:"owns_to,omitempty"`
	Predecessor *Place  `json:"predecessor,omitempty"`
	Successors  []Place `json:"successors"`
	Triggers    int     `json:"triggers"`
}

// Ring returns what the node knows of its ring.
func (d *Daemon) Ring() Ring {
	s := d.snapshot()
	r := Ring{Self: placeOf(s.self), Joined: s.joined, Leaving: d.leaving.Load(), Triggers: s.triggers}
	if s.joined {
		r.OwnsFrom, r.OwnsTo = FormatPrefix(s.owned.Lo), FormatPrefix(s.owned.Hi)
	}
	if s.predecessor.Addr.IsValid() {
		p := placeOf(s.predecessor)
		r.Predecessor = &p
	}
	r.Successors = make([]Place, 0, len(s.successors))
	for _, p := range s.successors {
		r.Successors = append(r.Successors, placeOf(p))
	}
	return r
}

// A LookupResult says who owns a prefix.
type LookupResult struct {
	Prefix string  `json:"prefix"`
	Owner  Place   `json:"owner"`
	Hops   int     `json:"hops"` // members that were asked and answered
	MS     float64 `json:"ms"`
}

func (d *Daemon) serveLookup(w http.ResponseWriter, r *http.Request) {
	prefix, err := ParsePrefix(r.URL.Query().Get("prefix"))
	if err != nil {
		http.Error(w, "prefix "+err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupWait)
	defer cancel()
	began := time.Now()
	f, err := d.Lookup(ctx, prefix)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, http.StatusOK, LookupResult{
		FormatPrefix(prefix), placeOf(f.Owner), f.Hops, float64(time.Since(began).Microseconds()) / 1000,
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // who asked is gone, and there is nobody to tell
}
