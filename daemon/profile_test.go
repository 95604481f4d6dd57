package daemon

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/google/pprof/profile"

	"i3bench/cluster"
)

// A node gives a CPU profile of itself, one at a time, for as long as it is asked to within bounds.
func TestProfile(t *testing.T) {
	d := start(t, Config{}, io.Discard)
	for _, seconds := range []string{"0", "-1", "61", "1e9", "nan", "soon"} {
		if status, body := get(t, d, "/profile?seconds="+seconds); status != http.StatusBadRequest {
			t.Errorf("for %s seconds: %d, %q", seconds, status, body)
		}
	}
	stop, err := cluster.StartProfile(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, d, "/profile"); status != http.StatusConflict {
		t.Errorf("beside another: %d, %q", status, body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	status, body := get(t, d, "/profile?seconds=0.5")
	p, err := profile.Parse(bytes.NewBufferString(body))
	if status != http.StatusOK || err != nil || len(p.SampleType) != 2 || p.SampleType[1].Type != "cpu" {
		t.Errorf("%d, %v, %.40q, expected a CPU profile", status, err, body)
	}
}

// A node that ends does not wait for a profile of it.
func TestProfileEndsWithNode(t *testing.T) {
	d := start(t, Config{}, io.Discard)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		for again := true; again; {
			r, err := c.Get("http://" + d.HTTP() + "/profile?seconds=60")
			if again = err == nil && r.StatusCode == http.StatusConflict; err == nil {
				r.Body.Close()
			}
		}
	}()
	until(t, "a profile is under way", func() bool {
		status, _ := get(t, d, "/profile?seconds=0.001")
		return status == http.StatusConflict
	})
	d.leaving.Store(true)
	if err := d.close(); err != nil {
		t.Error(err)
	}
	<-asked
	other := start(t, Config{}, io.Discard)
	until(t, "the next profile can be taken", func() bool {
		status, _ := get(t, other, "/profile?seconds=0.001")
		return status == http.StatusOK
	})
}
