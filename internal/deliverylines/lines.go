package deliverylines

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Who delivers, in results of [Delivered]: what, and the form of a node's packets if there is one. With [GRO] behind
// it, receivers take whole trains of datagrams from the kernel.
const (
	Node     = "node-trains" // our node
	Single   = "node-single" // our node with a datagram for each packet
	NATS     = "nats"
	NATSDeep = "nats-deep"
	Plain    = "udp"   // a call of the net package for each copy
	Batch    = "batch" // sendmmsg by x/net
	GRO      = "-gro"
)

// Who sends, in results of [Sent]: a form of ours, such as Train. With [OfC] behind it, it is the loop in C that makes
// the same calls, and with [OfGo] a call of the net package for each copy, measured in turn with that form.
const (
	Train    = "train"    // of datagrams, cut by the kernel (UDP_SEGMENT)
	Sendmmsg = "sendmmsg" // many datagrams a call
	Classes  = "classes"  // sendmmsg, sorted by ways out of the host
	OfC      = " of C"
	OfGo     = " of Go"
)

// A Kind is what is counted.
type Kind int

// The kinds. Copies that are sent go to a device that drops them.
const (
	Delivered Kind = iota // copies that reached receivers on loopback
	Sent                  // copies that were handed to the kernel
)

// A Row is one who was measured on one job.
type Row struct {
	Kind Kind
	Who  string
	Fan  int // receivers
	Size int // bytes of payload
}

// A Line is one result: copies for a second of the sender's processor time.
type Line struct {
	Row
	Rate float64
}

// Read returns what lines say of the data path, and passes over all others, which belong to other benchmarks or to
// none. A line that holds ours against others is several results.
func Read(from io.Reader) (found []Line, err error) {
	lines := bufio.NewScanner(from)
	for number := 1; lines.Scan(); number++ {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			continue
		}
		more, err := read(fields)
		if err != nil {
			return found, fmt.Errorf("line %d: %w", number, err)
		}
		found = append(found, more...)
	}
	return found, lines.Err()
}

// read takes a line apart.
func read(fields []string) (found []Line, err error) {
	name, values := parseName(fields[0])
	type part struct{ unit, who string }
	var kind Kind
	var parts []part
	switch {
	case name == "BenchmarkDelivery" && values["what"] != "":
		kind, parts = Delivered, []part{{"deliveries/cpu-s", Who(values["what"], values["form"], values["gro"] == "true")}}
	case name == "BenchmarkLimit" && values["form"] != "":
		form := values["form"]
		kind, parts = Sent, []part{{"copies/cpu-s", form}, {"c/cpu-s", form + OfC}, {"plain/cpu-s", form + OfGo}}
	}
	for _, p := range parts {
		rate, ok, err := value(fields, p.unit)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		row, err := newRow(kind, p.who, values)
		if err != nil {
			return nil, err
		}
		found = append(found, Line{row, rate})
	}
	return found, nil
}

// Who names who delivers: what, the form of a node's packets or nothing, and whether receivers take whole trains.
func Who(what, form string, gro bool) string {
	if form != "" {
		what += "-" + form
	}
	if gro {
		what += GRO
	}
	return what
}

// Name returns the name of the benchmark that has a row of [Delivered] as its result, without the leading "Benchmark".
func (r Row) Name() string {
	what, gro := strings.CutSuffix(r.Who, GRO)
	if form, ours := strings.CutPrefix(what, "node-"); ours {
		what = "node/form=" + form
	}
	return fmt.Sprintf("Delivery/what=%s/gro=%v/fan=%d/size=%d", what, gro, r.Fan, r.Size)
}

// most bounds receivers and bytes, so that no slip of a pen becomes an axis.
const most = 1 << 24

func newRow(kind Kind, who string, values map[string]string) (Row, error) {
	r := Row{Kind: kind, Who: who}
	for _, f := range []struct {
		key string
		to  *int
	}{{"fan", &r.Fan}, {"size", &r.Size}} {
		n, err := strconv.Atoi(values[f.key])
		if err != nil || n < 1 || n > most {
			return r, fmt.Errorf("%s=%.20s, want a whole number from 1 on", f.key, values[f.key])
		}
		*f.to = n
	}
	if strings.ContainsAny(who, ",\"") {
		return r, fmt.Errorf("%.40q delivers, want a name without comma and quote", who)
	}
	return r, nil
}

// value returns the figure before a unit, which must be above 0, and whether the line has one.
func value(fields []string, unit string) (v float64, ok bool, err error) {
	for at := 3; at < len(fields); at++ {
		if fields[at] != unit {
			continue
		}
		v, err = strconv.ParseFloat(fields[at-1], 64)
		if err != nil || !(v > 0) || v > 1e18 {
			return 0, false, fmt.Errorf("%.20q %s, want a number above 0", fields[at-1], unit)
		}
		return v, true, nil
	}
	return 0, false, nil
}

// processors is what go test appends to names unless it uses one processor only.
var processors = regexp.MustCompile(`-\d+$`)

// parseName takes the name of a benchmark apart into its first part and those of the form key=value.
func parseName(text string) (name string, values map[string]string) {
	name, rest, _ := strings.Cut(processors.ReplaceAllString(text, ""), "/")
	values = make(map[string]string)
	for part := range strings.SplitSeq(rest, "/") {
		key, value, _ := strings.Cut(part, "=")
		values[key] = value
	}
	return name, values
}
