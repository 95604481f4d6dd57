package multicast_test

import (
	"net/netip"
	"strings"
	"testing"

	"i3bench/i3"
	"i3bench/i3/chord"
	"i3bench/i3/host"
	"i3bench/i3/machine"
	"i3bench/i3/multicast"
)

// plain returns a configuration that is in order.
func plain(t *testing.T) multicast.Config {
	t.Helper()
	self := netip.MustParseAddrPort("10.0.0.1:1")
	ring, err := chord.NewFixed([]chord.Place{{Prefix: 0, Addr: netip.MustParseAddrPort("10.0.0.2:1")}})
	if err != nil {
		t.Fatal(err)
	}
	return multicast.Config{Host: host.Config{Self: self, Ring: ring}, Group: i3.NewID(2, i3.Key{1}, 0)}
}

// A configuration that cannot work is refused, by source and receiver alike, with
// a word on what was expected.
func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*multicast.Config)
		want   string // empty: it is in order
	}{
		{"defaults", func(*multicast.Config) {}, ""},
		{"no group", func(c *multicast.Config) { c.Group = i3.ID{} }, "want a private identifier"},
		{"public group", func(c *multicast.Config) { c.Group = c.Group.Public() }, "want a private identifier"},
		{"cache of three", func(c *multicast.Config) { c.Cache = 3 }, "want a power of two"},
		{"cache of less than none", func(c *multicast.Config) { c.Cache = -4 }, "want a power of two"},
		{"cache of one", func(c *multicast.Config) { c.Cache = 1 }, ""},
		{"narrow search", func(c *multicast.Config) { c.Search.Width = -1 }, "want 1 to 8"},
		{"wide search", func(c *multicast.Config) { c.Search.Width = 9 }, "want 1 to 8"},
		{"widest search", func(c *multicast.Config) { c.Search.Width = 8 }, ""},
		{"five relays", func(c *multicast.Config) { c.Relays = multicast.MaxRelays + 1 }, "want 0 to 4"},
		{"less than no relays", func(c *multicast.Config) { c.Relays = -1 }, "want 0 to 4"},
		{"four relays", func(c *multicast.Config) { c.Relays = multicast.MaxRelays }, ""},
		{"hops that overflow", func(c *multicast.Config) { c.Search.HopPercent = 1001 }, "want 0 to 1000"},
		{"hops that attract", func(c *multicast.Config) { c.Search.HopPercent = -1 }, "want 0 to 1000"},
		{"a metric that is none", func(c *multicast.Config) { c.Search.Metric = 3 }, "want Delay, Bandwidth or Loss"},
		{"hops of a metric", func(c *multicast.Config) { c.Search.Metric, c.Search.HopPercent = multicast.Loss, 1 },
			"but with the metric Delay"},
		{"probes of a metric", func(c *multicast.Config) { c.Search.Metric, c.Probe.Period = multicast.Loss, 1 },
			"but with the metric Delay"},
		{"many moves", func(c *multicast.Config) { c.Search.Moves = 17 }, "want 0 to 16"},
		{"the loss, without a trial", func(c *multicast.Config) { c.Search.Metric, c.Search.Trial = multicast.Loss, -1 }, ""},
		{"a wide area", func(c *multicast.Config) { c.Search = multicast.WideSearch() }, ""},
		{"heartbeats backwards", func(c *multicast.Config) { c.HeartbeatMin, c.HeartbeatMax = 2, 1 }, "min <= max"},
		{"slow heartbeats", func(c *multicast.Config) { c.HeartbeatMin = 5 * machine.Second }, ""},
		{"negative heartbeat", func(c *multicast.Config) { c.HeartbeatMin = -1 }, "min <= max"},
		{"the last epoch", func(c *multicast.Config) { c.Epoch = 1<<24 - 1 }, ""},
		{"an epoch with a number", func(c *multicast.Config) { c.Epoch = 1 << 24 }, "want less than 16777216"},
		{"less than no sources", func(c *multicast.Config) { c.MaxSources = -1 }, "want 1 to 8"},
		{"eight sources", func(c *multicast.Config) { c.MaxSources = multicast.MaxSources }, ""},
		{"nine sources", func(c *multicast.Config) { c.MaxSources = multicast.MaxSources + 1 }, "want 1 to 8"},
		{"rank 16", func(c *multicast.Config) { c.Rank = 16 }, "want less than 16"},
		{"another source with relays", func(c *multicast.Config) { c.Number, c.Relays = 1, 1 }, "but at the root"},
		{"an agent among none", func(c *multicast.Config) { c.Agent = 1 }, "a group with agents"},
		{"no address", func(c *multicast.Config) { c.Host.Self = netip.AddrPort{} }, "want a valid address"},
		{"no ring", func(c *multicast.Config) { c.Host.Ring = nil }, "no ring"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := plain(t)
			c.change(&cfg)
			_, source := multicast.NewSource(cfg)
			_, receiver := multicast.NewReceiver(cfg)
			for _, err := range []error{source, receiver} {
				switch {
				case c.want == "" && err != nil:
					t.Errorf("refused: %v", err)
				case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
					t.Errorf("error %v, want one that says %q", err, c.want)
				}
			}
		})
	}
}

// A source drops what is not for it, counts it, and answers no stranger's
// question with more than was asked.
func TestSourceDrops(t *testing.T) {
	b := newBed(t, setup{seed: 71})
	b.grow(2)
	b.send(3, 10*millisecond)
	p := newProber(b)
	root := multicast.RootOf(b.Group())
	request := func(m multicast.Message, q multicast.Request) []byte { return q.AppendTo(m.AppendTo(nil)) }
	self := p.ep.Addr()
	for _, c := range []struct {
		name                        string
		payload                     []byte
		malformed, unexpected, gone uint64
	}{
		{"nothing", nil, 1, 0, 0},
		{"noise", []byte("this is not a message of the protocol"), 1, 0, 0},
		{"a reply", multicast.Reply{}.AppendTo(multicast.Message{Type: multicast.TypeReply}.AppendTo(nil)), 0, 1, 0},
		{"a request of nobody", request(multicast.Message{Type: multicast.TypeRequest, Seq: 1},
			multicast.Request{Group: root, Requester: netip.AddrPortFrom(netip.IPv4Unspecified(), 0)}), 1, 0, 0},
		{"a request for what was never sent", request(multicast.Message{Type: multicast.TypeRequest, Seq: 99},
			multicast.Request{Group: root, Requester: self}), 0, 0, 1},
		{"a request for a tree of it", request(multicast.Message{Type: multicast.TypeRequest, Seq: 99},
			multicast.Request{Group: root, Requester: self, Target: b.Group()}), 0, 0, 1},
		{"a request of another time", request(multicast.Message{Type: multicast.TypeRequest, Seq: 2, Epoch: 7},
			multicast.Request{Group: root, Requester: self}), 0, 1, 0},
	} {
		before := b.Source().Machine.Counters()
		p.sendTo(multicast.RepairGroup(root, 0), c.payload)
		b.world.Sleep(100 * millisecond)
		after := b.Source().Machine.Counters()
		malformed, unexpected := after.DropMalformed-before.DropMalformed, after.DropUnexpected-before.DropUnexpected
		if gone := after.Gone - before.Gone; malformed != c.malformed || unexpected != c.unexpected || gone != c.gone {
			t.Errorf("%s: %d malformed, %d unexpected, %d answered with Gone; want %d, %d, %d",
				c.name, malformed, unexpected, gone, c.malformed, c.unexpected, c.gone)
		}
	}
	b.send(3, 10*millisecond)
	b.quiesce(5 * second)
	b.judge()
}

// A packet that is too long for the wire is refused, and the longest is not.
func TestLongestPayload(t *testing.T) {
	b := newBed(t, setup{seed: 73})
	r, err := b.AddReceiver(1, multicast.Events{Deliver: func(_ machine.Time, seq uint64, _ int64, payload []byte) {
		if seq != 1 || len(payload) != multicast.MaxPayload {
			t.Errorf("packet %d of %d bytes, want 1 of %d", seq, len(payload), multicast.MaxPayload)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.Join()
	b.world.Sleep(5 * second)
	if seq := b.Source().Send(make([]byte, multicast.MaxPayload+1)); seq != 0 {
		t.Errorf("a packet that is too long has number %d, want 0", seq)
	}
	if seq := b.Source().Send(make([]byte, multicast.MaxPayload)); seq != 1 {
		t.Errorf("the longest packet has number %d, want 1", seq)
	}
	b.world.Sleep(second)
	if n := r.Machine.Counters().Delivered; n != 1 {
		t.Errorf("%d packets delivered, want the longest", n)
	}
}

// Nobody answers to an address that is none.
func TestQueryOfNobody(t *testing.T) {
	b := newBed(t, setup{seed: 72})
	r := b.grow(1)[0]
	before := r.Machine.Counters()
	q := multicast.Message{Type: multicast.TypeQuery}
	newProber(b).sendTo(multicast.JoinSet(b.Group()), append(q.AppendTo(nil), make([]byte, 48)...))
	b.world.Sleep(100 * millisecond)
	after := r.Machine.Counters()
	if after.DropMalformed != before.DropMalformed+1 || after.Queries != before.Queries {
		t.Errorf("counters %+v, want one malformed message more than %+v", after, before)
	}
}
