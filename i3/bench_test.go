package i3_test

import (
	"testing"

	"i3bench/i3"
	"i3bench/internal/cputime"
)

// sinkN keeps what a benchmark computes.
var sinkN int

// BenchmarkCodec is what the codecs cost a node: to take a datagram of eight data
// packets apart, and to read a request and write its answer.
func BenchmarkCodec(b *testing.B) {
	b.Run("what=next8", func(b *testing.B) {
		var datagram []byte
		for range 8 {
			datagram = append(datagram, packet(i3.KindData, make([]byte, 64))...)
		}
		report := cputime.Start(b)
		for b.Loop() {
			for rest := datagram; len(rest) > 0; {
				var wire []byte
				_, wire, rest, sinkErr = i3.Next(rest)
				sinkN += len(wire)
			}
		}
		report(b.N, "op")
	})
	b.Run("what=insert-ack", func(b *testing.B) {
		host := i3.Trigger{ID: idA, Target: i3.ToHost(host6, i3.RightKey(idA))}
		request := i3.Insert{Trigger: host, Nonce: i3.Nonce{1}}.AppendTo(nil)
		out := make([]byte, 0, i3.MaxDatagram)
		report := cputime.Start(b)
		for b.Loop() {
			insert, err := i3.ParseInsert(request)
			sinkErr = err
			out = i3.Ack{Trigger: insert.Trigger, Status: i3.StatusInserted}.AppendTo(out[:0])
			sinkN += len(out)
		}
		report(b.N, "op")
	})
}
