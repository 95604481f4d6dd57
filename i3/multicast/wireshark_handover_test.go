package multicast_test

import "i3bench/i3"

// handoverFieldNames are the fields of handover packets that no others have.
var handoverFieldNames = []string{
	"i3.handover.bring", "i3.handover.more", "i3.handover.count", "i3.handover.cursor",
}

// handover lists the fields of a handover packet.
func (f wireFields) handover(b []byte) error {
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
	for _, t := range h.Handed {
		f.trigger(t.Trigger)
		f.add("i3.owner", "%x", t.Owner)
		f.add("i3.lifetime", "%d", t.LifetimeMS)
	}
	return nil
}
