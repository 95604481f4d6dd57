//go:build !linux

package udp

import "fmt"

// OpenGroup opens n sockets of one port, and steers what arrives among them. On this system n must be 1.
func OpenGroup(cfg Config, n int, _ Steering) ([]Conn, error) {
	if n != 1 {
		return nil, fmt.Errorf("udp: open group: %d sockets: want 1 on this system", n)
	}
	c, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	return []Conn{c}, nil
}
