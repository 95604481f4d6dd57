package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"i3bench/asm"
	"i3bench/cluster"
	"i3bench/loadgen"
	"i3bench/reports"
)

// What a machine is asked for, beyond which the figures want a second look.
const (
	checkFor    = 200 * time.Millisecond
	mostSteal   = 0.02
	mostHiccups = 5 * time.Millisecond
	leastCores  = 2
)

// A finding of the machine check: what there is, and what that means if it is not well.
type checked struct {
	ok   bool
	what string
	but  string
}

// machineCheck says in a few lines what of the machine matters for the figures.
func machineCheck() string {
	var b strings.Builder
	fmt.Fprintf(&b, "bench  %s  %s\n", runtime.Version(), reports.Machine())
	for _, c := range checks() {
		if c.ok {
			fmt.Fprintf(&b, " ok    %s\n", c.what)
		} else {
			fmt.Fprintf(&b, " warn  %s: %s\n", c.what, c.but)
		}
	}
	return b.String() + "\n"
}

func checks() []checked {
	kernels := asm.Variants()
	list := []checked{
		{len(kernels) > 1, "kernels " + strings.Join(kernels, ", "), "look-ups take the portable way"},
		{runtime.NumCPU() >= leastCores, fmt.Sprintf("%d cores", runtime.NumCPU()), "load and system share one"},
	}
	if source := firstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource"); source != "" {
		list = append(list, checked{
			source == "tsc" || source == "kvm-clock" || source == "arch_sys_counter", "clock source " + source,
			"reading the time takes a system call",
		})
	}
	if most, err := strconv.Atoi(firstLine("/proc/sys/net/core/rmem_max")); err == nil {
		list = append(list, checked{
			most >= cluster.DefaultSocketBuffer || os.Geteuid() == 0, fmt.Sprintf("rmem_max %d KiB", most>>10),
			fmt.Sprintf("sockets get less than the %d KiB they ask for and lose bursts", cluster.DefaultSocketBuffer>>10),
		})
	}
	return append(list, platform()...)
}

// platform watches the machine for a moment.
func platform() (list []checked) {
	w := loadgen.StartWatch(nil)
	time.Sleep(checkFor)
	h := w.Stop()
	late := time.Duration(h.Hiccups.Quantile(0.99))
	if h.Steal >= 0 {
		list = append(list, checked{
			h.Steal <= mostSteal, fmt.Sprintf("steal %.1f %%", 100*h.Steal), "the hypervisor takes processors away",
		})
	}
	return append(list, checked{
		late <= mostHiccups, fmt.Sprintf("hiccups p99 %v", late.Round(time.Microsecond)),
		"the machine has other work: compare ratios, no times",
	})
}

// firstLine returns the first line of a file, or nothing.
func firstLine(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}
