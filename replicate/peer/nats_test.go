package peer

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"i3bench/internal/deliver"
)

// natsServer is the role of a server: it lets clients talk to each other until the run is over.
func natsServer(t *deliver.Task) error {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		NoLog: true, NoSigs: true,
		MaxPending:    1 << 30, // nobody is a slow consumer: the window bounds what is under way
		WriteDeadline: time.Minute,
		PingInterval:  time.Hour,
	})
	if err != nil {
		return err
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(5 * time.Second) {
		return errors.New("nats: the server takes no connections after 5 s")
	}
	t.Ready(s.Addr().String())
	t.Wait()
	return nil
}

// natsClients is the local role beside it: subscribers, and a publisher that is as far ahead as the window allows.
func natsClients(t *deliver.Task) error {
	var subscribers []*subscriber
	defer func() {
		for _, s := range subscribers {
			s.close()
		}
	}()
	for i := range t.Fan {
		s, err := subscribe(t, i)
		if err != nil {
			return fmt.Errorf("nats: subscriber %d: %w", i, err)
		}
		subscribers = append(subscribers, s)
	}
	return publish(t)
}

// publications is how many packets are published in one write.
const publications = 32

func publish(t *deliver.Task) error {
	conn, _, err := connect(t.Peer, "")
	if err != nil {
		return fmt.Errorf("nats: publisher: %w", err)
	}
	defer conn.Close()
	head, tail := fmt.Sprintf("PUB %s %d\r\n", subject, t.Size), "\r\n"
	each := len(head) + t.Size + len(tail)
	var all []byte
	for range publications {
		all = append(append(append(all, head...), make([]byte, t.Size)...), tail...)
	}
	t.Ready("")
	for {
		first, n := t.Take(publications)
		if n == 0 {
			t.Wait()
			return nil
		}
		for i := range n {
			deliver.Stamp(all[i*each+len(head):][:t.Size], first+uint64(i))
		}
		if _, err := conn.Write(all[:n*each]); err != nil {
			return fmt.Errorf("nats: publish: %w", err)
		}
	}
}
