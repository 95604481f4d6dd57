package i3_test

import (
	"testing"

	"i3bench/i3"
)

// The results of what is measured go here, so that the compiler cannot leave it out.
var (
	sinkErr  error
	sinkBool bool
)

// TestCodecsDoNotAllocate: a node decodes and answers at the rate at which packets arrive, refused ones included.
func TestCodecsDoNotAllocate(t *testing.T) {
	host := i3.Trigger{ID: idA, Target: i3.ToHost(host6, i3.RightKey(idA))}
	chain := i3.Trigger{ID: idA, Target: i3.ToID(idB)}
	insert := i3.Insert{Trigger: host, Nonce: i3.Nonce{1}}
	challenge := i3.Challenge{Trigger: host, Nonce: i3.Nonce{1}}
	ack := i3.Ack{Trigger: chain, Status: i3.StatusInserted}
	data := packet(i3.KindData, make([]byte, 512))
	bad := append([]byte(nil), data...)
	bad[2]++
	out := make([]byte, 0, i3.MaxDatagram)
	insertWire, challengeWire, ackWire := insert.AppendTo(nil), challenge.AppendTo(nil), ack.AppendTo(nil)
	hostWire, chainWire, addrWire := host.AppendTo(nil), chain.AppendTo(nil), i3.AppendAddr(nil, host6)
	header := i3.Packet{Kind: i3.KindAck, ID: idB}
	for what, f := range map[string]func(){
		"Next":                  func() { _, _, _, sinkErr = i3.Next(data) },
		"Next of a bad packet":  func() { _, _, _, sinkErr = i3.Next(bad) },
		"Next of padding":       func() { _, _, _, sinkErr = i3.Next(out[:8]) },
		"SetHopLimit":           func() { i3.SetHopLimit(data, 9) },
		"Packet.AppendTo":       func() { out = header.AppendTo(out[:0]) },
		"AppendTemplate":        func() { out = i3.AppendTemplate(out[:0], i3.KindData, idB) },
		"ParseTrigger, host":    func() { _, sinkErr = i3.ParseTrigger(hostWire) },
		"ParseTrigger, chain":   func() { _, sinkErr = i3.ParseTrigger(chainWire) },
		"ParseTrigger, refused": func() { _, sinkErr = i3.ParseTrigger(data[:i3.TriggerSize]) },
		"Trigger.AppendTo":      func() { out = host.AppendTo(out[:0]) },
		"ParseInsert":           func() { _, sinkErr = i3.ParseInsert(insertWire) },
		"Insert.AppendTo":       func() { out = insert.AppendTo(out[:0]) },
		"ParseChallenge":        func() { _, sinkErr = i3.ParseChallenge(challengeWire) },
		"Challenge.AppendTo":    func() { out = challenge.AppendTo(out[:0]) },
		"ParseAck":              func() { _, sinkErr = i3.ParseAck(ackWire) },
		"Ack.AppendTo":          func() { out = ack.AppendTo(out[:0]) },
		"ParseAddr":             func() { _, sinkErr = i3.ParseAddr(addrWire) },
		"AppendAddr":            func() { out = i3.AppendAddr(out[:0], host4) },
		"ID.AppendTo":           func() { out = idA.AppendTo(out[:0]) },
		"CheckEntries":          func() { sinkErr = i3.CheckEntries(insertWire) },
	} {
		noAllocs(t, what, f)
	}
}

func TestChecksDoNotAllocate(t *testing.T) {
	host := i3.Trigger{ID: idA, Target: i3.ToHost(host6, i3.RightKey(idA))}
	chain := i3.Trigger{ID: idA, Target: i3.ToID(idB)}
	cookies := i3.NewCookies([32]byte{1})
	good := cookies.Nonce(5, host)
	for what, f := range map[string]func(){
		"CheckConstraint, host":    func() { sinkErr = i3.CheckConstraint(host) },
		"CheckConstraint, refused": func() { sinkErr = i3.CheckConstraint(chain) },
		"OwnerOf":                  func() { sinkBool = i3.OwnerOf(good) == i3.Key{} },
		"Cookies.Nonce":            func() { sinkBool = cookies.Nonce(5, host) == good },
		"Cookies.Check, right":     func() { sinkBool = cookies.Check(6, host, good) },
		"Cookies.Check, wrong":     func() { sinkBool = cookies.Check(8, host, good) },
	} {
		noAllocs(t, what, f)
	}
}
