package chord_test

import (
	"net/netip"
	"strings"
	"testing"

	"i3bench/i3/chord"
)

func TestConfigErrors(t *testing.T) {
	self := chord.Place{Prefix: 1, Addr: netip.MustParseAddrPort("10.0.0.1:3000")}
	for want, cfg := range map[string]chord.Config{
		"others can send to":  {Self: chord.Place{Addr: netip.MustParseAddrPort("10.0.0.1:0")}},
		"0.0.0.0:3000":        {Self: chord.Place{Addr: netip.MustParseAddrPort("0.0.0.0:3000")}},
		"::ffff:10.0.0.1":     {Self: chord.Place{Addr: netip.MustParseAddrPort("[::ffff:10.0.0.1]:3000")}},
		"fe80::1%eth0":        {Self: chord.Place{Addr: netip.MustParseAddrPort("[fe80::1%eth0]:3000")}},
		"self address":        {},
		"1 successors":        {Self: self, Successors: 1},
		"17 successors":       {Self: self, Successors: 17},
		"period of -1 ns":     {Self: self, Period: -1},
		"joins by 10.0.0.1":   {Self: self, Join: []netip.AddrPort{self.Addr}},
		"joins by invalid Ad": {Self: self, Join: []netip.AddrPort{{}}},
	} {
		if _, err := chord.NewMember(cfg, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
}
