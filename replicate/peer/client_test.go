package peer

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"i3bench/internal/deliver"
)

// subject is what packets are published under.
const subject = "i3"

// hello is how a client introduces itself: without a confirmation of each command.
const hello = `CONNECT {"verbose":false,"pedantic":false}` + "\r\n"

// connect connects a client and sends some commands. It returns when the server has taken them, with what it has said
// already beyond that.
func connect(where, commands string) (net.Conn, *bufio.Reader, error) {
	conn, err := net.DialTimeout("tcp", where, 5*time.Second)
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second)) // fails only where reading does
	_, err = conn.Write([]byte(hello + commands + "PING\r\n"))
	from, line := bufio.NewReaderSize(conn, 16<<10), ""
	for err == nil && line != "PONG\r\n" {
		line, err = from.ReadString('\n')
		if strings.HasPrefix(line, "-ERR") {
			err = fmt.Errorf("the server said %.80q", line)
		}
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, from, conn.SetReadDeadline(time.Time{})
}

// A subscriber is a client that counts what it gets.
type subscriber struct {
	conn net.Conn
	done chan struct{}
}

// subscribe connects a receiver of the run.
func subscribe(t *deliver.Task, receiver int) (*subscriber, error) {
	conn, from, err := connect(t.Peer, fmt.Sprintf("SUB %s 1\r\n", subject))
	if err != nil {
		return nil, err
	}
	s := &subscriber{conn, make(chan struct{})}
	early, _ := from.Peek(from.Buffered()) // as many as there are
	go func() {
		defer close(s.done)
		s.run(newParser(t.Size), early, t.Tally(receiver))
	}()
	return s, nil
}

// close ends the subscriber.
func (s *subscriber) close() {
	s.conn.Close()
	<-s.done
}

// run counts until the connection is closed.
func (s *subscriber) run(p *parser, early []byte, tally *deliver.Tally) {
	buffer := make([]byte, 256<<10)
	kept := copy(buffer, early)
	for {
		n, err := s.conn.Read(buffer[kept:])
		if err != nil {
			return // closed, or by the server; then nothing arrives any more, which is noticed
		}
		kept += n
		packets, sum, used, ok := p.parse(buffer[:kept])
		if !ok {
			tally.Odd()
			return
		}
		tally.Add(packets, 0, 1, sum)
		kept = copy(buffer, buffer[used:kept])
	}
}

// A parser takes apart what the server sends to a subscriber: deliveries that are all of one length, and now and then a
// line of another kind.
type parser struct {
	head []byte // of a delivery
	each int    // bytes of one
	size int
}

func newParser(size int) *parser {
	head := fmt.Appendf(nil, "MSG %s 1 %d\r\n", subject, size)
	return &parser{head, len(head) + size + len("\r\n"), size}
}

// parse counts the deliveries in some bytes, adds up their numbers, and returns how many bytes are done with. It is not
// ok if there is anything else but lines that need no answer.
func (p *parser) parse(b []byte) (packets int, sum uint64, used int, ok bool) {
	for {
		rest := b[used:]
		if len(rest) >= p.each && bytes.HasPrefix(rest, p.head) {
			sum += deliver.Number(rest[len(p.head):][:p.size])
			packets++
			used += p.each
			continue
		}
		line, _, whole := bytes.Cut(rest, []byte("\n"))
		switch {
		case len(rest) < len(p.head) && bytes.HasPrefix(p.head, rest), bytes.HasPrefix(rest, p.head), !whole:
			return packets, sum, used, true // the rest is still to come
		case !harmless(line):
			return packets, sum, used, false
		}
		used += len(line) + 1
	}
}

// harmless reports whether a line is none that matters: the server's description of itself, or a first ping, which may
// go unanswered for longer than any run takes.
func harmless(line []byte) bool {
	return bytes.HasPrefix(line, []byte("INFO ")) || bytes.Equal(line, []byte("PING\r"))
}

func TestParser(t *testing.T) {
	var stream []byte
	packet := make([]byte, 16)
	for number := range uint64(5) {
		deliver.Stamp(packet, number+'\n'<<8)
		stream = fmt.Appendf(stream, "MSG %s 1 16\r\n%s\r\n", subject, packet)
		if number == 1 {
			stream = append(stream, "PING\r\nINFO {}\r\n"...)
		}
	}
	for cut := range len(stream) {
		p := newParser(16)
		n, sum, used, ok := p.parse(stream[:cut])
		m, more, last, fine := p.parse(stream[used:])
		if n+m != 5 || sum+more != 10+5*'\n'<<8 || used+last != len(stream) || !ok || !fine {
			t.Errorf("cut at %d: %d and %d packets, sum %d, %d bytes, %v %v", cut, n, m, sum+more, used+last, ok, fine)
		}
	}
	for _, wrong := range []string{"-ERR 'Slow Consumer'\r\n", "MSG i3 1 17\r\n", "PONG\r\n"} {
		if _, _, _, ok := newParser(16).parse([]byte(wrong)); ok {
			t.Errorf("%q was taken for something harmless", wrong)
		}
	}
}
