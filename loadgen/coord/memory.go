package coord

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A Memory is a bus within a process.
type Memory struct {
	mu      sync.Mutex
	subs    map[string][]*subscription
	dropped atomic.Uint64
}

// A subscription is a queue and the goroutine that empties it.
type subscription struct {
	queue chan Message
	done  chan struct{}
}

// NewMemory returns a bus that nobody has subscribed to.
func NewMemory() *Memory { return &Memory{subs: make(map[string][]*subscription)} }

// Dropped returns how many messages found a full queue.
func (m *Memory) Dropped() uint64 { return m.dropped.Load() }

// Publish implements [Bus].
func (m *Memory) Publish(subject string, data []byte) error {
	_, err := m.deliver(subject, data, nil)
	return err
}

// Subscribe implements [Bus]. After cancel a call may still be under way.
func (m *Memory) Subscribe(subject string, handle func(Message)) (cancel func(), err error) {
	s := &subscription{queue: make(chan Message, QueueLength), done: make(chan struct{})}
	m.mu.Lock()
	m.subs[subject] = append(m.subs[subject], s)
	m.mu.Unlock()
	go func() {
		for {
			select {
			case <-s.done:
				return
			case message := <-s.queue:
				handle(message)
			}
		}
	}()
	return sync.OnceFunc(func() {
		m.mu.Lock()
		m.subs[subject] = slices.DeleteFunc(m.subs[subject], func(t *subscription) bool { return t == s })
		m.mu.Unlock()
		close(s.done)
	}), nil
}

// Request implements [Bus].
func (m *Memory) Request(ctx context.Context, subject string, data []byte) ([]byte, error) {
	answers := make(chan []byte, 1)
	n, err := m.deliver(subject, data, func(data []byte) error {
		select {
		case answers <- slices.Clone(data):
		default: // only the first counts
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case n == 0:
		return nil, ErrNobody
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case data := <-answers:
		return data, nil
	}
}

// deliver queues a message for all that have subscribed, and returns how many have.
func (m *Memory) deliver(subject string, data []byte, answer func([]byte) error) (n int, err error) {
	if len(data) > MaxMessage {
		return 0, fmt.Errorf("coord: message of %d bytes to %s: want at most %d", len(data), subject, MaxMessage)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subs[subject] {
		select {
		case s.queue <- Message{Data: slices.Clone(data), Answer: answer}:
		default:
			m.dropped.Add(1)
		}
	}
	return len(m.subs[subject]), nil
}
