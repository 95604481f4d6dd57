package reports

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"
)

// MachineInfo describes the computer that a run used, as far as it explains
// figures.
type MachineInfo struct {
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	Kernel      string `json:"kernel"`       // release of the kernel; empty if unknown
	CPU         string `json:"cpu"`          // brand name; empty if unknown
	Level       string `json:"level"`        // instruction-set level, such as "x86-64-v4"; empty off amd64
	Cores       int    `json:"cores"`        // logical CPUs that this process may use
	MemoryBytes uint64 `json:"memory_bytes"` // physical memory; zero if unknown
	Virtual     bool   `json:"virtual"`      // runs under a hypervisor
}

// Machine describes the computer that this program runs on.
func Machine() MachineInfo {
	m := MachineInfo{
		OS:      runtime.GOOS,
		Arch:    runtime.GOARCH,
		CPU:     strings.Join(strings.Fields(cpuid.CPU.BrandName), " "),
		Cores:   runtime.NumCPU(),
		Virtual: cpuid.CPU.VM(),
	}
	if level := cpuid.CPU.X64Level(); level > 0 {
		m.Level = fmt.Sprintf("x86-64-v%d", level)
	}
	m.Kernel, m.MemoryBytes = kernelAndMemory()
	return m
}

// String describes the machine in one line.
func (m MachineInfo) String() string {
	var parts []string
	if m.CPU != "" {
		parts = append(parts, m.CPU)
	}
	if m.Level != "" {
		parts = append(parts, m.Level)
	}
	parts = append(parts, fmt.Sprintf("%d cores", m.Cores))
	if m.MemoryBytes > 0 {
		parts = append(parts, fmt.Sprintf("%.1f GiB", float64(m.MemoryBytes)/(1<<30)))
	}
	system := m.OS + "/" + m.Arch
	if m.Kernel != "" {
		system += " " + m.Kernel
	}
	parts = append(parts, system)
	if m.Virtual {
		parts = append(parts, "virtual machine")
	}
	return strings.Join(parts, ", ")
}

func goVersion() string { return runtime.Version() }

// Commit returns the revision of the source that this program was built from
// and whether it had uncommitted changes: what the build recorded or, for a
// build without that record, what git says of the current directory. It returns
// "unknown" where neither knows.
func Commit() (commit string, dirty bool) {
	if info, ok := debug.ReadBuildInfo(); ok {
		if commit, dirty = vcs(info.Settings); commit != "" {
			return commit, dirty
		}
	}
	if commit = git("rev-parse", "HEAD"); commit == "" {
		return "unknown", false
	}
	return commit, git("status", "--porcelain", "--untracked-files=no") != ""
}

// vcs picks the revision out of the settings of a build.
func vcs(settings []debug.BuildSetting) (commit string, dirty bool) {
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	return commit, dirty
}

// git runs one git command and returns its output, or nothing on any failure.
func git(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
