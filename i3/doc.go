// Package i3 defines the vocabulary of the Internet Indirection
// Infrastructure: identifiers, triggers, targets and the packets that carry
// them, with the constraints and cookies that make triggers safe to accept. It
// holds values and codecs only; it does no I/O, reads no clock and keeps no
// state.
//
// # Words
//
// An identifier ([ID]) is a rendezvous point. A host inserts a [Trigger]
// (id, target) to receive what others send to id; the target is another
// identifier (a trigger chain) or the address of a host. An identifier's
// [ID.Exact] part of 192 bits must be equal, its suffix of 64 bits is matched by
// longest prefix: equal identifiers replicate, identifiers that share only the
// exact part form an anycast group (paper section 2.1).
//
// # Wire
//
// A datagram is a sequence of packets and may end in zero padding; see
// [Next]. Every packet starts with the same fixed header, laid out so that
// forwarding never writes per copy: its first [TemplateSize] bytes depend on the
// trigger alone, the rest on the packet alone. docs/wire.md has the byte
// diagrams, testdata/golden.txt the vectors.
//
// All decoders check bounds, allocate nothing and return the sentinel errors of
// this package; all encoders append to the caller's buffer.
package i3
