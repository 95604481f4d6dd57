//go:build !linux

package udp

import (
	"errors"
	"net/netip"
)

// openClass opens the socket that receives; there are no others.
func openClass(cfg Config, first bool) (Conn, error) {
	if !first {
		return nil, errors.New("udp: one class on this system")
	}
	return openPortable(cfg)
}

// A ways does not exist here: ways out are not told apart.
type ways struct{}

func openWays(Config) (*ways, error) { return nil, nil }

func (w *ways) local(netip.Addr) (netip.Addr, error) { return netip.Addr{}, ErrAddress }

func (w *ways) close() {}
