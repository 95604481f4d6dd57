package tidy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A workflow is what the CI of a forge reads, as far as it is checked here.
type workflow struct {
	Name        string            `yaml:"name"`
	On          yaml.Node         `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]struct {
		RunsOn  string `yaml:"runs-on"`
		Timeout int    `yaml:"timeout-minutes"`
		Steps   []struct {
			Name, Uses, Run, If string
			With                map[string]any
		}
	}
}

var (
	// makeCall matches a call of make and the target.
	makeCall = regexp.MustCompile(`(?m)(?:^|[;&|]\s*)make\s+([a-z0-9-]+)`)
	// assignment matches a value in capitals on the command line of make.
	assignment = regexp.MustCompile(`\b([A-Z]+)=`)
	ciScript   = regexp.MustCompile(`\.ci/[a-z]+`)
)

// Workflows are well formed, bounded in time and rights, and call what is there.
func TestWorkflows(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("tidy: workflows %v, %v, want ci.yml and bench-gate.yml", files, err)
	}
	called := make(map[string]bool)
	for _, file := range files {
		w := readWorkflow(t, file)
		if w.Name == "" || w.On.IsZero() || w.Permissions["contents"] != "read" || len(w.Jobs) == 0 {
			t.Errorf("%s: want a name, events, permission to read contents alone, and jobs", file)
		}
		for name, job := range w.Jobs {
			if job.RunsOn == "" || job.Timeout == 0 || len(job.Steps) == 0 {
				t.Errorf("%s: job %s: want runs-on, timeout-minutes and steps", file, name)
			}
			for _, step := range job.Steps {
				if (step.Uses == "") == (step.Run == "") || step.Uses != "" && !strings.Contains(step.Uses, "@") {
					t.Errorf("%s: job %s: step %+v: want an action with a version, or a command", file, name, step)
				}
				checkCommand(t, file, string(text), step.Run, called)
			}
		}
	}
	for _, target := range []string{"ci", "gate"} {
		if !called[target] {
			t.Errorf("no workflow calls make %s", target)
		}
	}
}

func readWorkflow(t *testing.T, file string) (w workflow) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &w); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return w
}

// checkCommand finds targets and variables that the Makefile does not have, and scripts that are not there.
func checkCommand(t *testing.T, file, makefile, command string, called map[string]bool) {
	t.Helper()
	for _, call := range makeCall.FindAllStringSubmatch(command, -1) {
		called[call[1]] = true
		if !regexp.MustCompile(`(?m)^` + call[1] + `:`).MatchString(makefile) {
			t.Errorf("%s: make %s: the Makefile has no such target", file, call[1])
		}
		for _, set := range assignment.FindAllStringSubmatch(command, -1) {
			if !regexp.MustCompile(`(?m)^` + set[1] + `\s*\?=`).MatchString(makefile) {
				t.Errorf("%s: make %s: the Makefile has no value %s", file, call[1], set[1])
			}
		}
	}
	for _, script := range ciScript.FindAllString(command, -1) {
		if _, err := os.Stat(filepath.Join(root, script)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
