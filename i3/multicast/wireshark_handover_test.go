package multicast_test

import "i3bench/i3"

// handoverFieldNames are the fields of handover packets that no others have.
var handoverFieldNames = []string{
	"i3.handover.bring", "i3.handover.more", "i3.handover.count", "i3.handover.cursor",
	"i3.mirror.bring", "i3.mirror.pass", "i3.mirror.more", "i3.mirror.lost", "i3.mirror.serial",
}

// handover lists the fields of a handover packet.
func (f wireFields) handover(b []byte) error {
	if i3.IsMirror(b) {
		return f.mirror(b)
	}
	var h i3.Handover
	if err := i3.ParseHandover(b, &h); err != nil {
		return err
	}
	f.flag("i3.handover.bring", h.Bring)
	f.flag("i3.handover.more", h.More)
	f.add("i3.handover.count", "%d", len(h.Handed))
	f.add("i3.handover.cursor", "0x%016x", h.Cursor)
	f.add("i3.range.lo", "0x%016x", h.Lo)
	f.add("i3.range.hi", "0x%016x", h.Hi)
	f.handed(h.Handed)
	return nil
}

// mirror lists those of a mirror message.
func (f wireFields) mirror(b []byte) error {
	var m i3.Mirror
	if err := i3.ParseMirror(b, &m); err != nil {
		return err
	}
	f.flag("i3.mirror.bring", m.Bring)
	f.flag("i3.mirror.pass", m.Pass)
	f.flag("i3.mirror.more", m.More)
	f.flag("i3.mirror.lost", m.Lost)
	f.add("i3.handover.count", "%d", len(m.Handed))
	f.add("i3.mirror.serial", "0x%016x", m.Serial)
	f.add("i3.handover.cursor", "0x%016x", m.Cursor)
	f.add("i3.epoch", "%d", m.Epoch)
	f.handed(m.Handed)
	return nil
}

func (f wireFields) handed(all []i3.Handed) {
	for _, t := range all {
		f.trigger(t.Trigger)
		f.add("i3.owner", "%x", t.Owner)
		f.add("i3.lifetime", "%d", t.LifetimeMS)
	}
}
