package plan

import (
	"errors"
	"fmt"
	"math"

	"i3bench/i3"
)

// A Demand is what a group is to do.
type Demand struct {
	Receivers float64 `json:"receivers"`
	Packets   float64 `json:"packets_per_second"` // of the source
	Bytes     float64 `json:"bytes"`              // of a packet's payload
	Churn     float64 `json:"churn_per_hour"`     // share of the receivers that leave, and of as many that come
	Loss      float64 `json:"loss"`               // share lost on each hop
	Variant   string  `json:"variant"`            // how the tree is built and kept, and the network: see bench sim
	Degree    int     `json:"degree"`             // D
	// Limit is what the wait in all nodes on the way to a receiver may take, in seconds, p99; 0: nobody says.
	Limit float64 `json:"limit_seconds,omitempty"`
}

// A NodeType is a machine on which a node runs.
type NodeType struct {
	Cores   float64 `json:"cores"`
	Bits    float64 `json:"nic_bits_per_second"`    // each way
	Packets float64 `json:"nic_packets_per_second"` // each way
	Memory  float64 `json:"memory_bytes"`
}

// A Policy says how much is kept free. Low, mode and high of shares, which are not known better.
type Policy struct {
	Processor [3]float64 `json:"processor"` // of the processors that may be used, so that latencies stay what they are
	NIC       [3]float64 `json:"nic"`       // of the NIC, both of bits and packets
	Memory    float64    `json:"memory"`    // of the memory, for triggers
	Sigma     [3]float64 `json:"sigma"`     // contention of cores: n of them do as much as n/(1+sigma(n-1))
	Spare     float64    `json:"spare"`     // nodes beyond what is needed, as a share; one at least
	Speed     float64    `json:"speed"`     // of a core of the node, over that of the machine where costs were measured
	Uneven    float64    `json:"uneven"`    // receivers at the busiest node over what they would be by chance
}

// DefaultPolicy is what is kept free if nobody says otherwise: assumptions, none of them measured.
func DefaultPolicy() Policy {
	return Policy{
		Processor: [3]float64{0.5, 0.6, 0.7}, NIC: [3]float64{0.6, 0.68, 0.71}, Memory: 0.5,
		Sigma: [3]float64{0.002, 0.01, 0.04}, Spare: 0.03, Speed: 1, Uneven: 1,
	}
}

// Bytes of what is not payload, and of things whose size matters little.
const (
	frameBytes   = 14 + 20 + 8 + 24                  // Ethernet with its gap, IPv4, UDP
	dataBytes    = i3.HeaderSize + 24 + frameBytes   // beside the payload of a data packet
	controlBytes = 2*i3.HeaderSize + 56 + frameBytes // a request with an entry, or a notice
	triggerBytes = 145                               // of the table, see docs/matcher.md, rounded up
	tableSize    = 1 << 20                           // triggers of a node, its default bound
)

// Check says what is wrong with a demand.
func (d Demand) Check() error {
	for _, x := range []struct {
		name             string
		value, low, high float64
	}{
		{"receivers", d.Receivers, 1, 1e10}, {"packets per second", d.Packets, 1e-6, 1e7}, {"bytes", d.Bytes, 1, 1200},
		{"churn per hour", d.Churn, 0, 3600}, {"loss", d.Loss, 0, 0.5}, {"D", float64(d.Degree), 1, 1024},
		{"limit", d.Limit, 0, 3600},
	} {
		if !(x.value >= x.low && x.value <= x.high) {
			return fmt.Errorf("plan: %s %v: want %v to %v", x.name, x.value, x.low, x.high)
		}
	}
	return nil
}

// Check says what is wrong with a type of node.
func (n NodeType) Check() error {
	for _, v := range []float64{n.Cores, n.Bits, n.Packets, n.Memory} {
		if !(v > 0) || math.IsInf(v, 0) {
			return errors.New("plan: node: want more than zero of cores, bits, packets and memory")
		}
	}
	return nil
}

// The resources of a node.
const (
	Processor = iota
	NICBits
	NICPackets
	Memory
	Table
	numResources
)

// Resources names the resources.
var Resources = [numResources]string{"processor", "NIC bits", "NIC packets", "memory", "trigger table"}

// A load is what all nodes do together in a second, and what of it is not for data.
type load struct {
	use      [numResources]float64 // in nanoseconds, bits, packets, bytes, triggers
	copies   float64               // of data, the first time
	repair   float64
	refresh  float64
	churn    float64
	toRepair float64 // receptions lost before repair
}

// A draw is a value of each input.
type draw []float64

// The inputs, by their place in a draw: the figures come first, in their order.
const (
	inDepth = iota
	inLocal
	inHottest
	inTriggers
	inRestRequests
	inRestCopies
	inJoinPackets
	inDuplicates
	inRequests
	inPacket
	inCopy
	inControl
	inProcessor
	inNIC
	inSigma
	numInputs
)

// loadOf computes the load of a demand for a draw.
func (d Demand) loadOf(v draw) (l load) {
	toHosts := d.Receivers * d.Packets
	between := toHosts * (1 - v[inLocal])
	l.copies = toHosts + between
	l.toRepair = toHosts * (1 - math.Pow(1-d.Loss, 1+v[inDepth]*(1-v[inLocal])))
	l.repair = l.toRepair * (1 + v[inDuplicates] + v[inRequests])
	restRequests, restCopies := d.Receivers*v[inRestRequests], d.Receivers*v[inRestCopies]
	l.refresh = restRequests + restCopies
	l.churn = d.Receivers * d.Churn / 3600 * v[inJoinPackets]
	control := l.refresh + l.churn
	l.use[Processor] = (between+d.Packets)*v[inPacket] + (l.copies+l.repair)*v[inCopy] + control*v[inControl]
	l.use[NICBits] = 8 * ((l.copies+l.repair)*(d.Bytes+dataBytes) + control*controlBytes)
	l.use[NICPackets] = l.copies + l.repair + control
	l.use[Table] = d.Receivers * v[inTriggers]
	l.use[Memory] = l.use[Table] * triggerBytes
	return l
}

// capacity returns what one node can do of each resource for a draw, with a share of its processors.
func (n NodeType) capacity(p Policy, use float64, v draw) (c [numResources]float64) {
	cores := n.Cores / (1 + v[inSigma]*(n.Cores-1)) * p.Speed
	c[Processor] = cores * 1e9 * use
	c[NICBits] = n.Bits * v[inNIC]
	c[NICPackets] = n.Packets * v[inNIC]
	c[Memory] = n.Memory * p.Memory
	c[Table] = tableSize
	return c
}

// allowed returns the share of the processors at which the wait on the way to a receiver is below the limit, p99:
// that of as many queues as there are levels, each with random arrivals and services, in which a service is a packet
// with all its copies on all processors of a node.
func (q *Question) allowed(v draw) float64 {
	if q.Demand.Limit == 0 {
		return 1
	}
	service := (v[inPacket] + float64(q.Demand.Degree+1)*v[inCopy]) * 1e-9 / (q.Node.Cores * q.Policy.Speed)
	return max(1e-3, 1-math.Log(100)*service*v[inDepth]/q.Demand.Limit)
}

// nodes returns how many nodes each resource asks for in a draw, the busiest like the others.
func (q *Question) nodes(v draw) (need [numResources]float64, l load) {
	l = q.Demand.loadOf(v)
	c := q.Node.capacity(q.Policy, min(v[inProcessor], q.allowed(v)), v)
	for k := range need {
		need[k] = l.use[k] / c[k] * v[inHottest] * q.Policy.Uneven
	}
	return need, l
}

// withSpare returns the whole number of nodes to have where so many are needed.
func (p Policy) withSpare(need float64) float64 {
	n := math.Ceil(need)
	return n + max(1, math.Ceil(n*p.Spare))
}
