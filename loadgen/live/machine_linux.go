package live

import (
	"os"
	"strconv"
	"strings"
)

// stolen returns the ticks of all processors that the hypervisor took, and all ticks.
func stolen() (taken, all uint64, ok bool) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, false
	}
	return parseStat(string(data))
}

// stealColumn is where /proc/stat has the ticks that the hypervisor took: user nice system idle iowait irq softirq
// steal. The columns behind it, of guests, are in those of user and nice already.
const stealColumn = 8

func parseStat(text string) (taken, all uint64, ok bool) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) <= stealColumn || fields[0] != "cpu" {
		return 0, 0, false
	}
	for _, f := range fields[1 : stealColumn+1] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, 0, false
		}
		all, taken = all+n, n
	}
	return taken, all, true
}

// socketErrors returns how many datagrams found no room in a UDP socket of the machine, or of the network that the
// process is in.
func socketErrors() (n uint64, ok bool) {
	data, err := os.ReadFile("/proc/self/net/snmp")
	if err != nil {
		return 0, false
	}
	return parseSNMP(string(data))
}

// parseSNMP finds RcvbufErrors, by its name in the first of the two lines on UDP.
func parseSNMP(text string) (n uint64, ok bool) {
	var names []string
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, "Udp:")
		switch {
		case !found:
		case names == nil:
			names = strings.Fields(rest)
		default:
			for i, value := range strings.Fields(rest) {
				if i < len(names) && names[i] == "RcvbufErrors" {
					n, err := strconv.ParseUint(value, 10, 64)
					return n, err == nil
				}
			}
		}
	}
	return 0, false
}
