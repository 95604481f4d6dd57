package multicast_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"i3bench/i3"
	"i3bench/i3/multicast"
)

// wireFieldNames are the fields of docs/i3.lua whose values are compared.
var wireFieldNames = append([]string{
	"i3.version", "i3.kind", "i3.magic", "i3.reserved", "i3.id", "i3.id.prefix", "i3.id.public", "i3.id.key",
	"i3.id.suffix", "i3.hops", "i3.length", "i3.flow", "i3.cookie", "i3.payload", "i3.padding", "i3.trigger",
	"i3.trigger.id", "i3.trigger.kind", "i3.trigger.target", "i3.trigger.ipv4", "i3.trigger.ipv6", "i3.trigger.port",
	"i3.trigger.key",
	"i3.probe", "i3.nonce", "i3.owner", "i3.status", "i3.count", "i3.limit", "i3.lifetime", "i3.epoch", "i3.range.lo",
	"i3.range.hi",
	"i3mc.type", "i3mc.flags", "i3mc.full", "i3mc.owner", "i3mc.probed", "i3mc.more", "i3mc.level", "i3mc.epoch",
	"i3mc.seq", "i3mc.time", "i3mc.payload", "i3mc.host.ipv4", "i3mc.host.ipv6", "i3mc.host.port", "i3mc.padding",
	"i3mc.id", "i3mc.distance", "i3mc.clock", "i3mc.group", "i3mc.target", "i3mc.secret", "i3mc.tagged", "i3mc.tag",
	"i3mc.key", "i3mc.token", "i3mc.nonce", "i3mc.box", "i3mc.metric", "i3mc.value", "i3mc.chain",
}, slices.Concat(ringFieldNames, handoverFieldNames)...)

// wireFields is the values of each field of a datagram, in the order in which they occur.
type wireFields map[string][]string

func (f wireFields) add(name, format string, args ...any) {
	f[name] = append(f[name], fmt.Sprintf(format, args...))
}

func (f wireFields) flag(name string, set bool) {
	value := 0
	if set {
		value = 1
	}
	f.add(name, "%d", value)
}

func (f wireFields) malformed() bool { return f["i3.malformed"] != nil || f["i3mc.malformed"] != nil }

// difference compares f with what tshark says. Of a malformed part only that it is malformed is compared: how much of
// it is worth showing is for the dissector to decide.
func (f wireFields) difference(shark wireFields) string {
	for _, name := range []string{"i3.malformed", "i3mc.malformed"} {
		if (f[name] != nil) != (shark[name] != nil) {
			return fmt.Sprintf("%s is %q, want %q", name, shark[name], f[name])
		}
	}
	for _, name := range wireFieldNames {
		if f["i3.malformed"] != nil || f["i3mc.malformed"] != nil && strings.HasPrefix(name, "i3mc.") {
			continue
		}
		got := slices.Clone(shark[name])
		for i := range got {
			got[i] = oneForm(got[i])
		}
		if !slices.Equal(got, f[name]) {
			return fmt.Sprintf("%s is %q, want %q", name, got, f[name])
		}
	}
	return ""
}

// oneForm undoes what differs between versions of tshark and from Go in how the same value is printed.
func oneForm(s string) string {
	switch s {
	case "True":
		return "1"
	case "False":
		return "0"
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String()
	}
	if from, to := strings.IndexByte(s, '['), strings.IndexByte(s, ']'); from >= 0 && from < to {
		return s[:from+1] + oneForm(s[from+1:to]) + s[to:]
	}
	return s
}

// decodeFields decodes a datagram as nodes and hosts do and lists its fields as docs/i3.lua names them.
func decodeFields(b []byte) wireFields {
	f := make(wireFields)
	for len(b) > 0 {
		p, wire, rest, err := i3.Next(b)
		if err != nil {
			f.add("i3.malformed", "%v", err)
			break
		}
		if wire == nil {
			f.add("i3.padding", "%x", b)
			break
		}
		f.header(p)
		f.payload(p.Kind, i3.Payload(wire))
		b = rest
	}
	return f
}

func (f wireFields) payload(k i3.Kind, payload []byte) {
	var err error
	switch k {
	case i3.KindData, i3.KindDirect:
		if len(payload) > 0 {
			f.add("i3.payload", "%x", payload)
		}
		if err := f.message(payload); err != nil {
			f.add("i3mc.malformed", "%v", err)
		}
	case i3.KindRing:
		err = f.ring(payload)
	case i3.KindHandover:
		err = f.handover(payload)
	case i3.KindPushback:
		if len(payload) > 0 {
			err = errors.New("nodes drop a pushback with a payload")
		}
	default:
		err = f.entries(k, payload)
	}
	if err != nil {
		f.add("i3.malformed", "%v", err)
	}
}

func (f wireFields) header(p i3.Packet) {
	f.add("i3.version", "%d", i3.Version)
	f.add("i3.kind", "%d", uint8(p.Kind))
	f.add("i3.magic", "0x6933")
	f.add("i3.id", "%v", p.ID)
	f.add("i3.id.prefix", "0x%016x", p.ID.Prefix())
	f.flag("i3.id.public", p.ID.IsPublic())
	f.add("i3.id.key", "%x", p.ID.Key())
	f.add("i3.id.suffix", "0x%016x", p.ID.Suffix())
	f.add("i3.hops", "%d", p.HopLimit)
	f.add("i3.length", "%d", p.Length)
	f.add("i3.flow", "0x%08x", p.Flow)
	if p.Kind == i3.KindData {
		f.add("i3.cookie", "0x%08x", p.Cookie)
	}
}

func (f wireFields) entries(k i3.Kind, payload []byte) error {
	if err := i3.CheckEntries(payload); err != nil {
		return err
	}
	for ; len(payload) > 0; payload = payload[i3.EntrySize:] {
		if err := f.entry(k, payload); err != nil {
			return err
		}
	}
	return nil
}

func (f wireFields) entry(k i3.Kind, b []byte) error {
	switch k {
	case i3.KindChallenge:
		c, err := i3.ParseChallenge(b)
		if err != nil {
			return err
		}
		f.trigger(c.Trigger)
		f.add("i3.nonce", "%x", c.Nonce)
	case i3.KindAck:
		a, err := i3.ParseAck(b)
		if err != nil {
			return err
		}
		f.trigger(a.Trigger)
		f.add("i3.status", "%d", uint8(a.Status))
		f.add("i3.count", "%d", a.Count)
		f.add("i3.limit", "%d", a.Limit)
		f.add("i3.lifetime", "%d", a.LifetimeMS)
		f.add("i3.epoch", "%d", a.Epoch)
		f.add("i3.range.lo", "0x%016x", a.Lo)
		f.add("i3.range.hi", "0x%016x", a.Hi)
	default:
		in, err := i3.ParseInsert(b)
		if err != nil {
			return err
		}
		if in.Probe && k == i3.KindRemove {
			return errors.New("nodes refuse a removal that is a probe")
		}
		f.trigger(in.Trigger)
		f.flag("i3.probe", in.Probe)
		f.add("i3.nonce", "%x", in.Nonce)
		f.add("i3.owner", "%x", in.Owner)
	}
	return nil
}

func (f wireFields) trigger(t i3.Trigger) {
	f.add("i3.trigger", "%v", t)
	f.add("i3.trigger.id", "%v", t.ID)
	if id, ok := t.Target.ID(); ok {
		f.add("i3.trigger.kind", "1")
		f.add("i3.trigger.target", "%v", id)
		return
	}
	host, _ := t.Target.Host()
	f.add("i3.trigger.kind", "2")
	f.host("i3.trigger", host)
	f.add("i3.trigger.key", "%x", t.Target.Key())
}

func (f wireFields) host(name string, a netip.AddrPort) {
	if a.Addr().Is4() {
		f.add(name+".ipv4", "%v", a.Addr())
	} else {
		f.add(name+".ipv6", "%v", a.Addr())
	}
	f.add(name+".port", "%d", a.Port())
}

func (f wireFields) message(b []byte) error {
	m, body, err := multicast.ParseMessage(b)
	if err != nil {
		return err
	}
	f.add("i3mc.type", "%d", uint8(m.Type))
	f.add("i3mc.flags", "0x%02x", m.Flags)
	f.flag("i3mc.full", m.Flags&multicast.FlagFull != 0)
	f.flag("i3mc.owner", m.Flags&multicast.FlagOwner != 0)
	f.flag("i3mc.probed", m.Flags&multicast.FlagProbed != 0)
	f.flag("i3mc.more", m.Flags&multicast.FlagMore != 0)
	f.flag("i3mc.tagged", m.Flags&multicast.FlagTagged != 0)
	if m.Flags&multicast.FlagTagged != 0 {
		f.add("i3mc.tag", "%x", b[multicast.HeaderSize+len(body):])
	}
	f.add("i3mc.level", "%d", m.Level)
	f.add("i3mc.epoch", "%d", m.Epoch)
	f.add("i3mc.seq", "%d", m.Seq)
	f.add("i3mc.time", "%d", m.Time)
	return f.body(m.Type, body)
}

func (f wireFields) body(t multicast.Type, body []byte) error {
	switch t {
	case multicast.TypeData, multicast.TypeRepair:
		if len(body) > 0 {
			f.add("i3mc.payload", "%x", body)
		}
	case multicast.TypeQuery:
		to, err := i3.ParseAddr(body)
		if err != nil {
			return err
		}
		f.host("i3mc.host", to)
		f.add("i3mc.metric", "%d", body[i3.AddrSize])
		f.add("i3mc.padding", "%x", body[i3.AddrSize+1:])
	case multicast.TypeReply, multicast.TypeReport:
		return f.reply(t, body)
	case multicast.TypeEcho:
		f.add("i3mc.padding", "%x", body)
	case multicast.TypeRequest:
		q, err := multicast.ParseRequest(body)
		if err != nil {
			return err
		}
		f.add("i3mc.group", "%v", q.Group)
		f.add("i3mc.target", "%v", q.Target)
		f.host("i3mc.host", q.Requester)
	case multicast.TypeAsk:
		a, err := multicast.ParseAsk(body)
		if err != nil {
			return err
		}
		f.add("i3mc.key", "%x", a.Key)
		f.host("i3mc.host", a.ReplyTo)
		if len(a.Token) > 0 {
			f.add("i3mc.token", "%x", a.Token)
		}
	case multicast.TypeAdmit:
		a, err := multicast.ParseAdmit(body)
		if err != nil {
			return err
		}
		f.add("i3mc.key", "%x", a.Key)
		f.add("i3mc.nonce", "%x", a.Nonce)
		f.add("i3mc.box", "%x", a.Box)
	case multicast.TypeLeaving:
		f.add("i3mc.id", "%x", body[:i3.IDSize])
		f.add("i3mc.secret", "%x", body[i3.IDSize:])
	case multicast.TypeRekey:
		f.add("i3mc.id", "%x", body[:i3.IDSize])
		for body = body[i3.IDSize:]; len(body) > 0; body = body[i3.IDSize:] {
			f.add("i3mc.chain", "%x", body[:i3.IDSize])
		}
	case multicast.TypeRefreshAck, multicast.TypeAdopt, multicast.TypeHint:
		f.add("i3mc.id", "%x", body)
	}
	return nil
}

func (f wireFields) reply(t multicast.Type, body []byte) error {
	if t == multicast.TypeReport {
		r, err := multicast.ParseReport(body)
		if err != nil {
			return err
		}
		f.add("i3mc.id", "%v", r.ID)
		f.add("i3mc.distance", "%d", r.SourceDistance)
		f.add("i3mc.metric", "%d", r.Metric)
		f.add("i3mc.value", "%d", r.Value)
		return nil
	}
	r, err := multicast.ParseReply(body)
	if err != nil {
		return err
	}
	f.add("i3mc.id", "%v", r.ID)
	f.add("i3mc.distance", "%d", r.SourceDistance)
	f.add("i3mc.clock", "%d", r.SourceClock)
	return nil
}
