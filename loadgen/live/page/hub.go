package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"i3bench/loadgen/live"
)

// Bounds of what waits for a page.
const (
	// MaxQueue is how many snapshots wait for a page that is slow; newer ones it misses.
	MaxQueue  = 16
	writeWait = 5 * time.Second  // for a page to take an event, before it is cut off
	aliveTime = 15 * time.Second // between two signs of life
)

// Counters count what a server has done.
type Counters struct {
	Clients int    // pages that listen
	Refused uint64 // pages beyond [MaxClients]
	Missed  uint64 // snapshots that pages were too slow for
	Cut     uint64 // pages that took nothing for some seconds
}

// A hub hands each snapshot to those who listen.
type hub struct {
	mu      sync.Mutex
	history [][]byte // JSON of the last snapshots, oldest first
	clients map[chan []byte]struct{}
	ended   bool
	count   Counters
}

func newHub() hub { return hub{clients: make(map[chan []byte]struct{})} }

// Publish hands a snapshot to all pages that listen. It never waits for one.
func (h *hub) Publish(s live.Snapshot) {
	b, err := json.Marshal(s)
	if err != nil {
		return // no value of a snapshot can fail
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return
	}
	h.history = append(h.history, b)
	if over := len(h.history) - MaxHistory; over > 0 {
		h.history = append(h.history[:0:0], h.history[over:]...)
	}
	for c := range h.clients {
		select {
		case c <- b:
		default:
			h.count.Missed++
		}
	}
	if s.Ended != "" {
		h.end()
	}
}

// finish lets all who listen go when they have what waits for them.
func (h *hub) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end()
}

// end closes what clients listen to. The caller holds the lock.
func (h *hub) end() {
	if h.ended {
		return
	}
	h.ended = true
	for c := range h.clients {
		close(c)
	}
}

// last returns the last snapshot, or nil.
func (h *hub) last() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.history) == 0 {
		return nil
	}
	return h.history[len(h.history)-1]
}

// Counters returns what the server has done so far.
func (h *hub) Counters() Counters {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.count
	c.Clients = len(h.clients)
	return c
}

// join adds a page, and returns what it missed until now as a list in JSON. There may be too many already.
func (h *hub) join() (c chan []byte, past []byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) >= MaxClients {
		h.count.Refused++
		return nil, nil, false
	}
	c = make(chan []byte, MaxQueue)
	h.clients[c] = struct{}{}
	if h.ended {
		close(c)
	}
	past = append([]byte{'['}, bytes.Join(h.history, []byte{','})...)
	return c, append(past, ']'), true
}

// leave takes a page away, which may have been cut off.
func (h *hub) leave(c chan []byte, cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
	if cut {
		h.count.Cut++
	}
}

// serveEvents sends snapshots to a page until it goes, or the run has ended.
func (h *hub) serveEvents(w http.ResponseWriter, r *http.Request) {
	c, past, ok := h.join()
	if !ok {
		http.Error(w, "too many pages listen already", http.StatusServiceUnavailable)
		return
	}
	cut := false
	defer func() { h.leave(c, cut) }()
	w.Header().Set("Content-Type", "text/event-stream")
	alive := time.NewTicker(aliveTime)
	defer alive.Stop()
	out := http.NewResponseController(w)
	for event := encode("history", past); ; {
		_ = out.SetWriteDeadline(time.Now().Add(writeWait)) // of a connection that can have none the write will fail
		_, err := w.Write(event)
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			cut = errors.Is(err, os.ErrDeadlineExceeded)
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-alive.C:
			event = []byte(":\n\n")
		case b, more := <-c:
			if !more {
				return
			}
			event = encode("snapshot", b)
		}
	}
}

// encode writes an event; JSON has no line breaks.
func encode(name string, data []byte) []byte {
	return append(append([]byte("event: "+name+"\ndata: "), data...), '\n', '\n')
}
