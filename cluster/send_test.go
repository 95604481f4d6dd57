package cluster

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"i3bench/i3/machine"
	"i3bench/replicate"
)

// A port of vectors notes where the bytes that it is handed lie.
type vectors struct{ lists [][]*byte }

func (v *vectors) Caps() replicate.Caps {
	return replicate.Caps{MaxMessages: 64, MaxVectors: 64, MaxSegments: 64, MaxBytes: 65507}
}

func (v *vectors) Send(ms []replicate.Message) (int, error) {
	for _, m := range ms {
		var list []*byte
		for _, p := range m.Vectors {
			list = append(list, p.Base)
		}
		v.lists = append(v.lists, list)
	}
	return len(ms), nil
}

// Carriers hand over the received buffer, the template and the outbox as they lie, in order: no payload is copied.
func TestTransmitCopiesNothing(t *testing.T) {
	w := New(Config{})
	p, err := w.newPlanner()
	if err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort("127.1.0.1:4000")
	template, body := []byte("template"), bytes.Repeat([]byte("b"), 1200)
	out := machine.NewOutbox(4, 100, 4)
	out.Send(to, []byte("control"))
	out.Forward(to, template, body)
	out.Forward(to, nil, body)
	var port vectors
	if sent, failed := transmit(out, p, &port); sent != 2 || failed != 0 {
		t.Errorf("%d datagrams sent, %d packets refused, want 2 and 0", sent, failed)
	}
	var got []*byte
	for _, list := range port.lists {
		got = append(got, list...)
	}
	if want := []*byte{&out.Sends()[0].Bytes[0], &template[0], &body[0], &body[0]}; !slices.Equal(got, want) {
		t.Errorf("%d vectors point to other bytes than the %d pieces", len(got), len(want))
	}
}
