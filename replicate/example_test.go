package replicate_test

import (
	"fmt"
	"net/netip"

	"i3bench/replicate"
)

// A slot is free when its owner has put it back and everybody it was retained for has released it.
func ExampleSlab() {
	slab, err := replicate.NewSlab(replicate.SlabConfig{Slots: 16})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, _ := slab.Take()
	b, _ := slab.Bytes(f)
	f.Len = uint16(copy(b, "a packet"))
	slab.Retain(f, 1) // for one more, who may be another goroutine
	slab.Put(f)
	fmt.Println(slab.Stats().Free, "free")

	b, _ = slab.View(f)
	fmt.Printf("%s\n", b)
	slab.Release([]replicate.Frame{f})
	fmt.Println(slab.Stats().Free, "free")

	_, ok := slab.View(f)
	fmt.Println(ok, slab.Stats().Stale, "stale")
	fmt.Println(slab.Close())
	// Output:
	// 15 free
	// a packet
	// 16 free
	// false 1 stale
	// <nil>
}

// A ring that is full takes no more: what to do then is for the producer to decide.
func ExampleSPSC() {
	ring := replicate.NewSPSC[int](4)
	fmt.Println(ring.PutBatch([]int{1, 2, 3, 4, 5}), ring.Put(6))
	got := make([]int, 8)
	n := ring.GetBatch(got)
	fmt.Println(got[:n])
	// Output:
	// 4 false
	// [1 2 3 4]
}

// Commands of several goroutines to one go through an MPSC.
func ExampleMPSC() {
	ring := replicate.NewMPSC[string](8)
	done := make(chan bool)
	for _, name := range []string{"insert", "remove"} {
		go func() { done <- ring.PutBatch([]string{name, name + " more"}) == 2 }()
	}
	fmt.Println(<-done, <-done)
	for v, ok := ring.Get(); ok; v, ok = ring.Get() {
		fmt.Println(v)
	}
	// Unordered output:
	// true true
	// insert
	// insert more
	// remove
	// remove more
}

// One write reaches all readers. One that is too slow loses the oldest, and is told.
func ExampleBroadcast() {
	ring := replicate.NewBroadcast(4)
	quick, slow := ring.NewReader(), ring.NewReader()
	got := make([]replicate.Words, 4)
	for i := range uint64(6) {
		ring.Put(replicate.Words{i})
		w, _ := quick.Get()
		fmt.Print(w[0], " ")
	}
	n := slow.GetBatch(got)
	fmt.Println("lost", quick.Lost())
	for _, w := range got[:n] {
		fmt.Print(w[0], " ")
	}
	fmt.Println("lost", slow.Lost())
	// Output:
	// 0 1 2 3 4 5 lost 0
	// 2 3 4 5 lost 2
}

// A header of the receiver's own and a payload shared by all reach two receivers; the payload is not copied.
func ExampleInproc() {
	slab, err := replicate.NewSlab(replicate.SlabConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	port := replicate.NewInproc(slab)
	payload, _ := slab.Take()
	b, _ := slab.Bytes(payload)
	payload.Len = uint16(copy(b, "payload"))
	var boxes []*replicate.Mailbox
	for _, to := range []string{"10.0.0.1:1", "10.0.0.2:1"} {
		addr := netip.MustParseAddrPort(to)
		box, _ := port.Open(addr, 16)
		boxes = append(boxes, box)
		vectors := []replicate.Vector{replicate.VectorOf([]byte(to + " ")), replicate.VectorOf(b[:payload.Len])}
		port.Send([]replicate.Message{{To: addr, Vectors: vectors, Size: 18, Copies: 1}})
	}
	slab.Put(payload)
	pieces := make([]replicate.Piece, 16)
	for _, box := range boxes {
		n := box.GetBatch(pieces)
		for _, piece := range pieces[:n] {
			b, _ := box.View(piece)
			fmt.Printf("%s", b)
		}
		fmt.Println()
		box.Release(pieces[:n])
	}
	fmt.Printf("%+v\n", port.Stats())
	// Output:
	// 10.0.0.1:1 payload
	// 10.0.0.2:1 payload
	// {Delivered:2 Unknown:0 Full:0 NoSlot:0}
}
