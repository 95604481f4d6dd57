package daemon

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"i3bench/cluster"
)

// How long a CPU profile is taken, in seconds.
const (
	defaultProfile = 10
	maxProfile     = 60
)

// serveProfile takes a CPU profile of the process, one at a time, and answers with it. What it has is kept in memory
// meanwhile, which is little: a slow reader must not hold up the profiler.
func (d *Daemon) serveProfile(w http.ResponseWriter, r *http.Request) {
	length, err := profileLength(r.URL.Query().Get("seconds"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var b bytes.Buffer
	stop, err := cluster.StartProfile(&b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-d.quit:
	}
	_ = stop() // it tells of writing, and memory takes all
	name := "cpu-" + strings.NewReplacer(":", "-", "[", "", "]", "").Replace(d.Addr().String()) + ".pprof"
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(b.Bytes()) // who asked may be gone, and there is nobody to tell
}

// profileLength reads for how long a profile is asked for.
func profileLength(text string) (time.Duration, error) {
	if text == "" {
		return defaultProfile * time.Second, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0 && seconds <= maxProfile) {
		return 0, fmt.Errorf("seconds %.20q: want more than zero and at most %d", text, maxProfile)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}
