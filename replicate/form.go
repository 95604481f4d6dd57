package replicate

// A datagram is so many copies for one address in a row, the first of which is numbered.
type datagram struct {
	first  uint32
	copies int
	size   int
}

// maxWaste is which share of a train may be zeros: one of so many bytes.
const maxWaste = 8

// arrange divides so many copies in a row into datagrams: each as many as fit, or one.
func (p *Planner) arrange(ds []datagram, first uint32, copies int, caps *Caps) []datagram {
	most := (caps.MaxVectors - 1) / 2
	if p.cfg.Single {
		most = 1
	}
	i := first
	for range copies {
		c := &p.copies[i]
		size := int(c.head.Len + c.body.Len)
		if last := len(ds) - 1; last >= 0 && ds[last].copies < most && ds[last].size+size <= p.cfg.Datagram {
			ds[last].copies++
			ds[last].size += size
		} else {
			ds = append(ds, datagram{i, 1, size})
		}
		i = c.next
	}
	return ds
}

// train returns how many of the first datagrams go as one train, and the size of each of them but the
// last. Less than two are no train.
func (p *Planner) train(ds []datagram, caps *Caps) (n, segment int) {
	vectors, sum := 0, 0
	for n < min(len(ds), caps.MaxSegments) {
		d := &ds[n]
		longest := max(segment, d.size)
		if vectors += d.needs(); vectors > caps.MaxVectors || longest > p.cfg.Datagram || longest*(n+1) > caps.MaxBytes ||
			!p.fits(longest*n-sum, sum+d.size) {
			break
		}
		segment, sum, n = longest, sum+d.size, n+1
	}
	return n, segment
}

// fits reports whether so many zeros may go with so many bytes of packets.
func (p *Planner) fits(pad, sum int) bool {
	if p.cfg.Exact {
		return pad == 0
	}
	return pad*maxWaste <= pad+sum
}

// gather appends the vectors of a datagram to those of a message, and zeros up to so many bytes; it returns how many.
func (p *Planner) gather(m *Message, d datagram, upTo int) (zeroed int) {
	i := d.first
	for range d.copies {
		c := &p.copies[i]
		p.piece(m, c.head)
		p.piece(m, c.body)
		i = c.next
	}
	m.Copies += d.copies
	m.Size += d.size
	if zeroed = upTo - d.size; zeroed <= 0 {
		return 0
	}
	p.piece(m, VectorOf(zeros[:zeroed]))
	m.Size += zeroed
	return zeroed
}

// piece appends a vector to the last message, or makes its last vector longer if that ends where this one
// begins: packets that came in side by side go out as one. To the race detector that could be one slice of two
// objects.
func (p *Planner) piece(m *Message, v Vector) {
	if v.Len == 0 {
		return
	}
	if last := len(m.Vectors) - 1; last >= 0 {
		if l := &m.Vectors[last]; l.end() == v.start() && !raceEnabled {
			l.Len += v.Len
			return
		}
	}
	p.vectors = append(p.vectors, v)
	from := len(p.vectors) - len(m.Vectors) - 1
	m.Vectors = p.vectors[from:len(p.vectors):len(p.vectors)]
}

// needs returns the most vectors that a datagram can take.
func (d *datagram) needs() int { return 2*d.copies + 1 }
