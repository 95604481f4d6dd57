package deliver

// Feed returns a local role that brings packets to a sender which said, when it was ready, at which UDP address it
// takes them. Function fill makes the packet of a number, whose last eight bytes must be as [Stamp] writes them, in
// memory that holds an earlier one; nil means zeros and the number. Packets are sent in trains of up to 16, which the
// sender's socket gets as datagrams or whole. It must have room for a window of them.
func Feed(fill func(packet []byte, number uint64)) Role {
	if fill == nil {
		fill = Stamp
	}
	return func(t *Task) error { return feed(t, fill) }
}
