package testbed

import (
	"fmt"

	"i3bench/i3"
	"i3bench/i3/chord"
)

// A Ground is what the receivers of a bed must know whose nodes and source are in another process.
type Ground struct {
	Places []chord.Place // of the nodes, in the order of their numbers
	Group  string        // the group's identifier, in hexadecimal
}

// Ground returns that of the bed.
func (b *Bed) Ground() Ground {
	return Ground{Places: b.places, Group: b.group.String()}
}

// OnGround returns a bed with no nodes or source of its own: its receivers use those of the ground. Of the
// configuration Nodes is ignored. The number tells the beds of a ground, from 0: their receivers have other
// seeds, and must not have the source's, whose bed made the ground. [Bed.RestartNode], [Bed.Source] and
// [Bed.SiteOf] are that one's alone.
func OnGround(cfg Config, g Ground, number int) (*Bed, error) {
	if cfg.Open == nil || number < 0 {
		return nil, fmt.Errorf("testbed: bed %d on a ground: want a driver and a number from 0", number)
	}
	group, err := i3.ParseID(g.Group)
	if err != nil {
		return nil, fmt.Errorf("testbed: ground: %w", err)
	}
	ring, err := chord.NewFixed(g.Places)
	if err != nil {
		return nil, fmt.Errorf("testbed: ground: %w", err)
	}
	first := uint64(number+1) << 32 // no bed has so many receivers
	b := &Bed{cfg: cfg, ring: ring, group: group, places: g.Places, hosts: first, base: first}
	for _, p := range g.Places {
		r, ok := ring.RangeOf(p.Addr)
		if !ok {
			return nil, fmt.Errorf("testbed: ground: node %v is not on its ring", p.Addr)
		}
		b.nodes = append(b.nodes, Node{Range: r})
	}
	return b, nil
}
