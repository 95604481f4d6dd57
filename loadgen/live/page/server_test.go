package page

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"i3bench/loadgen/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come. It is no bound on speed.
const patience = 30 * time.Second

func serve(t *testing.T) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// get asks for a path and returns the answer with its body.
func get(t *testing.T, s *Server, method, path, host string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.URL(), "/")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// A listener is a page that listens.
type listener struct {
	t      *testing.T
	body   io.ReadCloser
	lines  *bufio.Reader
	cancel func()
}

func listen(t *testing.T, s *Server) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{t, resp.Body, bufio.NewReader(resp.Body), cancel}
	t.Cleanup(l.close)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("events: %s, %v", resp.Status, resp.Header)
	}
	return l
}

func (l *listener) close() {
	l.cancel()
	l.body.Close()
}

// next returns the next event, or false at the end.
func (l *listener) next() (name, data string, ok bool) {
	l.t.Helper()
	for {
		line, err := l.lines.ReadString('\n')
		if err == io.EOF {
			return "", "", false
		}
		if err != nil {
			l.t.Fatal(err)
		}
		switch line = strings.TrimSuffix(line, "\n"); {
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		case line == "" && name != "":
			return name, data, true
		}
	}
}

// number reads the number of a snapshot.
func number(t *testing.T, data string) uint64 {
	t.Helper()
	var s live.Snapshot
	if err := json.Unmarshal([]byte(data), &s); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return s.Number
}

// The page is one file that may load nothing, and every answer says how it may be used.
func TestHeaders(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
		{"DELETE", "/events", 405, "text/plain; charset=utf-8"},
		{"GET", "/snapshot.json", 503, "text/plain; charset=utf-8"},
		{"GET", "/favicon.ico", 404, "text/plain; charset=utf-8"},
		{"GET", "/../doc.go", 404, "text/plain; charset=utf-8"},
	} {
		resp, body := get(t, s, c.method, c.path, "")
		h := resp.Header
		if resp.StatusCode != c.status || h.Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %s, %s, %.80q", c.method, c.path, resp.Status, h.Get("Content-Type"), body)
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
			h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s: headers %v", c.method, c.path, h)
		}
	}
	_, body := get(t, s, "GET", "/", "")
	body = strings.ReplaceAll(body, "http://www.w3.org/2000/svg", "") // a name, not an address
	if strings.Contains(body, "{{") || strings.Contains(body, "://") || !strings.Contains(body, "EventSource") {
		t.Error("the page is not whole, or refers to others")
	}
}

// A name of the web that leads to this machine gets nothing: its page could read ours otherwise.
func TestHosts(t *testing.T) {
	s := serve(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "127.0.0.1:1": 200, "127.8.8.8": 200, "[::1]:80": 200,
		"evil.example": 421, "evil.example:80": 421, "127.0.0.1.evil.example": 421, "192.0.2.1": 421,
	} {
		if resp, _ := get(t, s, "GET", "/", host); resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", host, resp.Status, want)
		}
	}
}

// Without an address the page is for this machine; others must be named.
func TestAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "127.0.0.1:8080", "localhost:0": "localhost:0", "0.0.0.0:80": "0.0.0.0:80", "[::1]:9": "[::1]:9",
		"8080": "", "127.0.0.1": "", "127.0.0.1:": "", "": "", ":": "", "127.0.0.1:65536": "", "x:nonsense": "", "::1": "",
	} {
		got, err := resolve(addr)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", addr, got, err, want)
		}
		if err != nil && (!strings.Contains(err.Error(), fmt.Sprintf("%q", addr)) || !strings.Contains(err.Error(), "want")) {
			t.Errorf("%q: the error %v does not say what was wrong and what was wanted", addr, err)
		}
	}
	s := serve(t)
	if !s.Loopback() {
		t.Errorf("%s is said to be reached by others", s.URL())
	}
	if _, err := Listen(strings.TrimSuffix(strings.TrimPrefix(s.URL(), "http://"), "/")); err == nil {
		t.Error("an address that is taken was had again")
	}
	all, err := Listen("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if all.Loopback() {
		t.Errorf("%s is said to be for this machine alone", all.URL())
	}
}

// A page gets what was before, then each snapshot, and its end; one that comes later gets it all at once.
func TestEvents(t *testing.T) {
	s := serve(t)
	s.Publish(live.Snapshot{Number: 1, Title: "line\nbreak </script>"})
	first := listen(t, s)
	name, data, _ := first.next()
	var past []live.Snapshot
	err := json.Unmarshal([]byte(data), &past)
	if err != nil || name != "history" || len(past) != 1 || past[0].Title != "line\nbreak </script>" {
		t.Fatalf("%s %q, %v", name, data, err)
	}
	s.Publish(live.Snapshot{Number: 2})
	if name, data, _ = first.next(); name != "snapshot" || number(t, data) != 2 {
		t.Errorf("%s %q", name, data)
	}
	if _, body := get(t, s, "GET", "/snapshot.json", ""); number(t, body) != 2 {
		t.Errorf("the last snapshot is %q", body)
	}
	s.Publish(live.Snapshot{Number: 3, Ended: "complete"})
	s.Publish(live.Snapshot{Number: 4}) // too late
	if _, data, _ = first.next(); number(t, data) != 3 {
		t.Errorf("%q", data)
	}
	if name, data, ok := first.next(); ok {
		t.Errorf("after the end came %s %q", name, data)
	}
	late := listen(t, s)
	if _, data, _ = late.next(); json.Unmarshal([]byte(data), &past) != nil || len(past) != 3 {
		t.Errorf("who comes after the end gets %q", data)
	}
	if _, _, ok := late.next(); ok {
		t.Error("who comes after the end waits")
	}
}

// Only the last snapshots are kept.
func TestHistoryIsBounded(t *testing.T) {
	s := serve(t)
	for i := range MaxHistory + 7 {
		s.Publish(live.Snapshot{Number: uint64(i + 1)})
	}
	var past []live.Snapshot
	_, data, _ := listen(t, s).next()
	if json.Unmarshal([]byte(data), &past) != nil || len(past) != MaxHistory || past[0].Number != 8 {
		t.Errorf("%d snapshots from %d on", len(past), past[0].Number)
	}
}

// One page more than there may be is refused and counted; when one goes, another may come.
func TestClientsAreBounded(t *testing.T) {
	s := serve(t)
	var pages []*listener
	for range MaxClients {
		p := listen(t, s)
		p.next()
		pages = append(pages, p)
	}
	if resp, _ := get(t, s, "GET", "/events", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("page %d: %s", MaxClients+1, resp.Status)
	}
	if c := s.Counters(); c.Clients != MaxClients || c.Refused != 1 {
		t.Errorf("%+v", c)
	}
	pages[0].close()
	await(t, "a page that went is still counted", func() bool { return s.Counters().Clients == MaxClients-1 })
	listen(t, s).next()
	if c := s.Counters(); c.Clients != MaxClients || c.Refused != 1 || c.Cut != 0 {
		t.Errorf("%+v", c)
	}
}

func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// A page that reads nothing misses snapshots and is cut off at last; it delays nobody, and the server ends.
func TestStuckClient(t *testing.T) {
	s := serve(t)
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	await(t, "the page does not listen", func() bool { return s.Counters().Clients == 1 })
	large := live.Snapshot{Doing: string(bytes.Repeat([]byte{'x'}, 1<<20))}
	began := time.Now()
	for range 100 { // far more than the kernel and the queue hold
		large.Number++
		s.Publish(large)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("100 snapshots took %v with a page that stands still", took)
	}
	if c := s.Counters(); c.Missed < 50 {
		t.Errorf("%+v: too few were missed by a page that reads nothing", c)
	}
	await(t, "a page that reads nothing is not cut off", func() bool {
		c := s.Counters()
		return c.Cut == 1 && c.Clients == 0
	})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Closing lets pages have what waits for them, and ends also where the run did not say so.
func TestClose(t *testing.T) {
	s := serve(t)
	p := listen(t, s)
	p.next()
	s.Publish(live.Snapshot{Number: 1})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, data, ok := p.next(); !ok || number(t, data) != 1 {
		t.Errorf("the last snapshot was lost: %q", data)
	}
	if _, _, ok := p.next(); ok {
		t.Error("something came after the end")
	}
	s.Publish(live.Snapshot{Number: 2})
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
