package topology

// far stands for no way at all, and is the least latency, in nanoseconds, that
// is too long for a table. Twice far still fits into 32 bits, so that two entries
// may be added unseen.
const far = 1<<31 - 1

// A table holds the latency between every two of a number of nodes, in
// nanoseconds. It is symmetric and therefore kept as a triangle with its
// diagonal: row i has the entries 0 to i.
type table []uint32

func newTable(n int) table { return make(table, n*(n+1)/2) }

// row returns the entries (i, 0) to (i, i).
func (t table) row(i int) []uint32 { return t[i*(i+1)/2:][:i+1] }

// at returns the entry (i, j), which is that of (j, i).
func (t table) at(i, j int32) uint32 {
	high, low := int(max(i, j)), int(min(i, j))
	return t[high*(high+1)/2+low]
}

// unjoined returns a table of n nodes without a way between any two.
func unjoined(n int) table {
	t := newTable(n)
	for i := range t {
		t[i] = far
	}
	for i := range n {
		t.row(i)[i] = 0
	}
	return t
}

// lower makes the entry (i, j) at most ns.
func (t table) lower(i, j int32, ns uint32) {
	entry := &t.row(int(max(i, j)))[min(i, j)]
	*entry = min(*entry, ns)
}

// read fills whole with the entries (i, 0), (i, 1) and so on.
func (t table) read(i int, whole []uint32) {
	for j := copy(whole, t.row(i)); j < len(whole); j++ {
		whole[j] = t.row(j)[i]
	}
}

// close turns the lengths of edges among n nodes into those of shortest paths, in
// time cubic in n (Floyd, Algorithm 97, CACM 1962).
func (t table) close(n int) {
	via := make([]uint32, n)
	for k := range n {
		t.read(k, via)
		for i, first := range via {
			if first < far {
				lowerAll(t.row(i), first, via)
			}
		}
	}
}

// lowerAll makes each entry of row at most first plus the same entry of onward,
// which may be longer.
func lowerAll(row []uint32, first uint32, onward []uint32) {
	onward = onward[:len(row)]
	for j, ns := range onward {
		row[j] = min(row[j], first+ns)
	}
}
