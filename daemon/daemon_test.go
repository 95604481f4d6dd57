package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"i3bench/i3/chord"
	"i3bench/i3/machine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen. It is no bound on speed.
const patience = 60 * time.Second

// until waits until what is true.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// loopback is an address with any free port.
const loopback = "127.0.0.1:0"

// start starts a daemon that the test stops, by others of its ring.
func start(t *testing.T, cfg Config, log io.Writer, by ...*Daemon) *Daemon {
	t.Helper()
	cfg.Listen = loopback
	for _, m := range by {
		cfg.Join = append(cfg.Join, m.Addr().String())
	}
	d, err := Start(t.Context(), cfg, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !d.leaving.Load() {
			d.leaving.Store(true)
			if err := d.close(); err != nil {
				t.Error(err)
			}
		}
	})
	return d
}

// get asks a daemon over HTTP.
func get(t *testing.T, d *Daemon, path string) (status int, body string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := c.Get("http://" + d.HTTP() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// A logged is a log that may be read meanwhile.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Daemons become a ring by the first, find the owner of each other's positions, say that they are ready, and are whole
// again when one has left.
func TestDaemonsFormARing(t *testing.T) {
	log := &logged{}
	first := start(t, Config{}, log)
	all := []*Daemon{first, start(t, Config{}, log, first), start(t, Config{}, log, first), start(t, Config{}, log, first)}
	whole := func() bool {
		for _, d := range all {
			if len(d.Ring().Successors) != len(all) || !d.Ring().Joined {
				return false
			}
		}
		return true
	}
	until(t, "a ring of four", whole)
	for _, d := range all {
		for _, of := range all {
			self := of.Ring().Self
			var r LookupResult
			status, body := get(t, d, "/lookup?prefix="+self.Position)
			if err := json.Unmarshal([]byte(body), &r); err != nil || status != http.StatusOK || r.Owner != self {
				t.Errorf("%v finds %+v for the position of %+v (status %d, %v)", d.Addr(), r, self, status, err)
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if status, body := get(t, d, path); status != http.StatusOK || body != "ok\n" {
				t.Errorf("%s: %d %q", path, status, body)
			}
		}
	}
	if err := all[1].Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	all = append(all[:1], all[2:]...)
	until(t, "a ring of three", whole)
	for _, want := range []string{"node is up", "node is on the ring", "node is down"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if err := all[0].Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all[0].Stop(t.Context()) == nil {
		t.Error("stopped twice without an error")
	}
}

// A daemon that has not found its ring says so, and takes no lookups; what is not a prefix is refused.
func TestNotReady(t *testing.T) {
	gone := start(t, Config{}, io.Discard)
	d := start(t, Config{}, io.Discard, gone)
	until(t, "joins", func() bool { return d.Ring().Joined })
	silent := netip.AddrPortFrom(d.Addr().Addr(), 1) // nobody is there
	alone := start(t, Config{Join: []string{silent.String()}}, io.Discard)
	refuses := func(d *Daemon, why string) {
		status, body := get(t, d, "/readyz")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, why) {
			t.Errorf("/readyz says %d %q, want a refusal that says %q", status, body, why)
		}
	}
	refuses(alone, "not on a ring")
	if status, body := get(t, alone, "/healthz"); status != http.StatusOK {
		t.Errorf("ill without a ring: %d %q", status, body)
	}
	if _, err := alone.Lookup(t.Context(), 1); err != ErrNotReady {
		t.Errorf("lookup without a ring: %v", err)
	}
	for _, q := range []string{"", "?prefix=", "?prefix=1", "?prefix=000000000000000g", "?prefix=-000000000000001"} {
		status, body := get(t, d, "/lookup"+q)
		if status != http.StatusBadRequest || !strings.Contains(body, "16 hexadecimal") {
			t.Errorf("/lookup%s: %d %q", q, status, body)
		}
	}
	d.leaving.Store(true)
	refuses(d, "leaving")
	ill := false
	for range 3 { // the watcher may have answered in between, once
		d.beat.Store(1)
		ill = ill || d.ill() != nil
	}
	if !ill {
		t.Error("healthy though the loop has not answered since 1970")
	}
	d.leaving.Store(false)
}

// So many lookups at a time, and no more; those that nobody answers end with their context, and leave nothing.
func TestLookupsAreBounded(t *testing.T) {
	d := start(t, Config{}, io.Discard)
	for range maxLookups {
		d.places <- struct{}{}
	}
	if _, err := d.Lookup(t.Context(), 1); err != ErrBusy {
		t.Errorf("one more than %d lookups: %v", maxLookups, err)
	}
	for range maxLookups {
		<-d.places
	}
	if f, err := d.Lookup(t.Context(), 1); err != nil || f.Owner.Addr != d.Addr() {
		t.Errorf("a ring of one: %+v, %v", f, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other := start(t, Config{}, io.Discard, d)
	until(t, "joins", func() bool { return len(other.Ring().Successors) == 2 && other.Ring().Joined })
	if _, err := other.Lookup(ctx, other.member.Self().Prefix+1); err != nil && err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	other.end.Do(func(machine.Time, *machine.Outbox) {
		if len(other.lookups.waiting) != 0 {
			t.Errorf("%d lookups are kept", len(other.lookups.waiting))
		}
	})
}

// Every counter of the machines is a metric, once, with a name that is as Prometheus wants it.
func TestEveryCounterIsAMetric(t *testing.T) {
	s := snapshot{triggers: 1, joined: true, successors: make([]chord.Place, 3)}
	want, n := 0, uint64(1000)
	for _, part := range []any{&s.node, &s.ring, &s.sockets} {
		v := reflect.ValueOf(part).Elem()
		for i := range v.NumField() {
			v.Field(i).SetUint(n) // each another value, by which it is known
			n, want = n+1, want+1
		}
	}
	r := prometheus.NewRegistry()
	r.MustRegister(collector{func() snapshot { return s }})
	problems, err := testutil.GatherAndLint(r)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, problems %v", err, problems)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[float64]string)
	for _, f := range families {
		for _, m := range f.Metric {
			if c := m.GetCounter(); c != nil {
				if before, ok := seen[c.GetValue()]; ok {
					t.Errorf("%s shows what %s does", f.GetName(), before)
				}
				seen[c.GetValue()] = f.GetName()
			}
		}
	}
	for v := uint64(1000); v < n; v++ {
		if seen[float64(v)] == "" {
			t.Errorf("counter %d of %d is no metric", v-1000, want)
		}
	}
	if got := testutil.CollectAndCount(collector{func() snapshot { return s }}); got != want+len(gauges) {
		t.Errorf("%d figures, want %d counters and %d gauges", got, want, len(gauges))
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		owned  chord.Range
		joined bool
		want   float64
	}{
		{chord.Range{}, false, 0}, {chord.Range{Lo: 5, Hi: 5}, true, 1}, {chord.Range{Lo: 0, Hi: 1 << 63}, true, 0.5},
		{chord.Range{Lo: 3 << 62, Hi: 0}, true, 0.25},
	} {
		if got := (&snapshot{owned: c.owned, joined: c.joined}).share(); got != c.want {
			t.Errorf("%v: a share of %v, want %v", c.owned, got, c.want)
		}
	}
}

// A daemon that cannot start says why, and leaves nothing behind.
func TestStartFails(t *testing.T) {
	d := start(t, Config{}, io.Discard)
	bad := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(bad, []byte("5ec4e7"), 0o600); err != nil {
		t.Fatal(err)
	}
	const other = "127.0.0.1:7999" // that would join itself
	for want, cfg := range map[string]Config{
		"want the address and port": {},
		"address already in use":    {Listen: d.Addr().String()},
		"daemon: http":              {Listen: loopback, HTTP: d.HTTP()},
		"no such file":              {Listen: loopback, SecretFile: bad + "2"},
		"64 hexadecimal digits":     {Listen: loopback, SecretFile: bad},
		"there is no other node":    {Listen: other, Join: []string{other}},
	} {
		got, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "5ec4e7") {
			t.Errorf("%+v: error %v, want one that says %q", cfg, err, want)
		}
		if got != nil {
			t.Errorf("%+v: a daemon as well", cfg)
		}
	}
}

// Run ends with its context.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	log := &logged{}
	done := make(chan error)
	go func() {
		done <- Run(ctx, Config{Listen: loopback, HTTP: NoHTTP}, slog.New(slog.NewTextHandler(log, nil)))
	}()
	until(t, "is up", func() bool { return strings.Contains(log.String(), "on the ring") })
	cancel()
	if err := <-done; err != nil || !strings.Contains(log.String(), "node is down") {
		t.Errorf("%v, log %s", err, log)
	}
	if err := Run(ctx, Config{}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("runs without an address")
	}
}

func Example() {
	log := slog.New(slog.DiscardHandler)
	first, err := Start(context.Background(), Config{Listen: loopback, HTTP: NoHTTP}, log)
	if err != nil {
		panic(err)
	}
	second, err := Start(context.Background(), Config{Listen: loopback, Join: []string{first.Addr().String()}}, log)
	if err != nil {
		panic(err)
	}
	for !second.Ring().Joined || len(first.Ring().Successors) < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	f, err := second.Lookup(context.Background(), PositionOf(first.Addr()))
	fmt.Println(f.Owner.Addr == first.Addr(), err)
	fmt.Println(second.Stop(context.Background()), first.Stop(context.Background()))
	// Output:
	// true <nil>
	// <nil> <nil>
}
