package senders

import (
	"i3bench/i3"
	"i3bench/internal/deliver"
	"i3bench/internal/deliverylines"
)

// The names of roles.
const (
	roleNode  = "senders-node"
	rolePlain = "senders-plain"
	roleBatch = "senders-batch"
)

// Roles returns what [deliver.Main] has to know for the processes of senders.
func Roles() map[string]deliver.Role {
	return map[string]deliver.Role{roleNode: nodeRole, rolePlain: plain, roleBatch: batch}
}

// A Sender is one who is measured.
type Sender struct {
	What string // node: ours; udp: a call of the net package for each copy; batch: sendmmsg by x/net
	Form string // of a node's packets: trains, shared or single
	GRO  bool   // receivers take whole trains of datagrams from the kernel
}

// All returns those whose figures belong beside each other: a node for receivers of ours, a node for receivers that
// take a datagram a message, in each of its forms, and what others do.
func All() []Sender {
	return []Sender{
		{"node", "trains", true}, {"node", "trains", false}, {"node", "shared", false}, {"node", "single", false},
		{"udp", "", false}, {"udp", "", true}, {"batch", "", false},
	}
}

// Who names the sender as results do.
func (s Sender) Who() string { return deliverylines.Who(s.What, s.Form, s.GRO) }

// Setup returns how the sender is measured with so many receivers and payloads of so many bytes. A node's packets have
// a header besides.
func (s Sender) Setup(fan, payload int) deliver.Setup {
	d := deliver.Setup{Arg: s.Form, Fan: fan, Size: payload, Trains: s.GRO}
	switch s.What {
	case "node":
		d.Sender, d.Size = roleNode, i3.HeaderSize+payload
		d.Count, d.Local = Count, deliver.Feed(Fill)
	case "batch":
		d.Sender = roleBatch
	default:
		d.Sender = rolePlain
	}
	return d
}
