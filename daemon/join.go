package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// resolveFor is how long names may take to be found: as a pod starts, its name service may not be there yet.
const resolveFor = 20 * time.Second

// A resolver finds the addresses of a name; see [net.Resolver.LookupNetIP].
type resolver func(ctx context.Context, network, host string) ([]netip.Addr, error)

// splitJoin takes an entry of Config.Join apart.
func splitJoin(entry string) (host string, port uint16, err error) {
	host, service, err := net.SplitHostPort(entry)
	n, err2 := strconv.ParseUint(service, 10, 16)
	if err != nil || err2 != nil || host == "" || n == 0 {
		return "", 0, fmt.Errorf("daemon: config: join %.80q: want an address or name, and a port", entry)
	}
	return host, uint16(n), nil
}

// members returns the addresses by which the node joins its ring; none if it is to be a ring of its own.
func (c *Config) members(ctx context.Context, self netip.AddrPort, find resolver) (all []netip.AddrPort, err error) {
	ctx, cancel := context.WithTimeout(ctx, resolveFor)
	defer cancel()
	for _, j := range c.Join {
		host, port, err := splitJoin(j)
		if err != nil {
			return nil, err
		}
		addrs, err := resolve(ctx, host, find)
		if err != nil {
			return nil, fmt.Errorf("daemon: join %s: %w", j, err)
		}
		for _, a := range addrs {
			if m := netip.AddrPortFrom(a.Unmap(), port); m != self && !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	if len(all) == 0 && len(c.Join) > 0 && !c.Alone {
		return nil, fmt.Errorf("daemon: join %v: there is no other node; to be a ring of its own needs alone = true", c.Join)
	}
	return all, nil
}

// resolve returns the addresses of a name, none if there is no such name.
func resolve(ctx context.Context, host string, find resolver) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		addrs, err := find(ctx, "ip4", host)
		var dns *net.DNSError
		switch {
		case err == nil:
			return addrs, nil
		case errors.As(err, &dns) && dns.IsNotFound:
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
}
