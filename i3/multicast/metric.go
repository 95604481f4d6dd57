package multicast

import (
	"encoding/binary"
	"math/bits"

	"i3bench/i3"
)

// A Metric is what a tree is built for (paper section 3.2.2).
type Metric uint8

const (
	// Delay builds the tree of Equation 3: the shortest way from the source.
	Delay Metric = iota
	// Bandwidth builds a tree of wide ways: of a way its narrowest part counts.
	Bandwidth
	// Loss builds a tree of ways on which little is lost: what arrives of all that
	// was sent is the product of what each part of the way lets through.
	Loss
	metricEnd
)

// The values of a [Report].
const (
	// Unknown is the value of who knows none.
	Unknown = 1<<32 - 1
	// Unlimited is the bandwidth of the source, before any way.
	Unlimited = Unknown - 1
	// AllLost is the loss of a way on which nothing arrives.
	AllLost = 1_000_000
)

// A Report is the body of a Report message: the answer to a query that asks for
// another metric than the delay. It is a hint, for its sender's own last hop counts
// in it, as the paper says, and nothing proves it.
//
//	0                               32                  40       41       44       48
//	+-------------------------------+-------------------+--------+--------+--------+
//	|              id               |  source distance  | metric |   0    | value  |
//	+-------------------------------+-------------------+--------+--------+--------+
type Report struct {
	// ID and SourceDistance are those of a [Reply].
	ID             i3.ID
	SourceDistance int64
	// Metric is what was asked for: Bandwidth or Loss.
	Metric Metric
	// Value is the kbit/s that come from the source to the sender, or the packets
	// that are lost of a million; or [Unknown].
	Value uint32
}

// AppendTo appends the wire form of r to b.
func (r Report) AppendTo(b []byte) []byte {
	b = r.ID.AppendTo(b)
	b = binary.BigEndian.AppendUint64(b, uint64(r.SourceDistance))
	b = append(b, byte(r.Metric), 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, r.Value)
}

// ParseReport decodes the body of a Report message.
func ParseReport(body []byte) (Report, error) {
	if len(body) != replySize {
		return Report{}, ErrLength
	}
	r := Report{
		ID:             i3.IDFrom([i3.IDSize]byte(body)),
		SourceDistance: int64(binary.BigEndian.Uint64(body[32:])),
		Metric:         Metric(body[40]),
		Value:          binary.BigEndian.Uint32(body[44:]),
	}
	switch {
	case [3]byte(body[41:]) != [3]byte{}:
		return Report{}, ErrReserved
	case r.Metric == Delay || r.Metric >= metricEnd || r.Metric == Loss && r.Value > AllLost && r.Value != Unknown:
		return Report{}, ErrMetric
	}
	return r, nil
}

// readReply decodes the answer to a query: what a [Reply] has, and for another
// metric than the delay the value of a [Report].
func readReply(t Type, body []byte) (rep Reply, metric Metric, value uint32, err error) {
	if t == TypeReply {
		rep, err = ParseReply(body)
		return rep, Delay, Unknown, err
	}
	r, err := ParseReport(body)
	return Reply{ID: r.ID, SourceDistance: r.SourceDistance}, r.Metric, r.Value, err
}

// appendReply appends the body of the answer to a query for a metric, and returns
// the type of the message.
func (c *core) appendReply(b []byte, id i3.ID, metric Metric) []byte {
	if metric == Delay {
		return Reply{ID: id, SourceDistance: c.distance, SourceClock: c.clock}.AppendTo(b)
	}
	return Report{ID: id, SourceDistance: c.distance, Metric: metric, Value: c.gauge().value(metric)}.AppendTo(b)
}

// answers returns the type of the answer to a query for a metric.
func (m Metric) answers() Type {
	if m == Delay {
		return TypeReply
	}
	return TypeReport
}

// lossSteps is how many classes of loss there are: a packet more or less of so many
// is no difference, and the delay decides.
const lossSteps = 64

// cost returns the class of a value, by which places are compared before their
// delays are: the smaller, the better. Bandwidths that are within about a tenth of
// each other are one class, an eighth of an octave. Who knows nothing comes last.
func (m Metric) cost(value uint32) int32 {
	switch {
	case m == Delay:
		return 0
	case value == Unknown:
		return lossSteps + 1
	case m == Loss:
		return int32((uint64(value)*lossSteps + AllLost/2) / AllLost)
	case value < 8:
		return -int32(value)
	}
	octave := bits.Len32(value) - 4
	return -int32(octave<<3 + int(value>>octave))
}
