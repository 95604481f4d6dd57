package senders

import (
	"net"

	"golang.org/x/net/ipv4"

	"i3bench/internal/deliver"
)

// plain sends each copy by a call of its own.
func plain(t *deliver.Task) error {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	t.Ready("")
	packet := make([]byte, t.Size)
	for {
		first, n := t.Take(16)
		if n == 0 {
			return nil
		}
		for i := range n {
			deliver.Stamp(packet, first+uint64(i))
			for _, to := range t.To {
				if _, err := conn.WriteToUDPAddrPort(packet, to); err != nil {
					return err
				}
			}
		}
	}
}

// perCall is how many copies are sent in one call.
const perCall = 64

// batch sends several copies in a call. The messages of a packet share its bytes.
func batch(t *deliver.Task) error {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	port, per := ipv4.NewPacketConn(conn), max(1, perCall/t.Fan)
	packets := make([]byte, per*t.Size)
	var messages []ipv4.Message
	for i := range per {
		for _, to := range t.To {
			packet := packets[i*t.Size:][:t.Size]
			messages = append(messages, ipv4.Message{Buffers: [][]byte{packet}, Addr: net.UDPAddrFromAddrPort(to)})
		}
	}
	t.Ready("")
	for {
		first, n := t.Take(per)
		if n == 0 {
			return nil
		}
		for i := range n {
			deliver.Stamp(packets[i*t.Size:][:t.Size], first+uint64(i))
		}
		for rest := messages[:n*t.Fan]; len(rest) > 0; {
			sent, err := port.WriteBatch(rest, 0)
			if err != nil {
				return err
			}
			rest = rest[sent:]
		}
	}
}
