package coord

import (
	"context"
	"errors"
)

// A Bus carries messages between a coordinator and agents: each at most once, those from one publisher to one
// subscriber in their order. It is safe for concurrent use.
type Bus interface {
	// Publish sends data to who has subscribed to a subject, and waits for none of them.
	Publish(subject string, data []byte) error
	// Subscribe has a call for each message with the subject, one after the other, until cancel.
	// A subscriber that is slower than its messages loses those beyond [QueueLength].
	Subscribe(subject string, handle func(Message)) (cancel func(), err error)
	// Request publishes and returns the first answer, or [ErrNobody] if nobody has subscribed.
	Request(ctx context.Context, subject string, data []byte) ([]byte, error)
}

// A Message is what a subscriber gets. Data is its own.
type Message struct {
	Data []byte
	// Answer answers a request. It is nil if none is expected.
	Answer func(data []byte) error
}

// QueueLength is how many messages wait for a subscriber; more are dropped, and counted by the bus.
const QueueLength = 4096

// MaxMessage is the longest message that a bus must carry, in bytes.
const MaxMessage = 1 << 20

// ErrNobody says that a request reached nobody.
var ErrNobody = errors.New("coord: nobody has subscribed")
